#!/usr/bin/env bash
# In a loop, Merge adds phone numbers to the first batch, and the loop ends there: 40 of 50 customers are left out.
#
# Versions  n8n-nodes-base 2.41.1 (Merge 3.2, Compare Datasets 2.3, Loop Over Items 3), n8n-core 2.41.1, Node.js 24.21.0
# Expected  A lookup list that is wired into input 2 once is there for each batch that comes into input 1, and for both branches of an If
#           that are wired into input 1; or n8n refuses that.
# Real      The list is used up by the first that comes. The next batch meets an empty input 2, matches nothing, and an empty batch
#           ends the loop. Of two branches, the one drawn lower loses its customers. Compare Datasets calls these "in B only", as
#           if they were new, and then "in A only". All executions succeed. In the first batch, and with one branch, all is well.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, to } from 'findings';
import { runInCore } from 'findings/core';

const ids = Array.from({ length: 50 }, (_, index) => index + 1);
const Customers = ids.map((id) => ({ id, isNew: id > 30 }));
const Phones = ids.map((id) => ({ id, phone: `+65 ${id}` }));
const byId = ['Merge', 'merge', { mode: 'combine', fieldsToMatchString: 'id', options: {} }, { typeVersion: 3.2 }];
const compare = ['Merge', 'compareDatasets', { mergeByFields: { values: [{ field1: 'id', field2: 'id' }] }, options: {} }, { typeVersion: 2.3 }];
const start = { Start: { main: [[to('Customers'), to('Phones')]] }, Phones: { main: [[to('Merge', 1)]] } };
/** The IDs that a node puts out in each of its runs. */
const idsOf = ({ execution }, node, output = 0) =>
	execution.data.resultData.runData[node].map(({ data }) => (data.main[output] ?? []).map(({ json }) => json.id ?? json.keys.id));
const count = (...how) => idsOf(...how).map(({ length }) => length);

const loop = await runInCore({ Customers, Phones }, [['Loop', 'splitInBatches', { batchSize: 10, options: {} }, { typeVersion: 3 }], byId, ['Call', 'noOp']], {
	connections: {
		...start,
		Customers: { main: [[to('Loop')]] },
		Loop: { main: [[], [to('Merge', 0)]] },
		Merge: { main: [[to('Call')]] },
		Call: { main: [[to('Loop')]] },
	},
});
asStated('batches that the loop puts out', count(loop, 'Loop', 1), [10, 10]);
asStated('customers that Merge puts out', count(loop, 'Merge'), [10, 0]);
asStated('status', loop.status, 'success');

const branches = async (node) =>
	await runInCore(
		{ Customers, Phones },
		[
			['If', 'if', { conditions: { options: { version: 2 }, combinator: 'and', conditions: [{ id: '1', leftValue: '={{ $json.isNew }}', rightValue: '', operator: { type: 'boolean', operation: 'true', singleValue: true } }] } }, { typeVersion: 2.2 }],
			['New', 'noOp'],
			['Known', 'noOp'],
			node,
		],
		{
			connections: {
				...start,
				Customers: { main: [[to('If')]] },
				If: { main: [[to('New')], [to('Known')]] },
				New: { main: [[to('Merge', 0)]] },
				Known: { main: [[to('Merge', 0)]] },
			},
		},
	);
const merged = await branches(byId);
asStated('out of If', [count(merged, 'If', 0), count(merged, 'If', 1)], [[20], [30]]);
asStated('customers that Merge puts out', count(merged, 'Merge'), [20, 0]);
asStated('status', merged.status, 'success');
const compared = await branches(compare);
asStated('in B only', idsOf(compared, 'Merge', 3), [ids.slice(0, 30), []]);
asStated('in A only', idsOf(compared, 'Merge', 0), [[], ids.slice(0, 30)]);
asStated('in both', count(compared, 'Merge', 2), [20, 0]);
JS
