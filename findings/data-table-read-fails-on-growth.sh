#!/usr/bin/env bash
# n8n's Data Table node cannot read a table of more than 1,000 rows while rows are added to it: the node fails.
#
# Versions  n8n 2.41.1 (Data Table 1), regular mode, SQLite, Node.js 24.21.0
# Expected  'Get Row(s)' with 'Return All' gives the rows of some moment. If rows are added meanwhile, it contains them or not, as any
#           list that is read page by page.
# Real      The node reads 1,000 rows at a time, and fails once the count has changed between two pages: "synchronization
#           error". While pushes that each add a row come in, most of the reads of a table of 20,000 customers fail. One of
#           300 rows, or one to which nothing is added, is read.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, N8n, until } from 'findings';

const n8n = await N8n.start();
const { id: project } = await n8n.get('/rest/projects/personal');
const inTable = (id) => ({ resource: 'row', dataTableId: { __rl: true, mode: 'id', value: id } });

/** A table of customers, and a workflow that adds one for each push. */
async function tableOf(rows) {
	const { id } = await n8n.post(`/rest/projects/${project}/data-tables`, {
		name: `customers ${rows}`,
		columns: [{ name: 'contact', type: 'string' }],
	});
	const contacts = Array.from({ length: rows }, (_, index) => ({ contact: `C${index}` }));
	while (contacts.length > 0)
		await n8n.post(`/rest/projects/${project}/data-tables/${id}/insert`, { data: contacts.splice(0, 500), returnType: 'count' });
	const path = `table-of-${rows}`;
	const adding = await n8n.create([
		['Hook', 'webhook', { path, httpMethod: 'POST', responseMode: 'lastNode', options: {} }, { typeVersion: 2 }],
		[
			'Add',
			'dataTable',
			{
				...inTable(id),
				operation: 'insert',
				columns: { mappingMode: 'defineBelow', value: { contact: 'new' } },
				options: {},
			},
			{ typeVersion: 1 },
		],
	]);
	await n8n.activate(adding, path);
	return { id, path };
}

/** Reads a table five times. Returns how often that failed, and with which errors. */
async function read({ id }) {
	const errors = [];
	for (let time = 0; time < 5; time++) {
		const { error } = await n8n.run([['Get', 'dataTable', { ...inTable(id), operation: 'get', returnAll: true }, { typeVersion: 1 }]]);
		if (error) errors.push(error.message);
	}
	return { failed: errors.length, errors: [...new Set(errors)] };
}

/** Sends pushes, four at a time, while a table is read. */
async function whilePushed(table) {
	let added = 0;
	let reading = true;
	const push = async () => {
		while (reading) {
			const { ok } = await fetch(`${n8n.url}/webhook/${table.path}`, { method: 'POST' });
			if (ok) added++;
		}
	};
	const pushing = Promise.all(Array.from({ length: 4 }, push));
	await until('the first row', () => added > 0);
	const seen = await read(table);
	reading = false;
	await pushing;
	return seen;
}

const none = { failed: 0, errors: [] };
const small = await tableOf(300);
const large = await tableOf(20_000);
asStated('reads of 20,000 rows', await read(large), none);
asStated('reads of 300 rows while rows are added', await whilePushed(small), none);
asStated(
	'reads of 20,000 rows while rows are added',
	await whilePushed(large),
	({ failed, errors }) => failed >= 3 && errors.join() === 'synchronization error: result count changed during pagination',
);
asStated('reads of 20,000 rows afterwards', await read(large), none);
await n8n.stop();
JS
