#!/usr/bin/env bash
# n8n's Remove Duplicates keeps duplicates when some items have null in the field.
#
# Versions  n8n-nodes-base 2.41.1 (Remove Duplicates 2), n8n-core 2.41.1, Node.js 24.21.0
# Expected  'Remove Items Repeated Within Current Input' by the field email leaves each value once, null once too, in
#           whatever order they come. (n8n checks the field's type, and lets null pass.)
# Real      The node sorts the items and compares neighbors, but its comparison gives null no place: [a, null, a] comes out
#           as [a, null, a]. Of 1,000 items with 100 addresses, 10 % of them null, more than twice as many come out as there are values.
#           Nothing tells the builder.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated } from 'findings';
import { runInCore } from 'findings/core';

async function distinct(emails) {
	const outcome = await runInCore(
		{ Items: emails.map((email) => ({ email })) },
		[
			[
				'Distinct',
				'removeDuplicates',
				{ operation: 'removeDuplicateInputItems', compare: 'selectedFields', fieldsToCompare: 'email', options: {} },
				{ typeVersion: 2 },
			],
		],
	);
	return outcome.json('Distinct').map(({ email }) => email);
}

asStated('[a, a, b]', await distinct(['a', 'a', 'b']), ['a', 'b']);
asStated('[a, null, a]', await distinct(['a', null, 'a']), ['a', null, 'a']);

// 100 addresses in an order that repeats none before the others, and null in each tenth place.
const many = Array.from({ length: 1000 }, (_, index) => (index % 10 === 5 ? null : `c${(index * 37) % 100}@example.com`));
const values = new Set(many).size;
asStated('values among 1,000 items', values, 91);
asStated('items that come out', (await distinct(many)).length, (seen) => seen > 2 * values);
asStated('items that come out without the nulls', (await distinct(many.filter(Boolean))).length, values - 1);
JS
