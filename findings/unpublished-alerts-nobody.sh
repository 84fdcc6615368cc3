#!/usr/bin/env bash
# An error workflow that is set, but not published, never runs.
#
# Versions  n8n 2.41.1, regular mode, SQLite, Node.js 24.21.0
# Expected  A workflow that is set as another one's error workflow runs when that one fails, or is refused there: it has no
#           trigger of its own that would have to be switched on.
# Real      n8n takes it, and runs nothing: there is no execution of it, and a line in the log. When it is published, it runs.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, N8n, recordCalls, until } from 'findings';

const { called, url, close } = await recordCalls();
const n8n = await N8n.start();
const alerts = await n8n.create([
	['On error', 'errorTrigger'],
	['Alert', 'httpRequest', { url: `${url}/alert`, options: {} }, { typeVersion: 4.2 }],
]);
const failing = await n8n.create(
	[
		['Hook', 'webhook', { path: 'push', httpMethod: 'POST', options: {} }, { typeVersion: 2 }],
		['Fail', 'stopAndError', { errorMessage: 'Unknown customer' }],
	],
	{ settings: { executionOrder: 'v1', errorWorkflow: alerts.id } },
);
await n8n.activate(failing, 'push');
const push = async () => await fetch(`${n8n.url}/webhook/push`, { method: 'POST' });

await push();
await until('the execution to fail', async () => (await n8n.executions(failing))[0]?.status === 'error');
await until('a line in the log', () => /Calling Error Workflow/.test(n8n.log));
asStated('executions of the error workflow', (await n8n.executions(alerts)).length, 0);

await n8n.activate(alerts);
await until('an alert', async () => {
	await push();
	return called.length > 0;
});
asStated('called when it is published', called[0], '/alert');
close();
await n8n.stop();
JS
