#!/usr/bin/env bash
# 'Timeout Workflow' counts the time in a Wait node, but ends the execution only when that is over.
#
# Versions  n8n 2.41.1, regular mode, SQLite, Node.js 24.21.0
# Expected  A time-out is for executions that run too long. One of 5 s either ends a Wait node of 66 s after 5 s, or does not count
#           the time that nothing runs.
# Real      Neither. The execution waits for its 66 s. Then it is resumed and canceled in the same moment, before the next node
#           runs: what was to follow the wait never happens, for anybody, and no error workflow is told.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, N8n, recordCalls, until, waitAndCall } from 'findings';

const { called, url, close } = await recordCalls();
const n8n = await N8n.start();
const errors = await n8n.create([['On error', 'errorTrigger']]);
await n8n.activate(errors);
async function waiting(path, settings) {
	const workflow = await n8n.create(waitAndCall(path, `${url}/${path}`), {
		settings: { executionOrder: 'v1', errorWorkflow: errors.id, ...settings },
	});
	return await n8n.pushToWait(workflow, path);
}

const timed = await waiting('timed', { executionTimeout: 5 });
// It began later: when it has gone on, the other one has had its turn.
const untimed = await waiting('untimed', {});
await until('the other one to end', async () => (await n8n.executions(untimed))[0]?.status === 'success', 120_000);
const [execution] = await n8n.executions(timed);
asStated('status', execution.status, 'canceled');
const seconds = (Date.parse(execution.stoppedAt) - Date.parse(execution.startedAt)) / 1000;
asStated('seconds from its start to its end', seconds, (it) => it >= 65 && it < 90);
asStated('called', called, ['/untimed']);

// One that fails later: when the error workflow has run for it, it would have run for the other one.
const failing = await n8n.create(
	[
		['Hook', 'webhook', { path: 'failing', httpMethod: 'POST', options: {} }, { typeVersion: 2 }],
		['Fail', 'stopAndError', { errorMessage: 'Stopped on purpose' }],
	],
	{ settings: { executionOrder: 'v1', errorWorkflow: errors.id } },
);
await n8n.activate(failing, 'failing');
await fetch(`${n8n.url}/webhook/failing`, { method: 'POST' });
await until('the error workflow', async () => (await n8n.executions(errors)).length > 0);
asStated('runs of the error workflow for both', (await n8n.executions(errors)).length, 1);
close();
await n8n.stop();
JS
