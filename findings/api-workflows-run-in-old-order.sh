#!/usr/bin/env bash
# The same workflow runs in another order if n8n's public API has created it.
#
# Versions  n8n 2.41.1 (editor's and public API), SQLite, Node.js 24.21.0
# Expected  A workflow with two branches runs as one that is built in the editor: the upper branch first, to its end. An API that demands
#           `settings` and takes {} for it fills in what the editor would.
# Real      It runs as n8n 0.x did ("executionOrder" v0): all first nodes, in the order in which they were
#           connected, then all second ones. What relies on the first branch being done finds it undone. The editor does not
#           show it, unless one opens the settings.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, N8n, Outcome, to } from 'findings';

const n8n = await N8n.start();
const api = await n8n.publicApi('workflow:create', 'workflow:read');

const node = (name, type, x, y) => ({ parameters: {}, name, type: `n8n-nodes-base.${type}`, typeVersion: 1, position: [x, y] });
const nodes = [
	node('Start', 'manualTrigger', 0, 0),
	node('Lower 1', 'noOp', 200, 300),
	node('Lower 2', 'noOp', 400, 300),
	node('Upper 1', 'noOp', 200, 0),
	node('Upper 2', 'noOp', 400, 0),
];
const connections = {
	Start: { main: [[to('Lower 1'), to('Upper 1')]] },
	'Lower 1': { main: [[to('Lower 2')]] },
	'Upper 1': { main: [[to('Upper 2')]] },
};

async function order(workflow) {
	const outcome = new Outcome(await n8n.finished(await n8n.launchRun(workflow)));
	return Object.entries(outcome.execution.data.resultData.runData)
		.sort(([, [a]], [, [b]]) => a.executionIndex - b.executionIndex)
		.map(([name]) => name)
		.slice(1);
}

const { id, settings } = await api('POST', 'workflows', { name: 'By the API', nodes, connections, settings: {} });
asStated('settings of the one that the API has created', settings, {});
asStated('its order', await order(await n8n.get(`/rest/workflows/${id}`)), ['Lower 1', 'Upper 1', 'Lower 2', 'Upper 2']);

// What the editor saves for a new workflow.
const drawn = await n8n.post('/rest/workflows', {
	name: 'By the editor',
	nodes: nodes.map((one) => ({ ...one, id: crypto.randomUUID() })),
	connections,
	settings: { executionOrder: 'v1' },
	active: false,
});
asStated("the editor's order", await order(drawn), ['Upper 1', 'Upper 2', 'Lower 1', 'Lower 2']);
await n8n.stop();
JS
