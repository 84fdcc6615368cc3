#!/usr/bin/env bash
# On the command line, a switch that is set to false is on: an import empties the database that it was told to keep.
#
# Versions  n8n 2.41.1, regular mode, SQLite, Node.js 24.21.0
# Expected  `n8n import:entities --truncateTables=false` does what it does without the switch: it skips an n8n that holds something.
#           `n8n export:entities --includeDataTableRows=false`, an example of n8n's own help, leaves the rows of Data Tables out.
# Real      Each text but an empty one counts as true. The import deletes the workflows of that n8n, and those of the export take
#           their places; the export holds the rows. `--no-truncateTables` and `--no-includeDataTableRows` are off.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { join } from 'node:path';
import { asStated, N8n } from 'findings';

const n8n = await N8n.start();
const { id: project } = await n8n.get('/rest/projects/personal');
const table = await n8n.post(`/rest/projects/${project}/data-tables`, {
	name: 'customers',
	columns: [{ name: 'contact', type: 'string' }],
});
await n8n.post(`/rest/projects/${project}/data-tables/${table.id}/insert`, { data: [{ contact: 'C1' }], returnType: 'count' });
await n8n.create([['Start', 'manualTrigger']], { name: 'Exported' });

const folder = join(process.env.WORK, 'export');
const rowsWith = async (flag) => {
	const printed = await n8n.commandLine('export:entities', `--outputDir=${folder}`, flag);
	return Number(/row export summary: \d+ table\(s\), (\d+) row/.exec(printed)?.[1] ?? 0);
};
asStated('rows in an export with --no-includeDataTableRows', await rowsWith('--no-includeDataTableRows'), 0);
asStated('rows in an export with --includeDataTableRows=false', await rowsWith('--includeDataTableRows=false'), 1);
await n8n.stop();

const other = await N8n.start({}, { userFolder: join(process.env.WORK, 'other') });
await other.create([['Start', 'manualTrigger']], { name: 'Of this n8n' });
const workflowsAfter = async (flag) => {
	await other.stop();
	await other.commandLine('import:entities', `--inputDir=${folder}`, flag);
	await other.launch();
	return (await other.get('/rest/workflows')).map(({ name }) => name);
};
asStated('workflows after an import with --no-truncateTables', await workflowsAfter('--no-truncateTables'), ['Of this n8n']);
asStated('workflows after an import with --truncateTables=false', await workflowsAfter('--truncateTables=false'), ['Exported']);
await other.stop();
JS
