#!/usr/bin/env bash
# A file ends with the execution that made it, also where another one waits with it: "File not found".
#
# Versions  n8n 2.41.1 (Execute Sub-workflow 1.3, Wait 1.1), regular mode, files on disk (the default there), SQLite, Node.js 24.21.0
# Expected  A sub-workflow that n8n does not wait for has its items, JSON and files, and a retried execution those of the failed
#           one. Each is an execution of its own: what becomes of the other one does not touch it.
# Real      The items keep their JSON and a reference to the other one's file, which goes with that: where a workflow does not save
#           its successful executions within 15 minutes (here 1), else when one is deleted from the list. What waits for longer
#           fails where the file is read, and so does its Retry.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, N8n, serve, to, until } from 'findings';

const called = [];
let isUp = false;
const { url, close } = await serve(({ url: path }, response) => {
	called.push(path);
	response.writeHead(path === '/crm' && !isUp ? 503 : 200).end('{}');
});
// n8n deletes for good each 15 minutes, unless it is told otherwise.
const n8n = await N8n.start({ EXECUTIONS_DATA_PRUNE_HARD_DELETE_INTERVAL: '1' });
const hook = (path) => ['Hook', 'webhook', { path, httpMethod: 'POST', options: {} }, { typeVersion: 2 }];
const file = [
	['Order', 'code', { jsCode: "return [{ json: { customer: 'Ann', order: 'Order of Ann. '.repeat(5000) } }];" }, { typeVersion: 2 }],
	['File', 'convertToFile', { operation: 'toText', sourceProperty: 'order', options: {} }, { typeVersion: 1.1 }],
];
const later = (path) => [
	['Wait', 'wait', { amount: 90, unit: 'seconds' }, { typeVersion: 1.1, webhookId: crypto.randomUUID() }],
	['Read', 'extractFromFile', { operation: 'text', options: {} }, { typeVersion: 1 }],
	['Call', 'httpRequest', { url: `${url}/${path}`, options: {} }, { typeVersion: 4.2 }],
];
const latest = async (workflow, ...statuses) =>
	await until(`an execution that is ${statuses}`, async () => (await n8n.executions(workflow)).find(({ status }) => statuses.includes(status)), 200_000);
const remove = async ({ id }) => await n8n.post('/rest/executions/delete', { ids: [id] });

/** A workflow that hands its file to a sub-workflow, and is done. */
const handOver = async (path, more = {}) => {
	const sub = await n8n.create([['When', 'executeWorkflowTrigger', { inputSource: 'passthrough' }, { typeVersion: 1.1 }], ...later(path)]);
	await n8n.activate(sub);
	const main = await n8n.create(
		[
			hook(path),
			...file,
			['Sub', 'executeWorkflow', { workflowId: { __rl: true, mode: 'id', value: sub.id }, options: { waitForSubWorkflow: false } }, { typeVersion: 1.3 }],
		],
		{ settings: { executionOrder: 'v1', ...more } },
	);
	await n8n.activate(main, path);
	await fetch(`${n8n.url}/webhook/${path}`, { method: 'POST' });
	await latest(sub, 'waiting');
	return { main, sub };
};
const kept = await handOver('kept');
const deleted = await handOver('deleted');
await remove(await latest(deleted.main, 'success'));
const unsaved = await handOver('unsaved', { saveDataSuccessExecution: 'none' });

/** A workflow whose CRM fails, and which waits after Retry. */
const workflow = await n8n.create([
	hook('retried'),
	...file,
	['CRM', 'httpRequest', { url: `${url}/crm`, options: {} }, { typeVersion: 4.2 }],
	['Again', 'merge', { mode: 'chooseBranch', useDataOfInput: '2' }, { typeVersion: 3.2 }],
	...later('retried'),
], {
	connections: {
		Hook: { main: [[to('Order')]] },
		Order: { main: [[to('File')]] },
		File: { main: [[to('CRM'), to('Again', 1)]] },
		CRM: { main: [[to('Again')]] },
		Again: { main: [[to('Wait')]] },
		Wait: { main: [[to('Read')]] },
		Read: { main: [[to('Call')]] },
	},
});
await n8n.activate(workflow, 'retried');
await fetch(`${n8n.url}/webhook/retried`, { method: 'POST' });
const failed = await latest(workflow, 'error');
isUp = true;
await n8n.post(`/rest/executions/${failed.id}/retry`, { loadWorkflow: false });
await latest(workflow, 'waiting');
await remove(failed);

const outcome = async (one) => {
	const { id, status } = await latest(one, 'success', 'error');
	return [status, (await n8n.execution(id)).data.resultData.error?.message];
};
asStated('a sub-workflow, where the execution that called it is kept', await outcome(kept.sub), ['success', undefined]);
asStated('one where it is deleted', await outcome(deleted.sub), ['error', 'File not found']);
asStated('one where it is not saved', await outcome(unsaved.sub), ['error', 'File not found']);
asStated('a retried execution, where the failed one is deleted', await outcome(workflow), ['error', 'File not found']);
asStated('called after the wait', called.filter((path) => path !== '/crm'), ['/kept']);
const broken = await latest(deleted.sub, 'error');
await n8n.post(`/rest/executions/${broken.id}/retry`, { loadWorkflow: false });
await until('Retry', async () => {
	const all = await n8n.executions(deleted.sub);
	return all.length === 2 && all.every(({ status }) => status === 'error');
});
asStated('Retry of the sub-workflow', await outcome(deleted.sub), ['error', 'File not found']);
close();
await n8n.stop();
JS
