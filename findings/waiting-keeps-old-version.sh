#!/usr/bin/env bash
# A version that is published while executions wait does not reach them: they go on with the nodes of the old one.
#
# Versions  n8n 2.41.1, regular mode, SQLite, Node.js 24.21.0
# Expected  A fix is published while customers stand in a Wait node. From then on, n8n runs the published version.
# Real      An execution keeps the workflow with which it began. Hours after the fix, those that waited still do what was wrong.
#           So do those that come in the first moment after n8n has answered that it is published.
#           Only what stands outside of the workflow is new for them, such as the workflows that it calls.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, N8n, recordCalls, until, waitAndCall } from 'findings';

const { called, url, close } = await recordCalls();
const n8n = await N8n.start();
const sub = await n8n.create([
	['When', 'executeWorkflowTrigger', { inputSource: 'passthrough' }, { typeVersion: 1.1 }],
	['Call', 'httpRequest', { url: `${url}/sub-old`, options: {} }, { typeVersion: 4.2 }],
]);
await n8n.activate(sub);
const path = 'customer';
const workflow = await n8n.create([
	...waitAndCall(path, `${url}/old`),
	['Sub', 'executeWorkflow', { workflowId: { __rl: true, mode: 'id', value: sub.id }, options: {} }, { typeVersion: 1.2 }],
]);
await n8n.pushToWait(workflow, path);

/** Publishes a version that calls another address. */
async function publish({ id }, address) {
	const { nodes, connections, versionId } = await n8n.get(`/rest/workflows/${id}`);
	const changed = nodes.map((node) => {
		if (node.name === 'Call') return { ...node, parameters: { ...node.parameters, url: address } };
		// Passes items on at once.
		return node.name === 'Wait' ? { ...node, type: 'n8n-nodes-base.noOp', typeVersion: 1, parameters: {} } : node;
	});
	const saved = await n8n.request('PATCH', `/rest/workflows/${id}`, { nodes: changed, connections, versionId });
	await n8n.post(`/rest/workflows/${id}/activate`, { versionId: saved.versionId });
}
await publish(workflow, `${url}/new`);
await publish(sub, `${url}/sub-new`);
// n8n takes a moment until pushes reach the published version, which has no Wait node: those before it wait as well.
let customers = 1;
await until(
	'a customer to reach the published version',
	async () => {
		await fetch(`${n8n.url}/webhook/${path}`, { method: 'POST' });
		customers++;
		return called.length > 0;
	},
	60_000,
	1000,
);
asStated('the first customer to get there', called.slice(0, 2), (seen) => seen[0] === '/new');
await until('all customers', () => called.length === 2 * customers, 150_000);
const count = (address) => called.filter((one) => one === address).length;
asStated('calls of those who had waited', called[called.indexOf('/old') + 1], '/sub-new');
asStated('the old address, the published one, and both', [count('/old'), count('/new')], ([old, published]) => old > 0 && published > 0 && old + published === customers);
close();
await n8n.stop();
JS
