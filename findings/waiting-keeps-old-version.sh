#!/usr/bin/env bash
# A version that is published while executions wait does not reach them: they go on with the nodes of the old one.
#
# Versions  n8n 2.41.1, regular mode, SQLite, Node.js 24.21.0
# Expected  A fix is published while customers stand in a Wait node. From then on, n8n runs the published version.
# Real      An execution keeps the workflow with which it began. Hours after the fix, those that waited still do what was wrong.
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
// A second customer shows that the new version is published: it has no Wait node.
await fetch(`${n8n.url}/webhook/${path}`, { method: 'POST' });
await until('the second customer', () => called.length === 2);
asStated('the second customer, who came after the publication', called, ['/new', '/sub-new']);
await until('the first customer', () => called.length === 4, 120_000);
asStated('the first customer, who had waited', called.slice(2), ['/old', '/sub-new']);
close();
await n8n.stop();
JS
