#!/usr/bin/env bash
# n8n keeps 10,000 executions in all: a busy trigger takes the failed ones of other workflows, and their Retry, with it.
#
# Versions  n8n 2.41.1 with EXECUTIONS_DATA_PRUNE_MAX_COUNT=10 (10,000 by default) and
#           EXECUTIONS_DATA_PRUNE_SOFT_DELETE_INTERVAL=1, regular mode, SQLite, Node.js 24.21.0
# Expected  EXECUTIONS_DATA_MAX_AGE is 14 days: a failed execution can be retried for that long, whatever other workflows do.
# Real      n8n keeps the latest 10,000 executions of all workflows together. The failed one is gone once others have run that
#           often, and Retry answers 404: with 278 pushes a second after 36 s, plus up to an hour until n8n prunes. Executions
#           that n8n is not to keep ("Save successful production executions") do not count.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, N8n, until } from 'findings';

const n8n = await N8n.start({
	EXECUTIONS_DATA_PRUNE_MAX_COUNT: '10',
	EXECUTIONS_DATA_PRUNE_SOFT_DELETE_INTERVAL: '1',
	N8N_LOG_LEVEL: 'debug',
});
async function workflowFor(path, node, settings = {}) {
	const workflow = await n8n.create(
		[['Hook', 'webhook', { path, httpMethod: 'POST', options: {} }, { typeVersion: 2 }], node],
		{ settings: { executionOrder: 'v1', ...settings } },
	);
	await n8n.activate(workflow, path);
	return workflow;
}
const push = async (path) => await fetch(`${n8n.url}/webhook/${path}`, { method: 'POST' });

const campaign = await workflowFor('campaign', ['Fail', 'stopAndError', { errorMessage: 'Stopped on purpose' }]);
const busy = await workflowFor('busy', ['Next', 'noOp']);
await push('campaign');
const failed = await until('the failure', async () => (await n8n.executions(campaign)).find(({ status }) => status === 'error'));
// Those that n8n is not to keep do not count.
await workflowFor('unkept', ['Next', 'noOp'], { saveDataSuccessExecution: 'none' });
for (let i = 0; i < 12; i++) await push('unkept');
const looked = () => n8n.log.split('Found no executions to soft-delete').length;
const before = looked();
await until('n8n to look for executions to prune', () => looked() > before, 150_000, 1000);
asStated('failed executions after 12 that are not kept', (await n8n.executions(campaign)).length, 1);
for (let i = 0; i < 12; i++) await push('busy');
await until('the pushes', async () => (await n8n.executions(busy)).length >= 12);
await until('the pruning', async () => (await n8n.executions(campaign)).length === 0, 150_000, 1000);
asStated('executions of the busy workflow', (await n8n.executions(busy)).length, 10);
const retry = await n8n
	.post(`/rest/executions/${failed.id}/retry`, { loadWorkflow: false })
	.then(() => 'taken', (error) => /answered (\d+)/.exec(error.message)?.[1]);
asStated('Retry of the failed execution', retry, '404');
await n8n.stop();
JS
