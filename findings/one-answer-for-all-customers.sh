#!/usr/bin/env bash
# Three customers are asked, Cid answers, and n8n goes on with Ann alone.
#
# Versions  n8n 2.41.1 (Wait 1.1), regular mode, SQLite, Node.js 24.21.0
# Expected  A Wait node of three items that waits for a call goes on with the customer who answered, or with all three items, or
#           refuses several items.
# Real      All are sent the same link. The first call, whoever makes it, puts out one item, the call, and `.item` of the nodes
#           before it is the first customer's: Ann is confirmed, Bob and Cid are not. The others are told that the execution has
#           finished. Who answers before the last one has been asked gets a 409, and that answer is lost.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, N8n, serve, until } from 'findings';

const called = [];
const links = {};
let early;
const { url, close } = await serve(async (request, response) => {
	const { pathname, searchParams } = new URL(request.url, 'http://localhost');
	called.push(pathname);
	if (searchParams.has('link')) links[pathname] = searchParams.get('link');
	// Ann answers as soon as she is asked: Bob and Cid have not been asked yet.
	if (pathname === '/ask-Ann') early = (await fetch(links[pathname])).status;
	response.end('{}');
});
const n8n = await N8n.start();
const workflow = await n8n.create([
	['Hook', 'webhook', { path: 'ask', httpMethod: 'POST', options: {} }, { typeVersion: 2 }],
	['Customers', 'code', { jsCode: "return ['Ann', 'Bob', 'Cid'].map((name) => ({ json: { name } }));" }, { typeVersion: 2 }],
	[
		'Ask',
		'httpRequest',
		{ url: `={{ '${url}/ask-' + $json.name + '?link=' + encodeURIComponent($execution.resumeUrl) }}`, options: { batching: { batch: { batchSize: 1, batchInterval: 500 } } } },
		{ typeVersion: 4.2 },
	],
	['Wait', 'wait', { resume: 'webhook', options: {} }, { typeVersion: 1.1, webhookId: crypto.randomUUID() }],
	['Confirm', 'httpRequest', { url: `={{ '${url}/confirm-' + $('Customers').item.json.name }}`, options: {} }, { typeVersion: 4.2 }],
]);
await n8n.pushToWait(workflow, 'ask');
asStated('different links', new Set(Object.values(links)).size, 1);
asStated("Ann's answer, while Bob and Cid are asked", early, 409);

asStated("Cid's answer", (await fetch(links['/ask-Cid'])).status, 200);
await until('the end', async () => (await n8n.executions(workflow))[0].status === 'success');
asStated('called', called, ['/ask-Ann', '/ask-Bob', '/ask-Cid', '/confirm-Ann']);
asStated("Bob's answer", (await fetch(links['/ask-Bob'])).status, 409);
close();
await n8n.stop();
JS
