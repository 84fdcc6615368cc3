#!/usr/bin/env bash
# Remove Duplicates puts the items that are new in the order of their IDs, if these are numbers: a sorted list is sorted no more.
#
# Versions  n8n 2.41.1 (Remove Duplicates 2), SQLite, Node.js 24.21.0
# Expected  'Remove Items Processed in Previous Executions' takes items away, and keeps the order of the rest, as 'Remove Items Repeated
#           Within Current Input' does. So Sort by points, Remove Duplicates and Limit give the best customers not yet written to.
# Real      IDs that are whole numbers, also as text, come out by size, in front of all others. The three customers with most
#           points become the three with the lowest IDs. With IDs such as C1042, or 0042, the order stays: a test
#           with other IDs shows nothing.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, items, N8n } from 'findings';

const n8n = await N8n.start();

/** Runs Sort by points, Remove Duplicates and Limit for ten customers. Returns the IDs of those who are left, and their order. */
async function best(idOf, removal) {
	const customers = Array.from({ length: 10 }, (_, index) => ({ id: idOf(index), points: index * 10 }));
	const outcome = await n8n.run([
		items(customers),
		['Sort', 'sort', { type: 'simple', sortFieldsUi: { sortField: [{ fieldName: 'points', order: 'descending' }] }, options: {} }],
		['New', 'removeDuplicates', removal, { typeVersion: 2 }],
		['Limit', 'limit', { maxItems: 3 }],
	]);
	return outcome.json('Limit').map(({ points }) => points);
}

const seenBefore = {
	operation: 'removeItemsSeenInPreviousExecutions',
	logic: 'removeItemsWithAlreadySeenKeyValues',
	dedupeValue: '={{ $json.id }}',
	options: {},
};
const repeated = { operation: 'removeDuplicateInputItems', compare: 'selectedFields', fieldsToCompare: 'id', options: {} };

asStated('points left, IDs such as C1042', await best((index) => `C${1000 + index}`, seenBefore), [90, 80, 70]);
asStated('points left, IDs such as 1042', await best((index) => 1000 + index, seenBefore), [0, 10, 20]);
asStated('points left, IDs such as "1042"', await best((index) => `${1000 + index}`, seenBefore), [0, 10, 20]);
asStated('points left, IDs such as "01042"', await best((index) => `0${1000 + index}`, seenBefore), [90, 80, 70]);
asStated('points left, repeats within the input, IDs such as 1042', await best((index) => 1000 + index, repeated), [90, 80, 70]);
await n8n.stop();
JS
