#!/usr/bin/env bash
# On PostgreSQL, 'Upsert' of a Data Table inserts one customer several times if executions do it at the same moment.
#
# Versions  n8n 2.41.1, regular mode, PostgreSQL and SQLite, Node.js 24.21.0
# Needs     apt-get install postgresql
# Expected  Upsert updates the row of a customer, or inserts it if there is none: 20 pushes of one customer leave one row, and
#           it does not matter in which database.
# Real      In SQLite they leave one. In PostgreSQL two of the executions that find no row both insert one, and all of them succeed.
. "$(dirname "$0")/lib.sh"
need_n8n
cat > "$WORK/rows.mjs" <<'JS'
import { N8n, until } from 'findings';

/** How many rows 20 pushes of each of 5 customers leave, those of a customer sent together. */
export async function rowsLeft() {
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
				filters: { conditions: [{ keyName: 'contact', condition: 'eq', keyValue: '={{ $json.query.id }}' }] },
				columns: { mappingMode: 'defineBelow', value: { contact: '={{ $json.query.id }}' } },
				options: {},
			},
			{ typeVersion: 1 },
		],
	]);
	await n8n.activate(workflow, 'push');
	const push = async (id) => await fetch(`${n8n.url}/webhook/push?id=${id}`, { method: 'POST' });
	const ended = async (count) =>
		await until(`${count} executions`, async () => {
			const all = await n8n.executions(workflow);
			return all.length === count && all.every(({ status }) => ['success', 'error'].includes(status));
		});
	for (let customer = 1; customer <= 5; customer++) {
		await Promise.all(Array.from({ length: 20 }, async () => await push(`C${customer}`)));
		await ended(20 * customer);
	}
	const statuses = new Set((await n8n.executions(workflow)).map(({ status }) => status));
	const { data } = await n8n.get(`/rest/projects/${project}/data-tables/${table.id}/rows?take=100`);
	await n8n.stop();
	return { statuses: [...statuses], rows: data.length };
}
JS
run_module <<'JS'
import { asStated } from 'findings';
import { rowsLeft } from './rows.mjs';

asStated('SQLite', await rowsLeft(), { statuses: ['success'], rows: 5 });
JS
need_postgres
run_module <<'JS'
import { asStated } from 'findings';
import { rowsLeft } from './rows.mjs';

const { statuses, rows } = await rowsLeft();
asStated('PostgreSQL', { statuses, rows }, (seen) => seen.statuses.join() === 'success' && seen.rows > 5);
JS
