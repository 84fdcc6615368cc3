#!/usr/bin/env bash
# 'Keep Only Unique Binaries' of Aggregate never looks into files: one kind and one size, and the second customer's is gone.
#
# Versions  n8n-nodes-base 2.41.1 (Aggregate 1, Convert to File 1.1), n8n-core 2.41.1, Node.js 24.21.0
# Expected  Two files are the same if they hold the same, or at least have the same name.
# Real      Type, extension and the size as it is shown are compared, and nothing else. Of three invoices of three customers under
#           names of their own, Bob's is gone, since it is as long as Ann's. From 1 kB on the size is rounded to one of a thousand
#           steps, so files of different lengths are one as well: of 50 of about 120 kB, two are left.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated } from 'findings';
import { runInCore } from 'findings/core';

const filesOf = async (items, options) => {
	const { execution } = await runInCore({ Items: items }, [
		['File', 'convertToFile', { operation: 'toText', sourceProperty: 'text', options: { fileName: '={{ $json.name }}.txt' } }, { typeVersion: 1.1 }],
		['One', 'aggregate', { aggregate: 'aggregateAllItemData', options: { includeBinaries: true, ...options } }],
	]);
	const [{ binary }] = execution.data.resultData.runData.One[0].data.main[0];
	return Object.values(binary).map(({ fileName, data }) => `${fileName}: ${Buffer.from(data, 'base64')}`);
};
const customers = [
	{ name: 'Ann', text: 'Ann owes 10' },
	{ name: 'Bob', text: 'Bob owes 99' },
	{ name: 'Cid', text: 'Cid owes 5000' },
];
const all = ['Ann.txt: Ann owes 10', 'Bob.txt: Bob owes 99', 'Cid.txt: Cid owes 5000'];
asStated('all files', await filesOf(customers, {}), all);
asStated('unique files', await filesOf(customers, { keepOnlyUnique: true }), [all[0], all[2]]);

// Each customer's file is some bytes longer than the one before.
const larger = Array.from({ length: 50 }, (_, index) => ({ name: `Customer ${index}`, text: `${index}`.padEnd(120_000 + 20 * index, '.') }));
asStated('50 larger files', (await filesOf(larger, {})).length, 50);
asStated('unique ones of those', (await filesOf(larger, { keepOnlyUnique: true })).length, 2);
JS
