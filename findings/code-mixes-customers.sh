#!/usr/bin/env bash
# Behind a Code node that sorts, $('Customers').item is another customer, without a word.
#
# Versions  n8n 2.41.1 (Code 2, Edit Fields 3.4), SQLite, Node.js 24.21.0
# Expected  n8n does not know which customer an item of new JSON is from, and refuses $('Customers').item, as it does if the code
#           filters.
# Real      If as many items come out as went in, n8n links them by position: sorted by spending, Bob gets Ann's phone number. The same
#           happens if code drops one customer and makes two items of another. Code that keeps the items themselves is right.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, items, N8n } from 'findings';

const customers = [
	{ name: 'Ann', phone: "Ann's", spent: 1 },
	{ name: 'Bob', phone: "Bob's", spent: 3 },
	{ name: 'Cid', phone: "Cid's", spent: 2 },
];
const n8n = await N8n.start();
/** Whose phone number each name gets behind this code. */
async function phones(jsCode) {
	const assignments = [
		{ id: '1', name: 'name', type: 'string', value: '={{ $json.name }}' },
		{ id: '2', name: 'phone', type: 'string', value: "={{ $('Customers').item.json.phone }}" },
	];
	const outcome = await n8n.run([
		items(customers, 'Customers'),
		['Code', 'code', { jsCode }, { typeVersion: 2 }],
		['Write', 'set', { assignments: { assignments }, options: {} }, { typeVersion: 3.4 }],
	]);
	return outcome.status === 'success'
		? outcome.json('Write').map(({ name, phone }) => `${name} gets ${phone}`)
		: outcome.error.message.split('.')[0];
}

const anew = '.map(({ json }) => ({ json: { name: json.name } }))';
asStated(
	'filtered',
	await phones(`return $input.all().filter(({ json }) => json.spent > 1)${anew};`),
	"Paired item data for item from node 'Code' is unavailable",
);
asStated('sorted', await phones(`return $input.all().sort((a, b) => b.json.spent - a.json.spent)${anew};`), [
	"Bob gets Ann's",
	"Cid gets Bob's",
	"Ann gets Cid's",
]);
asStated(
	'without Ann, and Bob twice',
	await phones(`return $input.all().flatMap((item) => ({ Ann: [], Bob: [item, item] })[item.json.name] ?? [item])${anew};`),
	["Bob gets Ann's", "Bob gets Bob's", "Cid gets Cid's"],
);
asStated('sorted, the items themselves', await phones('return $input.all().sort((a, b) => b.json.spent - a.json.spent);'), [
	"Bob gets Bob's",
	"Cid gets Cid's",
	"Ann gets Ann's",
]);
await n8n.stop();
JS
