#!/usr/bin/env bash
# Stop ends an execution, and leaves the sub-workflow that it waits for running to its end.
#
# Versions  n8n 2.41.1 (Execute Sub-workflow 1.4), regular mode, SQLite, Node.js 24.21.0
# Expected  Whoever stops a campaign that sends from a sub-workflow stops the sending, as its time-out does.
# Real      The execution is canceled at once, and the sub-workflow calls all customers that are left, and succeeds. A time-out of
#           the same execution cancels both. To stop the sending, stop the sub-workflow's own execution in the list.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, items, N8n, recordCalls, to, until } from 'findings';

const { called, url, close } = await recordCalls();
const n8n = await N8n.start();

const CUSTOMERS = 12;
/** Starts a workflow whose sub-workflow calls a customer each second, and waits for the second call. */
async function start(settings) {
	called.length = 0;
	const sub = await n8n.create(
		[
			['When', 'executeWorkflowTrigger', { inputSource: 'passthrough' }, { typeVersion: 1.2 }],
			items(Array.from({ length: CUSTOMERS }, (_, index) => ({ customer: index + 1 }))),
			['Loop', 'splitInBatches', { batchSize: 1, options: {} }, { typeVersion: 3 }],
			['Call', 'httpRequest', { url: `=${url}/{{ $json.customer }}`, options: {} }, { typeVersion: 4.5 }],
			['Pause', 'wait', { amount: 1, unit: 'seconds' }, { typeVersion: 1.1, webhookId: crypto.randomUUID() }],
		],
		{
			connections: {
				When: { main: [[to('Items')]] },
				Items: { main: [[to('Loop')]] },
				Loop: { main: [[], [to('Call')]] },
				Call: { main: [[to('Pause')]] },
				Pause: { main: [[to('Loop')]] },
			},
		},
	);
	await n8n.activate(sub);
	const workflowId = { __rl: true, mode: 'id', value: sub.id };
	const parent = await n8n.create(
		[
			['Start', 'manualTrigger'],
			['Send', 'executeWorkflow', { mode: 'once', workflowId, options: {} }, { typeVersion: 1.4 }],
		],
		{ settings: { executionOrder: 'v1', ...settings } },
	);
	const id = await n8n.launchRun(parent);
	await until('the second call', () => called.length >= 2);
	return { id, sub };
}
const ended = async ({ id, sub }) => {
	const status = async () => (await n8n.executions(sub))[0].status;
	await until('both to end', async () => (await status()) !== 'running' && (await n8n.execution(id)).status !== 'running');
	return { workflow: (await n8n.execution(id)).status, 'sub-workflow': await status() };
};

const stopped = await start();
await n8n.post(`/rest/executions/${stopped.id}/stop`, {});
const before = called.length;
asStated('called before Stop', before, (seen) => seen < 5);
asStated('after Stop', await ended(stopped), { workflow: 'canceled', 'sub-workflow': 'success' });
asStated('called in the end', called.length, CUSTOMERS);

asStated('after a time-out', await ended(await start({ executionTimeout: 3 })), { workflow: 'canceled', 'sub-workflow': 'canceled' });
asStated('called in the end', called.length, (seen) => seen < CUSTOMERS);
close();
await n8n.stop();
JS
