#!/usr/bin/env bash
# Executions that stand in the queue when Redis restarts stay "new", and never run, though n8n has all of them in PostgreSQL.
#
# Versions  n8n 2.41.1, queue mode, PostgreSQL, Node.js 24.21.0
# Needs     apt-get install postgresql redis-server
# Expected  PostgreSQL has each execution with its data, and n8n compares it with the queue ("queue recovery"): executions whose jobs
#           Redis has lost are put into the queue again. (Redis without persistence loses them, n8n need not.)
# Real      Three pushes are answered with 200. After Redis comes back empty, n8n runs new ones, and those three stay "new". The
#           recovery, at a start and every 180 minutes (here: 12 s), does not run them: it marks them as crashed. The error workflow
#           hears of an execution that fails, and not of them.
. "$(dirname "$0")/lib.sh"
need_n8n
need_postgres
need_redis
run_module <<'JS'
import { asStated, until } from 'findings';
import { holdCalls, startQueue, startRedis, statuses as statusesOf, stopRedis, twoCalls } from 'findings/queue';

const { called, url, close, answer, slow } = await holdCalls();
const { main, worker } = await startQueue({ concurrency: 1, env: { N8N_LOG_LEVEL: 'debug' } });
const scheduled = await until('the first recovery', () => /Scheduled queue recovery check for next (\d+) min/.exec(main.log));
asStated('minutes between recoveries, by default', Number(scheduled[1]), 180);
const alerts = await main.create([['On error', 'errorTrigger']]);
await main.activate(alerts);
const workflow = await main.create(twoCalls('push', url), { settings: { executionOrder: 'v1', errorWorkflow: alerts.id } });
await main.activate(workflow, 'push');
const push = async () => (await fetch(`${main.url}/webhook/push`, { method: 'POST' })).status;
const statuses = async () => await statusesOf(main, workflow);

asStated('push', await push(), 200);
await slow(1);
asStated('three that wait for the worker', [await push(), await push(), await push()], [200, 200, 200]);
asStated('statuses', await statuses(), ['running', 'new', 'new', 'new']);
await stopRedis();
await startRedis();
answer();
await until('the first', async () => (await statuses())[0] === 'success');
asStated('push after Redis is back', await push(), 200);
await slow(2);
answer();
await until('the new one', async () => (await statuses()).at(-1) === 'success');
asStated('statuses', await statuses(), ['success', 'new', 'new', 'new', 'success']);

// With a recovery every 12 s from here on.
await main.restart({ N8N_EXECUTIONS_QUEUE_RECOVERY_INTERVAL: '0.2' });
await until('the recovery at the start', async () => !(await statuses()).includes('new'));
asStated('statuses after a restart', await statuses(), ['success', 'crashed', 'crashed', 'crashed', 'success']);
asStated('called', called, ['/slow', '/after', '/slow', '/after']);

asStated('push that fails', await push(), 200);
await slow(3);
answer(500);
await until('the error workflow', async () => (await main.executions(alerts)).length > 0);
const heard = await Promise.all((await main.executions(alerts)).map(async ({ id }) => (await main.execution(id)).data));
const ids = (await main.executions(workflow)).map(({ id, status }) => ({ id, status }));
asStated(
	'statuses of which the error workflow hears',
	heard.map((data) => ids.find(({ id }) => id === data.resultData.runData['On error'][0].data.main[0][0].json.execution.id)?.status),
	['error'],
);

await worker.stop();
asStated('push without a worker', await push(), 200);
await stopRedis();
await startRedis();
await until('the recovery without a restart', async () => (await statuses()).at(-1) === 'crashed');
asStated('statuses without a restart', (await statuses()).at(-1), 'crashed');
asStated('called', called, ['/slow', '/after', '/slow', '/after', '/slow']);
close();
await main.stop();
await stopRedis();
JS
