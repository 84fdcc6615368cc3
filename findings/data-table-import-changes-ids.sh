#!/usr/bin/env bash
# n8n's import of a CSV file into a Data Table makes numbers of IDs, and one customer of two.
#
# Versions  n8n 2.41.1, SQLite, Node.js 24.21.0
# Expected  An import that guesses types keeps what it cannot keep as a number as text: 19 digits, a leading zero, a leading plus. What
#           it exports again is what was imported.
# Real      The type that the dialog proposes comes from the column's first value, and everything that JavaScript can read as
#           a number is one. Two customers whose IDs differ in the last two digits get the same ID, 007 becomes 7, and
#           +6591234567 loses its plus, without a word. A filter for the ID as it was finds nobody.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, N8n } from 'findings';

const file = 'Contact_id,zip,phone,nick\n1234567890123456789,007,+6591234567,Ann\n1234567890123456780,010,+6591234568,Bob\n';

const n8n = await N8n.start();
const { id: project } = await n8n.get('/rest/projects/personal');

// What the editor's dialog does: it uploads the file, proposes the types that n8n answers, and creates the table.
const form = new FormData();
form.append('file', new Blob([file], { type: 'text/csv' }), 'customers.csv');
form.append('hasHeaders', 'true');
const uploaded = await fetch(`${n8n.url}/rest/data-tables/uploads`, {
	method: 'POST',
	headers: { 'browser-id': 'findings', cookie: n8n.cookie },
	body: form,
});
const { id: fileId, columns } = (await uploaded.json()).data;
asStated(
	'proposed types',
	columns.map(({ name, type }) => `${name}: ${type}`),
	['Contact_id: number', 'zip: number', 'phone: number', 'nick: string'],
);

const table = await n8n.post(`/rest/projects/${project}/data-tables`, {
	name: 'customers',
	columns: columns.map(({ name, type }) => ({ name, type })),
	fileId,
	hasHeaders: true,
});
const { data } = await n8n.get(`/rest/projects/${project}/data-tables/${table.id}/rows`);
asStated(
	'rows',
	data.map(({ Contact_id, zip, phone, nick }) => ({ Contact_id, zip, phone, nick })),
	[
		{ Contact_id: 1234567890123456800, zip: 7, phone: 6591234567, nick: 'Ann' },
		{ Contact_id: 1234567890123456800, zip: 10, phone: 6591234568, nick: 'Bob' },
	],
);
await n8n.stop();
JS
