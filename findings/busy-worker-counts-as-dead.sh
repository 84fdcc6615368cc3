#!/usr/bin/env bash
# A worker that is busy for longer than its lock: n8n calls the execution failed, and the worker finishes it all the same.
#
# Versions  n8n 2.41.1 in queue mode with QUEUE_WORKER_LOCK_DURATION=2000 (60000 by default), PostgreSQL, Redis, Node.js 24.21.0
# Needs     apt-get install postgresql redis-server
# Expected  TO BE SEEN
# Real      TO BE SEEN
. "$(dirname "$0")/lib.sh"
need_n8n
need_postgres
need_redis
run_module <<'JS'
import { asStated, N8n, recordCalls, until } from 'findings';

const { called, url, close } = await recordCalls();
const env = {
	QUEUE_WORKER_LOCK_DURATION: '2000',
	QUEUE_WORKER_LOCK_RENEW_TIME: '1000',
	QUEUE_WORKER_STALLED_INTERVAL: '1000',
};
const main = await N8n.start(env);
const workers = [];
for (const name of ['w1', 'w2'])
	workers.push(await N8n.start(env, { userFolder: `${process.env.WORK}/${name}`, command: ['worker'] }));
const errors = await main.create([['On error', 'errorTrigger']]);
await main.activate(errors);
const path = 'push';
const workflow = await main.create(
	[
		['Hook', 'webhook', { path, httpMethod: 'POST', options: {} }, { typeVersion: 2 }],
		['Items', 'splitOut', { fieldToSplitOut: 'body.list', options: {} }],
		// Busy for some seconds: findings/summarize-is-quadratic.sh.
		['Summary', 'summarize', { fieldsToSplitBy: 'g', fieldsToSummarize: { values: [{ aggregation: 'sum', field: 'v' }] }, options: {} }, { typeVersion: 1.1 }],
		['Call', 'httpRequest', { url: `${url}/called`, options: {} }, { typeVersion: 4.2 }],
	],
	{ settings: { executionOrder: 'v1', errorWorkflow: errors.id } },
);
await main.activate(workflow, path);
const list = Array.from({ length: 20_000 }, () => ({ g: 'x', v: 1 }));
const answer = await fetch(`${main.url}/webhook/${path}`, {
	method: 'POST',
	headers: { 'content-type': 'application/json' },
	body: JSON.stringify({ list }),
});
console.log('answer', answer.status);
const seen = [];
const started = Date.now();
await until('the end', async () => {
	const status = (await main.executions(workflow))[0]?.status;
	if (status !== seen.at(-1)?.[1]) seen.push([Date.now() - started, status]);
	return Date.now() - started > 60_000;
}, 90_000);
console.log(seen, called, (await main.executions(errors)).length);
console.log(main.log.slice(-1500));
for (const w of workers) console.log(w.log.slice(-1500));
close();
for (const one of [...workers, main]) await one.stop();
JS
