#!/usr/bin/env bash
# A link that was sent before a node failed is dead after Retry: the customer is refused, and the new execution waits for good.
#
# Versions  n8n 2.41.1 (Wait 1.1), regular mode, SQLite, Node.js 24.21.0
# Expected  A workflow sends a customer its link (`$execution.resumeUrl`), notes that in a CRM, and waits. The CRM fails, Retry
#           goes on at the CRM, and the execution waits for the customer, whose link works, as all else that Retry keeps.
# Real      Retry goes on in a new execution, with a new number, and the link names the old one: 409, "has finished with error".
#           The customer cannot answer, and the new execution waits without end, with the link's token and no error. Only the
#           link with the number changed by hand gets through.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, N8n, serve, until } from 'findings';

const called = [];
let isUp = false;
const { url, close } = await serve(({ url: path }, response) => {
	called.push(path);
	response.writeHead(path === '/crm' && !isUp ? 503 : 200).end('{}');
});
const n8n = await N8n.start();
const workflow = await n8n.create([
	['Hook', 'webhook', { path: 'order', httpMethod: 'POST', options: {} }, { typeVersion: 2 }],
	['Ask', 'httpRequest', { url: `={{ '${url}/ask?' + encodeURIComponent($execution.resumeUrl) }}`, options: {} }, { typeVersion: 4.2 }],
	['CRM', 'httpRequest', { url: `${url}/crm`, options: {} }, { typeVersion: 4.2 }],
	['Wait', 'wait', { resume: 'webhook', options: {} }, { typeVersion: 1.1, webhookId: crypto.randomUUID() }],
	['Confirm', 'httpRequest', { url: `${url}/confirm`, options: {} }, { typeVersion: 4.2 }],
]);
await n8n.activate(workflow, 'order');
const latest = async () => (await n8n.executions(workflow))[0];

await fetch(`${n8n.url}/webhook/order`, { method: 'POST' });
await until('it to fail', async () => (await latest())?.status === 'error');
const failed = await latest();
isUp = true;
await n8n.post(`/rest/executions/${failed.id}/retry`, { loadWorkflow: false });
await until('it to wait', async () => (await latest()).status === 'waiting');
const retried = await latest();
asStated('calls of failed and retried one', called.map((path) => path.split('?')[0]), ['/ask', '/crm', '/crm']);

const link = decodeURIComponent(called[0].split('?')[1]);
const answer = await fetch(link);
asStated("the customer's link", [answer.status, /has finished with error/.test(await answer.text())], [409, true]);
asStated('the retried execution', (await latest()).status, 'waiting');
const changed = link.replace(`/webhook-waiting/${failed.id}?`, `/webhook-waiting/${retried.id}?`);
asStated('with the number of the retried execution', (await fetch(changed)).status, 200);
await until('the end', async () => (await latest()).status === 'success');
asStated('the last call', called.at(-1), '/confirm');
close();
await n8n.stop();
JS
