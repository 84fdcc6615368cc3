#!/usr/bin/env bash
# "Run once for each item" of a sub-workflow that waits goes on with one item: the first to finish. The others are lost.
#
# Versions  n8n 2.41.1 (Execute Sub-workflow 1.3, Wait 1.1), regular mode, SQLite, Node.js 24.21.0
# Expected  Execute Sub-workflow with 'Run once for each item' and 'Wait for Sub-Workflow Completion' puts out what all sub-executions
#           return, also if they wait: three customers in, three out, once the last of them has answered.
# Real      With a Wait node in the sub-workflow, the parent goes on as soon as one sub-execution finishes, with the output of
#           that one. What the others return arrives nowhere. All four executions end as "success". (The node calls
#           the mode deprecated, but does not say that it loses items.)
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, items, N8n, recordCalls, until } from 'findings';

const { called, url, close } = await recordCalls();
const n8n = await N8n.start();

const when = ['When', 'executeWorkflowTrigger', { inputSource: 'passthrough' }, { typeVersion: 1.1 }];
const tell = ['Tell', 'httpRequest', { url: `=${url}/{{ encodeURIComponent($execution.resumeUrl) }}`, options: {} }, { typeVersion: 4.2 }];
const wait = ['Wait', 'wait', { resume: 'webhook', options: {} }, { typeVersion: 1.1, webhookId: crypto.randomUUID() }];
const result = ['Result', 'code', { jsCode: "return [{ json: { customer: $('When').first().json.customer } }];" }, { typeVersion: 2 }];

/** A workflow that hands three customers to a sub-workflow, one by one, and makes a call for each that comes back. */
async function start(path, nodes) {
	const sub = await n8n.create(nodes);
	await n8n.activate(sub);
	const parent = await n8n.create([
		['Hook', 'webhook', { path, httpMethod: 'POST', options: {} }, { typeVersion: 2 }],
		items([1, 2, 3].map((customer) => ({ customer }))),
		['Each', 'executeWorkflow', { mode: 'each', workflowId: { __rl: true, mode: 'id', value: sub.id }, options: {} }, { typeVersion: 1.3 }],
		['Call', 'httpRequest', { url: `=${url}/back-{{ $json.customer }}`, options: {} }, { typeVersion: 4.2 }],
	]);
	await n8n.activate(parent, path);
	await fetch(`${n8n.url}/webhook/${path}`, { method: 'POST' });
	return { parent, sub };
}

const statuses = async (workflow) => (await n8n.executions(workflow)).map(({ status }) => status);
const all = async (workflow, count, status) => {
	const seen = await statuses(workflow);
	return seen.length === count && seen.every((one) => one === status);
};
const back = () => called.filter((path) => path.startsWith('/back-')).sort();

const plain = await start('plain', [when, result]);
await until('the parent', async () => await all(plain.parent, 1, 'success'));
asStated('back from a sub-workflow that does not wait', back(), ['/back-1', '/back-2', '/back-3']);

called.length = 0;
const waiting = await start('waiting', [when, tell, wait, result]);
await until('all to wait', async () => (await all(waiting.sub, 3, 'waiting')) && (await all(waiting.parent, 1, 'waiting')));
const resume = called.map((path) => decodeURIComponent(path.slice(1)));
asStated('sub-executions that wait', resume.length, 3);

// Customer 2 answers first.
await fetch(resume[1]);
await until('the parent', async () => await all(waiting.parent, 1, 'success'));
asStated('back after the first answer', back(), ['/back-2']);
await fetch(resume[0]);
await fetch(resume[2]);
await until('all sub-executions', async () => await all(waiting.sub, 3, 'success'));
asStated('back after all answers', back(), ['/back-2']);
asStated('the parent', await statuses(waiting.parent), ['success']);
close();
await n8n.stop();
JS
