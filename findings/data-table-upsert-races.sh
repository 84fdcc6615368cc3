#!/usr/bin/env bash
# On PostgreSQL, 'Upsert' of a Data Table inserts one customer several times if executions do it at the same moment.
#
# Versions  n8n 2.41.1, regular mode, PostgreSQL and SQLite, Node.js 24.21.0
# Needs     apt-get install postgresql
# Expected  Upsert updates the row of a customer, or inserts it if there is none: 20 pushes of one customer leave one row, and
#           it does not matter in which database.
# Real      TO BE SEEN
. "$(dirname "$0")/lib.sh"
need_n8n
cat > "$WORK/rows.mjs" <<'JS'
import { N8n, until } from 'findings';

/** How many rows 20 pushes of one customer leave, sent together or one after the other. */
export async function rowsLeft(together) {
	const n8n = await N8n.start();
	const { id: project } = await n8n.get('/rest/projects/personal');
	const table = await n8n.post(`/rest/projects/${project}/data-tables`, {
		name: 'customers',
		columns: [{ name: 'contact', type: 'string' }],
	});
	const workflow = await n8n.create([
		['Hook', 'webhook', { path: 'push', httpMethod: 'POST', options: {} }, { typeVersion: 2 }],
		[
			'Upsert',
			'dataTable',
			{
				resource: 'row',
				operation: 'upsert',
				dataTableId: { __rl: true, mode: 'id', value: table.id },
				filters: { conditions: [{ keyName: 'contact', condition: 'eq', keyValue: 'C1' }] },
				columns: { mappingMode: 'defineBelow', value: { contact: 'C1' } },
				options: {},
			},
			{ typeVersion: 1 },
		],
	]);
	await n8n.activate(workflow, 'push');
	const push = async () => await fetch(`${n8n.url}/webhook/push`, { method: 'POST' });
	const ended = async (count) =>
		await until(`${count} executions`, async () => {
			const all = await n8n.executions(workflow);
			return all.length === count && all.every(({ status }) => ['success', 'error'].includes(status));
		});
	if (together) await Promise.all(Array.from({ length: 20 }, push));
	else for (let i = 1; i <= 20; i++) await push().then(async () => await ended(i));
	await ended(20);
	const statuses = new Set((await n8n.executions(workflow)).map(({ status }) => status));
	const { data } = await n8n.get(`/rest/projects/${project}/data-tables/${table.id}/rows?take=100`);
	await n8n.stop();
	return { statuses: [...statuses], rows: data.length };
}
JS
run_module <<'JS'
import { rm } from 'node:fs/promises';
import { asStated } from 'findings';
import { rowsLeft } from './rows.mjs';

asStated('SQLite, together', await rowsLeft(true), { statuses: ['success'], rows: 1 });
JS
need_postgres
run_module <<'JS'
import { asStated } from 'findings';
import { rowsLeft } from './rows.mjs';

const { statuses, rows } = await rowsLeft(true);
asStated('PostgreSQL, together', { statuses, rows }, (seen) => seen.rows > 1);
JS
