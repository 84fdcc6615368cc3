#!/usr/bin/env bash
# $('Call').all() behind a loop holds the last batch alone.
#
# Versions  n8n-nodes-base 2.41.1 (Loop Over Items 3, Edit Fields 3.4), n8n-core 2.41.1, Node.js 24.21.0
# Expected  Behind the loop, $('Call').all() is all that the node Call put out: the answers for 100 customers.
# Real      It is the output of its last run. With batches of 30, the report counts 10 of 100 customers, and one failed call of
#           25. What 'done' puts out holds all. The execution succeeds.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, to } from 'findings';
import { runInCore } from 'findings/core';

// Of the first 24 customers and of the last one, the calls fail.
const customers = Array.from({ length: 100 }, (_, index) => ({ customer: index + 1, failed: index < 24 || index === 99 }));
const report = `={{ {
	calls: $('Call').all().length,
	failed: $('Call').all().filter((item) => item.json.failed).length,
	done: $input.all().length,
} }}`;
const outcome = await runInCore(
	{ Customers: customers },
	[
		['Loop', 'splitInBatches', { batchSize: 30, options: {} }, { typeVersion: 3 }],
		['Call', 'noOp'],
		['Report', 'set', { mode: 'raw', jsonOutput: report, options: {} }, { typeVersion: 3.4, executeOnce: true }],
	],
	{
		connections: {
			Start: { main: [[to('Customers')]] },
			Customers: { main: [[to('Loop')]] },
			Loop: { main: [[to('Report')], [to('Call')]] },
			Call: { main: [[to('Loop')]] },
		},
	},
);
asStated('status', outcome.status, 'success');
asStated('runs of Call', outcome.execution.data.resultData.runData.Call.length, 4);
asStated('report', outcome.json('Report'), [{ calls: 10, failed: 1, done: 100 }]);
JS
