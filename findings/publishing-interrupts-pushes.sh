#!/usr/bin/env bash
# While a new version of a workflow is published, its production URL answers 404 for a moment.
#
# Versions  n8n 2.41.1, regular mode, SQLite, Node.js 24.21.0
# Expected  n8n replaces the published version by the new one: each push starts the one or the other.
# Real      TO BE SEEN
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, N8n } from 'findings';

const n8n = await N8n.start();
const path = 'push';
const workflow = await n8n.create([
	['Hook', 'webhook', { path, httpMethod: 'POST', options: {} }, { typeVersion: 2 }],
	['Next', 'noOp'],
]);
await n8n.activate(workflow, path);

const statuses = {};
let isOver = false;
async function pushUntilOver() {
	while (!isOver) {
		const { status } = await fetch(`${n8n.url}/webhook/${path}`, { method: 'POST' });
		statuses[status] = (statuses[status] ?? 0) + 1;
	}
}
const lanes = [1, 2, 3, 4].map(pushUntilOver);
for (let i = 0; i < 20; i++) {
	const { nodes, connections, versionId } = await n8n.get(`/rest/workflows/${workflow.id}`);
	const moved = nodes.map((node) => ({ ...node, notes: `version ${i}` }));
	const saved = await n8n.request('PATCH', `/rest/workflows/${workflow.id}`, { nodes: moved, connections, versionId });
	await n8n.post(`/rest/workflows/${workflow.id}/activate`, { versionId: saved.versionId });
}
isOver = true;
await Promise.all(lanes);
asStated('answers while 20 versions were published', statuses, (seen) => seen[404] > 0 && seen[200] > 0);
await n8n.stop();
JS
