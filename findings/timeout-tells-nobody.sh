#!/usr/bin/env bash
# n8n's error workflow is told of an execution that a crash ended, but not of one that its time-out ended.
#
# Versions  n8n 2.41.1, regular mode, SQLite, Node.js 24.21.0
# Expected  The error workflow is for what nobody watches: an execution that exceeds 'Timeout Workflow' calls it, as one that fails
#           does. One that dies with n8n cannot, since nobody is left to call it.
# Real      The other way round. The time-out ends the execution as "canceled", and the error workflow does not
#           run. After a SIGKILL, n8n restores the execution as "crashed" at its next start, and calls the error workflow.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, N8n, recordCalls, until } from 'findings';
import { setTimeout as sleep } from 'node:timers/promises';

// A slow API.
const { called, url, close } = await recordCalls(() => undefined);

const n8n = await N8n.start();
const errors = await n8n.create([['On error', 'errorTrigger']]);
await n8n.activate(errors);

async function workflowFor(path, node, settings = {}) {
	const workflow = await n8n.create([['Hook', 'webhook', { path, httpMethod: 'POST', options: {} }, { typeVersion: 2 }], node], {
		settings: { executionOrder: 'v1', errorWorkflow: errors.id, ...settings },
	});
	await n8n.activate(workflow, path);
	await fetch(`${n8n.url}/webhook/${path}`, { method: 'POST' });
	return workflow;
}

const ended = async (workflow) =>
	await until('the end', async () => {
		const [execution] = await n8n.executions(workflow);
		return execution && !['new', 'running'].includes(execution.status) && execution.status;
	});
const told = async () => (await n8n.executions(errors)).length;
const ask = ['Ask', 'httpRequest', { url, options: {} }, { typeVersion: 4.2 }];

const timed = await workflowFor('timed', ask, { executionTimeout: 2 });
asStated('status after the time-out', await ended(timed), 'canceled');

const failing = await workflowFor('failing', ['Fail', 'stopAndError', { errorMessage: 'Stopped on purpose' }]);
asStated('status of one that fails', await ended(failing), 'error');
// The one that fails was later: when the error workflow has run for it, it would have run for the other one.
await until('the error workflow', async () => (await told()) > 0);
await sleep(3000);
asStated('runs of the error workflow for both', await told(), 1);

called.length = 0;
const crashing = await workflowFor('crashing', ask);
await until('the request', () => called.length > 0);
await n8n.restart(undefined, 'SIGKILL');
asStated('status after SIGKILL', await ended(crashing), 'crashed');
await until('the error workflow', async () => (await told()) > 1);
asStated('runs of the error workflow, the crash included', await told(), 2);
close();
await n8n.stop();
JS
