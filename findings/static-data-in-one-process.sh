#!/usr/bin/env bash
# 20 pushes at once through one n8n process count as one in workflow static data.
#
# Versions  n8n 2.41.1 (Webhook 2, Code 2), regular mode, SQLite, Node.js 24.21.0
# Expected  Static data is stored as one document, so processes that share a workflow can overwrite each other. Within one
#           process there is one workflow: 20 executions that each add one to a counter in the workflow's static data count to
#           20, or nearly.
# Real      Each execution loads the static data from the database when it begins, and stores the whole of it when it ends. After 3
#           pushes, one after the other, the counter is 3; after 20 more at once, it is 4. A test by hand always passes.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, N8n, until } from 'findings';

const n8n = await N8n.start();
const workflow = await n8n.create([
	['Hook', 'webhook', { path: 'count', httpMethod: 'POST', options: {} }, { typeVersion: 2 }],
	[
		'Count',
		'code',
		{ jsCode: "const data = $getWorkflowStaticData('global'); data.count = (data.count ?? 0) + 1; return [{ json: { count: data.count } }];" },
		{ typeVersion: 2 },
	],
]);
await n8n.activate(workflow, 'count');

const push = async () => await fetch(`${n8n.url}/webhook/count`, { method: 'POST' });
const done = async (count) =>
	await until(`${count} executions`, async () => {
		const all = await n8n.executions(workflow);
		return all.length === count && all.every(({ status }) => status === 'success');
	});
const stored = async () => (await n8n.get(`/rest/workflows/${workflow.id}`)).staticData?.global?.count;

for (let count = 1; count <= 3; count++) {
	await push();
	await done(count);
}
asStated('the counter after 3 pushes, one after the other', await stored(), 3);

await Promise.all(Array.from({ length: 20 }, push));
await done(23);
asStated('the counter after 20 more at once', await stored(), (seen) => seen < 13);
await n8n.stop();
JS
