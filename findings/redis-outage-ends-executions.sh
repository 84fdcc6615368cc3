#!/usr/bin/env bash
# If Redis is away for more than 10 s, each process of n8n ends at once, with the executions that it runs.
#
# Versions  n8n 2.41.1, queue mode, PostgreSQL, Node.js 24.21.0
# Needs     apt-get install postgresql redis-server
# Expected  A worker needs Redis for the next job, and goes on with those that it has. Processes connect again when Redis is back, or
#           end as at SIGTERM, which waits for executions.
# Real      After 10 s (QUEUE_BULL_REDIS_TIMEOUT_THRESHOLD) main process and worker exit with 1. An execution that is in a call is cut
#           off: what was to follow never happens, and the next start calls it crashed or failed. During 5 s without Redis, it goes on.
. "$(dirname "$0")/lib.sh"
need_n8n
need_postgres
need_redis
run_module <<'JS'
import { setTimeout as sleep } from 'node:timers/promises';
import { asStated, until } from 'findings';
import { holdCalls, startQueue, startRedis, statuses as statusesOf, stopRedis, twoCalls } from 'findings/queue';

const { called, url, close, answer, slow } = await holdCalls();
const { main, worker } = await startQueue();
const workflow = await main.create(twoCalls('push', url));
await main.activate(workflow, 'push');
const push = async () => (await fetch(`${main.url}/webhook/push`, { method: 'POST' })).status;
// A while later, n8n calls a crashed execution failed.
const statuses = async () => (await statusesOf(main, workflow)).map((one) => (one === 'error' ? 'crashed' : one));

asStated('push', await push(), 200);
await slow(1);
await stopRedis();
// The length of the outage.
await sleep(5000);
await startRedis();
answer();
await until('the execution', async () => (await statuses())[0] === 'success');
await until('its second call', () => called.length === 2);
asStated('called, with 5 s without Redis', called, ['/slow', '/after']);

asStated('push', await push(), 200);
await slow(2);
await stopRedis();
const stoppedMs = Date.now();
const ended = await Promise.all(
	[main, worker].map(async (n8n) => ({ code: await n8n.exited, seconds: Math.round((Date.now() - stoppedMs) / 1000) })),
);
asStated('main process and worker', ended, (seen) => seen.every(({ code, seconds }) => code === 1 && seconds >= 9 && seconds <= 20));
await startRedis();
await Promise.all([main.launch(), worker.launch()]);
await until('the execution', async () => (await statuses())[1] !== 'running');
asStated('statuses', await statuses(), ['success', 'crashed']);
// The worker is there and takes a job, and not that one.
asStated('push', await push(), 200);
await slow(3);
answer();
await until('the new execution', async () => (await statuses())[2] === 'success');
asStated('statuses', await statuses(), ['success', 'crashed', 'success']);
asStated('called', called, ['/slow', '/after', '/slow', '/slow', '/after']);
close();
await Promise.all([main.stop(), worker.stop()]);
await stopRedis();
JS
