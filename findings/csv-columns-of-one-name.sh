#!/usr/bin/env bash
# Of two CSV columns with the same name, n8n's Extract from File keeps the last. From a spreadsheet it keeps both.
#
# Versions  n8n-nodes-base 2.41.1 (Extract from File 1), csv-parse 7.0.2, @e965/xlsx 0.20.3, Node.js 24.21.0
# Expected  Both columns come out, the second under a name of its own, as from an XLSX file with the same content, or the node says
#           that a name is there twice.
# Real      From CSV the first column is gone. A customer's first phone number is lost, without a word; if the second is empty in a row,
#           that customer has none at all.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated } from 'findings';
import { runInCore } from 'findings/core';
import { utils, write } from '@e965/xlsx';

const rows = [
	['name', 'phone', 'phone'],
	['Ann', '+65-1', '+65-2'],
	['Bob', '+65-3', ''],
];
const extract = async (operation, buffer) => {
	const file = { data: buffer.toString('base64'), mimeType: 'any', fileExtension: operation, fileName: `customers.${operation}` };
	const outcome = await runInCore({ File: [{ json: {}, binary: { data: file } }] }, [['Extract', 'extractFromFile', { operation, options: {} }]]);
	return outcome.json('Extract');
};

const csv = rows.map((row) => row.join(',')).join('\n');
asStated('from CSV', await extract('csv', Buffer.from(csv)), [{ name: 'Ann', phone: '+65-2' }, { name: 'Bob' }]);
const workbook = utils.book_new(utils.aoa_to_sheet(rows.map((row) => row.map((cell) => cell || null))));
asStated('from XLSX', await extract('xlsx', write(workbook, { type: 'buffer', bookType: 'xlsx' })), [
	{ name: 'Ann', phone: '+65-1', phone_1: '+65-2' },
	{ name: 'Bob', phone: '+65-3' },
]);
JS
