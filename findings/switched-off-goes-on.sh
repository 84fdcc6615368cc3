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
import { asStated, N8n, recordCalls, until, waitAndCall } from 'findings';

const { called, url, close } = await recordCalls();
const n8n = await N8n.start();
const waiting = async (path) =>
	await n8n.pushToWait(await n8n.create(waitAndCall(path, `${url}/${path}`)), path);

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
