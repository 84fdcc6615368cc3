#!/usr/bin/env bash
# One Code node that computes for a minute ends the Code nodes of other workflows, long before its own time-out.
#
# Versions  n8n 2.41.1 (Code 2), internal task runner, Node.js 24.21.0. n8n asks its runner each 30 s whether it is alive
#           (N8N_RUNNERS_HEARTBEAT_INTERVAL); here each 5 s, so that the script is short.
# Expected  A Code node may take 300 s (N8N_RUNNERS_TASK_TIMEOUT), and a runner handles ten tasks at a time
#           (N8N_RUNNERS_MAX_CONCURRENCY): one that computes slows others down, and if it takes too long, it fails alone.
# Real      All tasks of the runner share one thread. While one computes, the runner answers nothing; after the second unanswered
#           question, n8n ends the runner with everything in it. A Code node of another workflow, which only waits for something, fails
#           with it, and one that starts meanwhile stands still until a new runner is up. With n8n's own 30 s, a Code node
#           that computes for 100 s was ended after 52 s.
. "$(dirname "$0")/lib.sh"
need_n8n
export N8N_RUNNERS_HEARTBEAT_INTERVAL=5
run_module <<'JS'
import { asStated, N8n, until } from 'findings';
import { setTimeout as sleep } from 'node:timers/promises';

const n8n = await N8n.start();
async function workflowFor(path, jsCode) {
	const workflow = await n8n.create([
		['Hook', 'webhook', { path, httpMethod: 'POST', options: {} }, { typeVersion: 2 }],
		['Code', 'code', { jsCode }, { typeVersion: 2 }],
	]);
	await n8n.activate(workflow, path);
	return workflow;
}
const start = async (path) => await fetch(`${n8n.url}/webhook/${path}`, { method: 'POST' });
async function ended(workflow) {
	const [{ id }] = await until(`the end of ${workflow.nodes[0].parameters.path}`, async () => {
		const all = await n8n.executions(workflow);
		return all.length > 0 && all.every(({ status }) => !['new', 'running'].includes(status)) && all;
	});
	const { status, startedAt, stoppedAt, data } = await n8n.execution(id);
	return { status, seconds: (Date.parse(stoppedAt) - Date.parse(startedAt)) / 1000, error: data.resultData.error?.message };
}

const waiting = await workflowFor('waiting', 'await new Promise((resolve) => setTimeout(resolve, 25_000)); return [{ json: {} }];');
const quick = await workflowFor('quick', 'return [{ json: {} }];');
const computing = await workflowFor(
	'computing',
	'const until = Date.now() + 30_000; let count = 0; while (Date.now() < until) count++; return [{ json: { count } }];',
);

await start('quick');
asStated('a quick one alone', (await ended(quick)).status, 'success');
await start('waiting');
await sleep(1000);
await start('computing');
await sleep(1000);
await start('quick');

const outcomes = { computing: await ended(computing), waiting: await ended(waiting), quick: await ended(quick) };
const unresponsive = 'Task execution aborted because runner became unresponsive';
asStated('the one that computes', outcomes.computing, ({ status, error, seconds }) => status === 'error' && error === unresponsive && seconds < 20);
asStated('the one that waits', outcomes.waiting, ({ status, seconds }) => status === 'error' && seconds < 24);
asStated('the quick one meanwhile', outcomes.quick, ({ status, seconds }) => status === 'error' || seconds > 3);
await n8n.stop();
JS
