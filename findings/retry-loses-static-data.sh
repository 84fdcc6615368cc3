#!/usr/bin/env bash
# Retry, and an execution behind a Wait, begin without the workflow's static data, and put theirs in its place.
#
# Versions  n8n 2.41.1, regular mode, SQLite, Node.js 24.21.0
# Expected  A retried execution, or one that goes on after a minute of waiting, reads a workflow's static data when it begins, as
#           each new one does, and adds to it.
# Real      Retry finds none, and the other one nothing of what was stored meanwhile. If they change it, n8n stores only that: what
#           all others have noted is gone, without a word, for each of the workflow's nodes.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, N8n, serve, until } from 'findings';

let isUp = true;
const crm = await serve((_, response) => response.writeHead(isUp ? 200 : 503).end('{}'));
const n8n = await N8n.start();
const note = `const memory = $getWorkflowStaticData('global');
memory.seen = [...(memory.seen ?? []), $('Hook').first().json.query.id];
return [{ json: { seen: memory.seen } }];`;
const workflow = await n8n.create([
	['Hook', 'webhook', { path: 'push', httpMethod: 'POST', options: {} }, { typeVersion: 2 }],
	['CRM', 'httpRequest', { url: crm.url, options: {} }, { typeVersion: 4.2 }],
	['Note', 'code', { jsCode: note }, { typeVersion: 2 }],
]);
await n8n.activate(workflow, 'push');

let count = 0;
/** What the memory holds once the execution of a push has ended; undefined if the CRM was down. */
const seenAfter = async (id) => {
	await fetch(`${n8n.url}/webhook/push?id=${id}`, { method: 'POST' });
	count++;
	const ended = await until(`execution ${count}`, async () => {
		const all = await n8n.executions(workflow);
		return all.length === count && all.every(({ status }) => ['success', 'error'].includes(status)) && all;
	});
	const { data } = await n8n.execution(ended[0].id);
	return { id: ended[0].id, seen: data.resultData.runData.Note?.[0].data.main[0][0].json.seen };
};
asStated('a first push', (await seenAfter('A')).seen, ['A']);
isUp = false;
const failed = await seenAfter('B');
asStated('one whose CRM is down', failed.seen, undefined);
isUp = true;
await seenAfter('C');
asStated('two later ones', (await seenAfter('D')).seen, ['A', 'C', 'D']);

await n8n.post(`/rest/executions/${failed.id}/retry`, { loadWorkflow: false });
count++;
const [retried] = await n8n.executions(workflow);
const { data } = await n8n.execution(retried.id);
asStated('Retry', data.resultData.runData.Note[0].data.main[0][0].json.seen, ['B']);
asStated('the next push', (await seenAfter('E')).seen, ['B', 'E']);

const waiting = await n8n.create([
	['Hook', 'webhook', { path: 'wait', httpMethod: 'POST', options: {} }, { typeVersion: 2 }],
	['Wait', 'wait', { amount: 66, unit: 'seconds' }, { typeVersion: 1.1, webhookId: crypto.randomUUID() }],
	['Note', 'code', { jsCode: note }, { typeVersion: 2 }],
]);
await n8n.activate(waiting, 'wait');
for (const id of ['A', 'B', 'C']) {
	await fetch(`${n8n.url}/webhook/wait?id=${id}`, { method: 'POST' });
	await new Promise((resolve) => setTimeout(resolve, 4000));
}
const noted = await until(
	'all to go on',
	async () => {
		const all = await n8n.executions(waiting);
		return all.length === 3 && all.every(({ status }) => status === 'success') && all;
	},
	180_000,
);
const seen = await Promise.all(
	noted.map(async ({ id }) => (await n8n.execution(id)).data.resultData.runData.Note[0].data.main[0][0].json.seen.join()),
);
asStated('three that have waited, each 4 s after the one before', seen.toSorted(), ['A', 'B', 'C']);
await n8n.stop();
crm.close();
JS
