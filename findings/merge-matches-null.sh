#!/usr/bin/env bash
# n8n's Merge by matching fields joins every item without an ID with every other item without one.
#
# Versions  n8n-nodes-base 2.41.1 (Merge 3.1), n8n-core 2.41.1, Node.js 24.21.0
# Expected  'Combine' by 'Matching Fields', 'Keep Matches' is a join. As in SQL, a missing value matches nothing: null is equal to
#           no other null. (The node does leave out items that lack the field.)
# Real      null matches null, and an empty text an empty text. Two lists of 300 customers each, of which a third has no phone
#           number yet, give 10,200 items instead of 200: each customer without one carries the data of each other's.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, to } from 'findings';
import { runInCore } from 'findings/core';

const list = (field, missing) =>
	Array.from({ length: 300 }, (_, index) => ({ [field]: index, ...(index % 3 === 0 ? missing : { phone: `+65-${index}` }) }));

for (const [what, missing, stated] of [
	['null', { phone: null }, 10_200],
	['an empty text', { phone: '' }, 10_200],
	['no field', {}, 200],
]) {
	const outcome = await runInCore(
		{ A: list('a', missing), B: list('b', missing) },
		[
			[
				'Merge',
				'merge',
				{ mode: 'combine', combineBy: 'combineByFields', fieldsToMatchString: 'phone', joinMode: 'keepMatches', options: {} },
				{ typeVersion: 3.1 },
			],
		],
		{ connections: { Start: { main: [[to('A'), to('B')]] }, A: { main: [[to('Merge', 0)]] }, B: { main: [[to('Merge', 1)]] } } },
	);
	asStated(`items where a third has ${what} for a phone number`, outcome.json('Merge').length, stated);
}
JS
