#!/usr/bin/env bash
# n8n's Extract from File keeps the byte order mark of Excel's "CSV UTF-8" in the first column's name.
#
# Versions  n8n-nodes-base 2.41.1 (Extract from File 1), csv-parse 7.0.2, n8n-core 2.41.1, Node.js 24.21.0
# Expected  Excel writes a byte order mark at the head of each "CSV UTF-8" file, so a CSV reader for users drops it:
#           the columns are named Contact_id and nick. (n8n's own import of CSV files into Data Tables does drop it.)
# Real      By default the first column's name is U+FEFF and Contact_id. n8n shows it as Contact_id, and
#           {{ $json.Contact_id }} is empty for each row. The option 'Exclude Byte Order Mark (BOM)', off by default, helps.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated } from 'findings';
import { runInCore } from 'findings/core';

const file = '\uFEFFContact_id,nick\r\n4711,Ann\r\n';

async function read(options) {
	const item = {
		json: {},
		binary: {
			data: { data: Buffer.from(file).toString('base64'), mimeType: 'text/csv', fileExtension: 'csv', fileName: 'a.csv' },
		},
	};
	const outcome = await runInCore({ File: [item] }, [
		['Rows', 'extractFromFile', { operation: 'csv', options }],
		[
			'Read',
			'set',
			{ assignments: { assignments: [{ id: '1', name: 'read', type: 'string', value: '={{ $json.Contact_id }}' }] } },
			{ typeVersion: 3.4 },
		],
	]);
	return { columns: Object.keys(outcome.json('Rows')[0]).map(encodeURI), read: outcome.json('Read')[0].read };
}

const isEmpty = (value) => value === null || value === undefined || value === '';
const byDefault = await read({});
asStated('columns by default', byDefault.columns, ['%EF%BB%BFContact_id', 'nick']);
asStated('what {{ $json.Contact_id }} gives then', byDefault.read, isEmpty);
asStated('with the option', await read({ enableBOM: true }), { columns: ['Contact_id', 'nick'], read: '4711' });
JS
