#!/usr/bin/env bash
# A wait of a minute does not survive a restart of n8n; one that is six seconds longer does.
#
# Versions  n8n 2.41.1, regular mode, SQLite, Node.js 24.21.0
# Expected  After an ordinary restart (SIGTERM), n8n goes on with both where they were.
# Real      n8n keeps a wait of less than 65 s in memory. At SIGTERM it waits 30 s for it and then exits; the execution is
#           crashed, and what was to follow the wait never happens. The one of 66 s goes on after the restart.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, N8n, recordCalls, until, waitAndCall } from 'findings';

const { called, url, close } = await recordCalls();
const n8n = await N8n.start();
async function workflowFor(path, amount) {
	const [hook, [name, type, parameters, rest], call] = waitAndCall(path, `${url}/${path}`);
	const workflow = await n8n.create([hook, [name, type, { ...parameters, amount }, rest], call]);
	await n8n.activate(workflow, path);
	await fetch(`${n8n.url}/webhook/${path}`, { method: 'POST' });
	return workflow;
}
const [short, long] = [await workflowFor('sixty', 60), await workflowFor('sixty-six', 66)];
const statusOf = async (workflow) => (await n8n.executions(workflow))[0]?.status;
await until('the longer wait', async () => (await statusOf(long)) === 'waiting');
asStated('status of the shorter wait', await statusOf(short), 'running');
await n8n.restart();
await until('the longer one', async () => (await statusOf(long)) === 'success', 120_000);
asStated('status of the shorter wait after the restart', await statusOf(short), 'crashed');
asStated('called', called, ['/sixty-six']);
close();
await n8n.stop();
JS
