#!/usr/bin/env bash
# "Save execution progress" writes everything that an execution has put out so far, anew after each node.
#
# Versions  n8n 2.41.1, regular mode, SQLite, Node.js 24.21.0
# Expected  With the setting, n8n adds what each node has put out: twice the customers in a loop write twice the bytes.
# Real      Each time n8n stores the whole execution again, so twice the customers write four times as much: in a loop that takes
#           them one by one, 200 write 75 MB where they write 1 MB without the setting, and 400 write 291 MB.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { readFileSync } from 'node:fs';
import { asStated, items, N8n, to } from 'findings';

const n8n = await N8n.start();
// What n8n has passed to the system so far, in bytes.
const written = () => Number(/wchar: (\d+)/.exec(readFileSync(`/proc/${n8n.child.pid}/io`, 'utf8'))[1]);

/** Megabytes that n8n writes while a loop takes customers one by one. */
async function megabytes(customers, saveExecutionProgress) {
	const workflow = await n8n.create(
		[
			['Start', 'manualTrigger'],
			items(Array.from({ length: customers }, (_, i) => ({ id: `customer ${i}`, text: 'x'.repeat(200) }))),
			['Loop', 'splitInBatches', { options: {} }, { typeVersion: 3 }],
			['Each', 'noOp'],
		],
		{
			settings: { executionOrder: 'v1', saveExecutionProgress },
			connections: {
				Start: { main: [[to('Items')]] },
				Items: { main: [[to('Loop')]] },
				Loop: { main: [[], [to('Each')]] },
				Each: { main: [[to('Loop')]] },
			},
		},
	);
	const before = written();
	const { status } = await n8n.finished(await n8n.launchRun(workflow), 600_000, 500);
	asStated('status', status, 'success');
	return (written() - before) / 1e6;
}

await megabytes(10, true);
const [plain, half, whole] = [await megabytes(200, false), await megabytes(200, true), await megabytes(400, true)];
console.log(`MB written for 200 customers without it: ${plain.toFixed(1)}; with it 200: ${half.toFixed(1)}, 400: ${whole.toFixed(1)}`);
asStated('more for the setting', Math.round(half / plain), (seen) => seen > 10);
asStated('more for twice the customers', Number((whole / half).toFixed(1)), (seen) => seen > 3);
await n8n.stop();
JS
