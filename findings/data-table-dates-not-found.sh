#!/usr/bin/env bash
# A Data Table does not find the date that it has just stored: an Upsert by day inserts a row each time.
#
# Versions  n8n 2.41.1 (Data Table 1.1), SQLite, Node.js 24.21.0
# Expected  Upsert where a date column 'day' is equal to {{ $json.day }}, which also sets it to {{ $json.day }}, leaves one row for
#           2026-03-01.
# Real      The value to store is read in the workflow's time zone, and the one to compare in UTC. In Singapore three upserts of
#           a day leave three rows, and a search for the day finds none. In UTC, or with an offset in the text, there is one.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, items, N8n } from 'findings';

const n8n = await N8n.start();
const { id: project } = await n8n.get('/rest/projects/personal');

/** Upserts a day three times in a table of its own. Returns the rows that this leaves, and how many a search for the day finds. */
async function upserts(day, timezone) {
	const table = await n8n.post(`/rest/projects/${project}/data-tables`, {
		name: `${day} in ${timezone}`,
		columns: [{ name: 'day', type: 'date' }],
	});
	const node = (name, operation, more) => [
		name,
		'dataTable',
		{
			resource: 'row',
			operation,
			dataTableId: { __rl: true, mode: 'id', value: table.id },
			matchType: 'allConditions',
			filters: { conditions: [{ keyName: 'day', condition: 'eq', keyValue: '={{ $json.day }}' }] },
			options: {},
			...more,
		},
		{ typeVersion: 1.1 },
	];
	const settings = { executionOrder: 'v1', timezone };
	const columns = { mappingMode: 'defineBelow', value: { day: '={{ $json.day }}' } };
	const outcome = await n8n.run([items([{ day }, { day }, { day }]), node('Upsert', 'upsert', { columns })], { settings });
	if (outcome.status !== 'success') throw new Error(outcome.error?.message);
	const found = await n8n.run([items([{ day }]), node('Find', 'get', { returnAll: true })], { settings });
	const { data } = await n8n.get(`/rest/projects/${project}/data-tables/${table.id}/rows`);
	return { rows: data.map((row) => row.day), found: found.json('Find').length };
}

const stored = '2026-02-28T16:00:00.000Z';
asStated('2026-03-01 in UTC', await upserts('2026-03-01', 'UTC'), { rows: ['2026-03-01T00:00:00.000Z'], found: 1 });
asStated('2026-03-01 in Singapore', await upserts('2026-03-01', 'Asia/Singapore'), { rows: [stored, stored, stored], found: 0 });
asStated('2026-03-01T00:00+08:00 in Singapore', await upserts('2026-03-01T00:00+08:00', 'Asia/Singapore'), { rows: [stored], found: 1 });
await n8n.stop();
JS
