#!/usr/bin/env bash
# With n8n's auto-deactivation on, one power cut while three pushes are handled switches the workflow off.
#
# Versions  n8n 2.41.1 with N8N_WORKFLOW_AUTODEACTIVATION_ENABLED=true, regular mode, SQLite, Node.js 24.21.0
# Expected  "Too many crashed executions" is about a workflow that crashes n8n again and again: it takes three crashes
#           (N8N_WORKFLOW_AUTODEACTIVATION_MAX_LAST_EXECUTIONS, 3 by default), and a workflow that did nothing wrong
#           comes back after a power cut.
# Real      n8n counts executions, not crashes. One SIGKILL while three pushes of a workflow wait for a slow API: at
#           the next start, the workflow is switched off, and its production URL answers 404 from then on. Another one with a single
#           execution at that moment stays on. The busier a trigger, the surer it is switched off.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, N8n, recordCalls, until } from 'findings';

// A slow API.
const { called, url, close } = await recordCalls(() => undefined);

const n8n = await N8n.start({ N8N_WORKFLOW_AUTODEACTIVATION_ENABLED: 'true' });
const push = async (path) => (await fetch(`${n8n.url}/webhook/${path}`, { method: 'POST' })).status;

async function workflowFor(path) {
	const workflow = await n8n.create([
		['Hook', 'webhook', { path, httpMethod: 'POST', options: {} }, { typeVersion: 2 }],
		['Ask', 'httpRequest', { url, options: {} }, { typeVersion: 4.2 }],
	]);
	await n8n.activate(workflow, path);
	return workflow;
}

const quiet = await workflowFor('quiet');
const busy = await workflowFor('busy');
await Promise.all(['quiet', 'busy', 'busy', 'busy'].map(push));
await until('four requests', () => called.length === 4);
await n8n.restart(undefined, 'SIGKILL');

const statuses = async (workflow) => (await n8n.executions(workflow)).map(({ status }) => status);
await until('the recovery', async () => (await statuses(busy)).every((status) => status === 'crashed'));
asStated('executions of the busy one', await statuses(busy), ['crashed', 'crashed', 'crashed']);
asStated('executions of the quiet one', await statuses(quiet), ['crashed']);
await until('the registration of webhooks', async () => (await push('quiet')) === 200);
asStated('a push for the quiet one', await push('quiet'), 200);
asStated('a push for the busy one', await push('busy'), 404);
asStated('the busy one is active', (await n8n.get(`/rest/workflows/${busy.id}`)).active, false);
close();
await n8n.stop();
JS
