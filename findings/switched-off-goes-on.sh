#!/usr/bin/env bash
# Switching a workflow off, or archiving it, leaves its waiting executions alone: they go on when their time comes.
#
# Versions  n8n 2.41.1, regular mode, SQLite, Node.js 24.21.0
# Expected  Whoever notices that a campaign is wrong switches its workflow off, or archives it, and nobody else is called.
# Real      Executions that stand in a Wait node resume as if nothing had happened, and call what comes after it, although the
#           workflow is off or no longer in the list. Only an execution whose workflow is deleted is gone. To stop a
#           campaign, stop its waiting executions in the list of executions, too.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, N8n, serve, until } from 'findings';

const called = [];
const { url, close } = await serve(({ url: path }, response) => {
	called.push(path);
	response.end('{}');
});

const n8n = await N8n.start();
async function waiting(path) {
	const workflow = await n8n.create([
		['Hook', 'webhook', { path, httpMethod: 'POST', options: {} }, { typeVersion: 2 }],
		// n8n stores an execution that waits for longer than 65 s, and resumes it.
		['Wait', 'wait', { amount: 66, unit: 'seconds' }, { typeVersion: 1.1, webhookId: crypto.randomUUID() }],
		['Call', 'httpRequest', { url: `${url}/${path}`, options: {} }, { typeVersion: 4.2 }],
	]);
	await n8n.activate(workflow, path);
	await fetch(`${n8n.url}/webhook/${path}`, { method: 'POST' });
	const isWaiting = async () => (await n8n.executions(workflow))[0]?.status === 'waiting';
	await until('the execution to wait', isWaiting);
	return workflow;
}

const [off, archived, deleted] = [await waiting('off'), await waiting('archived'), await waiting('deleted')];
await n8n.post(`/rest/workflows/${off.id}/deactivate`, {});
for (const { id } of [archived, deleted]) await n8n.post(`/rest/workflows/${id}/archive`, {});
// n8n refuses that until it has unpublished the workflow.
await until('the deletion', async () => {
	const deletion = n8n.request('DELETE', `/rest/workflows/${deleted.id}`);
	return await deletion.then(
		() => true,
		() => false,
	);
});
// The last one to wait: when it has gone on, the deleted one would have, too.
const left = await waiting('left');
await until('the last one', () => called.includes('/left'), 120_000);
asStated('called', [...called].sort(), ['/archived', '/left', '/off']);
for (const [name, { id }] of Object.entries({ off, archived, left }))
	asStated(`the workflow "${name}" is active`, (await n8n.get(`/rest/workflows/${id}`)).active, name === 'left');
close();
await n8n.stop();
JS
