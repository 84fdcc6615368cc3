#!/usr/bin/env bash
# A Remove Duplicates node that clears the deduplication history clears nothing, whatever its scope.
#
# Versions  n8n 2.41.1 (Remove Duplicates 2), SQLite, Node.js 24.21.0
# Expected  A node with the operation 'Clear Deduplication History' ("Wipe the store of previous items") in front of the node that
#           removes items of earlier executions makes that node begin anew. If the default scope 'Node' is too narrow for
#           that, 'Workflow' does it: it is about all nodes of the workflow.
# Real      The items stay known, with both scopes. 'Node' clears the history of the clearing node itself, which has none;
#           'Workflow' clears what nodes with the scope 'Workflow' have stored, and no node's own history. Only the node that
#           remembers can forget: change its operation to 'Clear Deduplication History', run it, and change it back.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, chain, items, N8n, Outcome } from 'findings';

const n8n = await N8n.start();
const clear = (options = {}) => ({ operation: 'clearDeduplicationHistory', mode: 'cleanDatabase', options });
const workflow = await n8n.create([
	['Start', 'manualTrigger'],
	items([{ id: 'order 1' }]),
	['Clear', 'removeDuplicates', clear(), { typeVersion: 2 }],
	[
		'Seen',
		'removeDuplicates',
		{
			operation: 'removeItemsSeenInPreviousExecutions',
			logic: 'removeItemsWithAlreadySeenKeyValues',
			dedupeValue: '={{ $json.id }}',
			options: {},
		},
		{ typeVersion: 2 },
	],
]);

async function run(parametersOf = {}, through = ['Start', 'Items', 'Clear', 'Seen']) {
	const { versionId } = await n8n.get(`/rest/workflows/${workflow.id}`);
	const nodes = workflow.nodes.map((node) => ({ ...node, parameters: parametersOf[node.name] ?? node.parameters }));
	const changed = await n8n.request('PATCH', `/rest/workflows/${workflow.id}`, {
		versionId,
		nodes,
		connections: chain(through),
	});
	return new Outcome(await n8n.finished(await n8n.launchRun(changed)));
}

const isNew = async (...args) => (await run(...args)).json('Seen', 0).length === 1;

asStated('new in the first execution', await isNew({}, ['Start', 'Items', 'Seen']), true);
asStated('new after another node has cleared with the scope Node', await isNew({ Clear: clear() }), false);
asStated('new after it with the scope Workflow', await isNew({ Clear: clear({ scope: 'workflow' }) }), false);
await run({ Seen: clear() });
asStated('new after the node itself has cleared', await isNew({}, ['Start', 'Items', 'Seen']), true);
await n8n.stop();
JS
