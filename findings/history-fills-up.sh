#!/usr/bin/env bash
# 'History Size' of n8n's Remove Duplicates is no window: once it is full, the node fails, with known items too.
#
# Versions  n8n 2.41.1 (Remove Duplicates 2), SQLite, Node.js 24.21.0
# Expected  "The max number of past items to store": the oldest are dropped for new ones. Items that are known already need no
#           room: a list of 60 can be run again and again with a history of 100.
# Real      The second run of the same 60 items fails ("exceeds the maximum history size"): n8n adds the number of items in front of it to
#           that of the history before it looks whether it knows them. With 40 items a day, all of them
#           new, the node fails from the third day on, and stays so: it drops nothing.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, N8n, Outcome } from 'findings';

const n8n = await N8n.start();

async function daily(days, code) {
	const workflow = await n8n.create([
		['Start', 'manualTrigger'],
		['Items', 'code', { jsCode: code(0) }, { typeVersion: 2 }],
		[
			'Seen',
			'removeDuplicates',
			{
				operation: 'removeItemsSeenInPreviousExecutions',
				logic: 'removeItemsWithAlreadySeenKeyValues',
				dedupeValue: '={{ $json.id }}',
				options: { historySize: 100 },
			},
			{ typeVersion: 2 },
		],
	]);
	const seen = [];
	for (let day = 0; day < days; day++) {
		const { versionId } = await n8n.get(`/rest/workflows/${workflow.id}`);
		const nodes = workflow.nodes.map((node) => (node.name === 'Items' ? { ...node, parameters: { jsCode: code(day) } } : node));
		const changed = await n8n.request('PATCH', `/rest/workflows/${workflow.id}`, { versionId, nodes });
		const outcome = new Outcome(await n8n.finished(await n8n.launchRun(changed)));
		seen.push(
			outcome.status === 'success'
				? `${outcome.json('Seen', 0).length} new`
				: /exceeds the maximum history size/.exec(outcome.error.message)?.[0],
		);
	}
	return seen;
}

const list = (first, count) => `return Array.from({ length: ${count} }, (_, index) => ({ json: { id: 'c' + (${first} + index) } }));`;
const fails = 'exceeds the maximum history size';
asStated('the same 60 items, twice', await daily(2, () => list(0, 60)), ['60 new', fails]);
asStated('40 new items each day', await daily(4, (day) => list(day * 40, 40)), ['40 new', '40 new', fails, fails]);
await n8n.stop();
JS
