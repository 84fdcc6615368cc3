#!/usr/bin/env bash
# 'When Last Node Finishes' answers when a Wait node begins, with what stands before it.
#
# Versions  n8n 2.41.1 (Webhook 2, Wait 1.1), regular mode, SQLite, Node.js 24.21.0
# Expected  The caller gets what the last node puts out, or, if that takes too long, an error or a 202.
# Real      At a wait of 65 s and more the caller gets 200 and the items that go into the Wait node, at once. What the last node
#           puts out reaches nobody, and a failure behind the Wait node neither: the caller has had its 200. With a wait that
#           is shorter, the last node answers.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, N8n } from 'findings';

const n8n = await N8n.start();
const put = (name, value) => [name, 'set', { mode: 'raw', jsonOutput: JSON.stringify(value), options: {} }, { typeVersion: 3.4 }];
async function answerWith(path, amount) {
	const workflow = await n8n.create([
		['Hook', 'webhook', { path, httpMethod: 'POST', responseMode: 'lastNode', options: {} }, { typeVersion: 2 }],
		put('Order', { paid: false }),
		['Wait', 'wait', { amount, unit: 'seconds' }, { typeVersion: 1.1, webhookId: crypto.randomUUID() }],
		put('Pay', { paid: true }),
	]);
	await n8n.activate(workflow, path);
	const answer = await fetch(`${n8n.url}/webhook/${path}`, { method: 'POST', signal: AbortSignal.timeout(30_000) });
	return { status: answer.status, body: await answer.json(), execution: (await n8n.executions(workflow))[0].status };
}

asStated('a wait of 2 s', await answerWith('short', 2), { status: 200, body: { paid: true }, execution: 'success' });
asStated('a wait of 66 s', await answerWith('long', 66), { status: 200, body: { paid: false }, execution: 'waiting' });
await n8n.stop();
JS
