#!/usr/bin/env bash
# A Loop Over Items in another one works for the first customer alone, and hands the others on as done, several times.
#
# Versions  n8n-nodes-base 2.41.1 (Loop Over Items 3), n8n-core 2.41.1, Node.js 24.21.0
# Expected  Each time that the inner loop is entered from outside it goes through the items that come in.
# Real      It keeps what it has done. From the second customer on, it takes what comes in for results of its own loop: no order
#           of customers 2 and 3 is worked on, all come out as "done" at once, and those before again: 12 orders in place of
#           6. The execution succeeds.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, to } from 'findings';
import { runInCore } from 'findings/core';

const customers = [
	{ customer: 1, order: ['1a', '1b'] },
	{ customer: 2, order: ['2a', '2b'] },
	{ customer: 3, order: ['3a', '3b'] },
];
const loop = (name) => [name, 'splitInBatches', { batchSize: 1, options: {} }, { typeVersion: 3 }];
const outcome = await runInCore(
	{ Customers: customers },
	[
		loop('Each customer'),
		['Orders', 'splitOut', { fieldToSplitOut: 'order', include: 'allOtherFields', options: {} }],
		loop('Each order'),
		['Work', 'noOp'],
		['Next customer', 'noOp'],
		['All', 'noOp'],
	],
	{
		connections: {
			Start: { main: [[to('Customers')]] },
			Customers: { main: [[to('Each customer')]] },
			'Each customer': { main: [[to('All')], [to('Orders')]] },
			Orders: { main: [[to('Each order')]] },
			'Each order': { main: [[to('Next customer')], [to('Work')]] },
			Work: { main: [[to('Each order')]] },
			'Next customer': { main: [[to('Each customer')]] },
		},
	},
);
const { runData } = outcome.execution.data.resultData;
const orders = (node) => runData[node].flatMap((_, run) => outcome.json(node, 0, run)).map(({ order }) => order);
asStated('status', outcome.status, 'success');
asStated('into the inner loop', orders('Orders'), ['1a', '1b', '2a', '2b', '3a', '3b']);
asStated('worked on', orders('Work'), ['1a', '1b']);
asStated('done in the end', orders('All'), ['1a', '1b', '1a', '1b', '2a', '2b', '1a', '1b', '2a', '2b', '3a', '3b']);
JS
