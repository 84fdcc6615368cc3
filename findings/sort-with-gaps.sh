#!/usr/bin/env bash
# One customer without the field that n8n's Sort sorts by leaves the others unsorted.
#
# Versions  n8n-nodes-base 2.41.1 (Sort 1), n8n-core 2.41.1, Node.js 24.21.0
# Expected  Items without the field come first or last, and all others are in order, as in SQL.
# Real      The comparison says "greater" whichever of two items it is given first, as soon as one of them has no value
#           or a text like n/a in place of a number. The order of the others is left as it happens to be: Sort by spending,
#           then Limit to 3, gives two of the three best customers. Without a hint, and a test with complete data passes. null
#           counts as 0.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated } from 'findings';
import { runInCore } from 'findings/core';

const sorted = async (values, order = 'ascending') => {
	const customers = values.map((spent, index) => ({ customer: index + 1, ...(spent === undefined ? {} : { spent }) }));
	const outcome = await runInCore({ Items: customers }, [
		['Sort', 'sort', { type: 'simple', sortFieldsUi: { sortField: [{ fieldName: 'spent', order }] }, options: {} }],
	]);
	return outcome.json('Sort').map(({ spent }) => spent);
};

asStated('complete', await sorted([30, 10, 20, 50, 40]), [10, 20, 30, 40, 50]);
asStated('with null', await sorted([30, null, 10, 20, 50, 40]), [null, 10, 20, 30, 40, 50]);
asStated('two without the field', await sorted([30, undefined, 10, 20, undefined, 50, 40]), [30, undefined, 10, 20, undefined, 40, 50]);
asStated(
	'the same, descending',
	await sorted([30, undefined, 10, 20, undefined, 50, 40], 'descending'),
	[50, 40, undefined, 20, 10, undefined, 30],
);
asStated('one with n/a', await sorted([30, 'n/a', 10, 20, 50, 40]), [30, 'n/a', 10, 20, 40, 50]);

const many = Array.from({ length: 300 }, (_, index) => (index % 10 === 5 ? undefined : (index * 7919) % 1000));
const best = many
	.filter((spent) => spent !== undefined)
	.sort((a, b) => b - a)
	.slice(0, 10);
const first = (await sorted(many, 'descending')).slice(0, 10);
asStated('of the 10 best of 300, the first 10 hold', best.filter((spent) => first.includes(spent)).length, (seen) => seen < 10);
JS
