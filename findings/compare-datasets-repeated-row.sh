#!/usr/bin/env bash
# n8n's Compare Datasets puts a customer who is in both lists into 'In B only' as well, if list B names the customer twice.
#
# Versions  n8n-nodes-base 2.41.1 (Compare Datasets 2.3), n8n-core 2.41.1, Node.js 24.21.0
# Expected  With the contact ID as field to match, the branch 'In B only' holds the rows of B whose ID is not in A. With the
#           customers already written to in A and today's list in B, these are the new ones.
# Real      A row of A takes one row of B, the first with its ID. Further rows with the same ID come out as 'In B only', and those of
#           A as 'Same': of 100 known customers in a list of 150 rows, where 50 of them stand twice, those 50 are called
#           new. With 'Multiple Matches' set to 'Include All Matches', none is.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, to } from 'findings';
import { runInCore } from 'findings/core';

const ids = Array.from({ length: 100 }, (_, index) => ({ contactId: `C${index}` }));
const once = ids;
const someTwice = [...ids, ...ids.slice(0, 50)];

/** How many items come out of the branches 'In A only', 'Same', 'Different' and 'In B only'. */
async function compare(known, today, options = {}) {
	const outcome = await runInCore(
		{ A: known, B: today },
		[
			[
				'Compare',
				'compareDatasets',
				{ mergeByFields: { values: [{ field1: 'contactId', field2: 'contactId' }] }, resolve: 'includeBoth', options },
				{ typeVersion: 2.3 },
			],
		],
		{ connections: { Start: { main: [[to('A'), to('B')]] }, A: { main: [[to('Compare', 0)]] }, B: { main: [[to('Compare', 1)]] } } },
	);
	return [0, 1, 2, 3].map((output) => outcome.json('Compare', output).length);
}

asStated('each of 100 once in A and in B', await compare(once, once), [0, 100, 0, 0]);
asStated('50 of them twice in B', await compare(once, someTwice), [0, 100, 0, 50]);
asStated('50 of them twice in A', await compare(someTwice, once), [0, 150, 0, 0]);
asStated("50 of them twice in B, 'Include All Matches'", await compare(once, someTwice, { multipleMatches: 'all' }), [0, 100, 0, 0]);
JS
