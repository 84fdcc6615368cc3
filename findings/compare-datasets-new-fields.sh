#!/usr/bin/env bash
# With 'Fuzzy Compare', n8n's Compare Datasets calls two rows the same, whatever fields list B has in addition.
#
# Versions  n8n-nodes-base 2.41.1 (Compare Datasets 2.3), n8n-core 2.41.1, Node.js 24.21.0
# Expected  'Fuzzy Compare' forgives types and empty values: 3 and "3" are the same, and so are a missing field and an empty text. A
#           phone number that only B has is a difference, as it is without the switch, and as it is if only A has it.
# Real      Only the fields that A's row has are compared. 200 customers of whom B has got to know the phone number come out as
#           'Same', without the number. With the two lists the other way round, all come out as 'Different'.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, to } from 'findings';
import { runInCore } from 'findings/core';

const list = (more) => Array.from({ length: 200 }, (_, index) => ({ contactId: `C${index}`, name: 'Li', ...more(index) }));
const without = list(() => ({}));
const withPhone = list((index) => ({ phone: `+65-${index}` }));
const withEmptyPhone = list(() => ({ phone: '' }));

/** How many items come out of the branches 'In A only', 'Same', 'Different' and 'In B only', and whether 'Same' has a number. */
async function compare(a, b, fuzzyCompare) {
	const outcome = await runInCore(
		{ A: a, B: b },
		[
			[
				'Compare',
				'compareDatasets',
				{ mergeByFields: { values: [{ field1: 'contactId', field2: 'contactId' }] }, resolve: 'includeBoth', fuzzyCompare, options: {} },
				{ typeVersion: 2.3 },
			],
		],
		{ connections: { Start: { main: [[to('A'), to('B')]] }, A: { main: [[to('Compare', 0)]] }, B: { main: [[to('Compare', 1)]] } } },
	);
	return [...[0, 1, 2, 3].map((output) => outcome.json('Compare', output).length), outcome.json('Compare', 1).some(({ phone }) => phone)];
}

asStated('B has a number, exact', await compare(without, withPhone, false), [0, 0, 200, 0, false]);
asStated('B has an empty number, fuzzy', await compare(without, withEmptyPhone, true), [0, 200, 0, 0, false]);
asStated('B has a number, fuzzy', await compare(without, withPhone, true), [0, 200, 0, 0, false]);
asStated('A has a number, fuzzy', await compare(withPhone, without, true), [0, 0, 200, 0, false]);
JS
