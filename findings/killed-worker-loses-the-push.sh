#!/usr/bin/env bash
# An execution whose worker is killed loses all that was stored of it: the push is gone, and Retry runs no node.
#
# Versions  n8n 2.41.1, queue mode, PostgreSQL, Node.js 24.21.0
# Needs     apt-get install postgresql redis-server
# Expected  A push is answered once it is stored. If the worker that runs it is killed, the execution is crashed, and Retry runs it, with
#           'Save execution progress' from the node in which it was, as with one process.
# Real      Until the job is found to be stalled, the push and the progress are in PostgreSQL. Then the main process stores an error over
#           them, without the input and without a node. What the webhook has taken is gone: Retry is accepted, runs no node, and
#           ends with the old error.
. "$(dirname "$0")/lib.sh"
need_n8n
need_postgres
need_redis
run_module <<'JS'
import { join } from 'node:path';
import { asStated, N8n, until } from 'findings';
import { holdCalls, startQueue, statuses, twoCalls } from 'findings/queue';

const { called, url, close, slow } = await holdCalls();
const { main, worker } = await startQueue();
const workflows = [];
for (const [path, saveExecutionProgress] of [
	['plain', false],
	['progress', true],
]) {
	const workflow = await main.create(twoCalls(path, url), { settings: { executionOrder: 'v1', saveExecutionProgress } });
	await main.activate(workflow, path);
	workflows.push(workflow);
	asStated(`a push (${path})`, (await fetch(`${main.url}/webhook/${path}`, { method: 'POST' })).status, 200);
}
await slow(2);
const stored = async () =>
	await Promise.all(
		workflows.map(async (workflow) => {
			const [{ id }] = await main.executions(workflow);
			const { status, data } = await main.execution(id);
			return [status, Object.keys(data.resultData.runData), data.executionData?.nodeExecutionStack.map(({ node }) => node.name)];
		}),
	);
asStated('stored, in the call', await stored(), [
	['running', [], ['Hook']],
	['running', ['Hook'], ['Slow']],
]);
// As in another container, with nothing of the first one's files.
await worker.stop('SIGKILL');
const next = await N8n.start({}, { userFolder: join(process.env.WORK, 'next'), command: ['worker', '--concurrency=5'] });
const ended = async () => (await Promise.all(workflows.map(async (one) => await statuses(main, one)))).every(([status]) => status !== 'running');
await until('the executions to end', ended, 180_000, 1000);
asStated('stored, afterwards', await stored(), [
	['error', [], []],
	['error', [], []],
]);
for (const workflow of workflows) {
	const [{ id }] = await main.executions(workflow);
	await main.post(`/rest/executions/${id}/retry`, { loadWorkflow: false });
	await until('Retry', async () => (await statuses(main, workflow))[1] === 'error');
}
asStated('stored of Retry', await stored(), [
	['error', [], []],
	['error', [], []],
]);
asStated('called', called, ['/slow', '/slow']);
close();
await Promise.all([main.stop(), next.stop()]);
JS
