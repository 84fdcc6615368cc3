#!/usr/bin/env bash
# In 'SQL Query' of Merge, the last day of each customer is null, and the average of 10, 20 and 9 in text is 3403.
#
# Versions  n8n-nodes-base 2.41.1 (Merge 3.2, which runs AlaSQL), n8n-core 2.41.1, Node.js 24.21.0
# Expected  MAX and MIN of texts, such as days, are the last and the first one, as in SQL and as in its ORDER BY. SUM and AVG of
#           numbers in text, as CSV files and forms give them, are those of the numbers, as in SQLite, or an error.
# Real      MAX and MIN of texts are null, and so is their SUM. AVG puts them together to "10209", and divides that by 3. The node
#           succeeds, and a query for customers whose last order was before June finds nobody.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, to } from 'findings';
import { runInCore } from 'findings/core';

const query = async (text, input1, input2 = [{ other: 1 }]) =>
	(
		await runInCore({ A: input1, B: input2 }, [['SQL', 'merge', { mode: 'combineBySql', query: text }, { typeVersion: 3.2 }]], {
			connections: { Start: { main: [[to('A'), to('B')]] }, A: { main: [[to('SQL', 0)]] }, B: { main: [[to('SQL', 1)]] } },
		})
	).json('SQL');

const orders = [
	{ customer: 'Ann', shipped: '2026-01-10', price: 10 },
	{ customer: 'Bob', shipped: '2026-03-01', price: 20 },
	{ customer: 'Ann', shipped: '2026-02-01', price: 9 },
];
asStated(
	'numbers and days',
	await query('SELECT customer, SUM(price) AS paid, MAX(price) AS most, MIN(shipped) AS firstDay, MAX(shipped) AS lastDay FROM input1 GROUP BY customer', orders),
	[
		{ customer: 'Ann', paid: 19, most: 10, firstDay: null, lastDay: null },
		{ customer: 'Bob', paid: 20, most: 20, firstDay: null, lastDay: null },
	],
);
asStated(
	'customers whose last day is before June',
	await query("SELECT customer FROM (SELECT customer, MAX(shipped) AS lastDay FROM input1 GROUP BY customer) WHERE lastDay < '2026-06-01'", orders),
	[],
);
const inText = orders.map((order) => ({ ...order, price: String(order.price) }));
asStated('days in order', await query('SELECT shipped FROM input1 ORDER BY shipped', orders), [
	{ shipped: '2026-01-10' },
	{ shipped: '2026-02-01' },
	{ shipped: '2026-03-01' },
]);
asStated('numbers in text', await query('SELECT SUM(price) AS paid, AVG(price) AS average, MAX(price) AS most FROM input1', inText), [
	{ paid: null, average: 3403, most: null },
]);
JS
