#!/usr/bin/env bash
# The error workflow is told of failures that a workflow deals with, and of others twice.
#
# Versions  n8n 2.41.1 (Execute Sub-workflow 1.3), regular mode, SQLite, Node.js 24.21.0
# Expected  One failure that nobody deals with is one alert. A sub-workflow whose error the calling workflow takes ('Continue') is
#           none, as the same error in a node of its own is none. A run by hand is none.
# Real      A sub-workflow that has an error workflow alerts each time it fails, whatever its caller makes of it, and if its
#           caller was started by hand, too. If the caller fails with it, there are two alerts.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, N8n, recordCalls, until } from 'findings';

const { called, url, close } = await recordCalls();
const n8n = await N8n.start();
const alerts = await n8n.create([
	['On error', 'errorTrigger'],
	['Alert', 'httpRequest', { url: `=${url}/{{ $json.workflow.name }}`, options: {} }, { typeVersion: 4.2 }],
]);
await n8n.activate(alerts);
const settings = { executionOrder: 'v1', errorWorkflow: alerts.id };
const fail = ['Fail', 'set', { mode: 'raw', jsonOutput: '=no JSON: {{ 1 }}', options: {} }, { typeVersion: 3.4 }];
const sub = await n8n.create([['When', 'executeWorkflowTrigger', { inputSource: 'passthrough' }, { typeVersion: 1.2 }], fail], {
	settings,
	name: 'sub',
});
await n8n.activate(sub);
const callSub = ['Call', 'executeWorkflow', { workflowId: { __rl: true, mode: 'id', value: sub.id }, options: {} }, { typeVersion: 1.3 }];
const onError = (node) => [...node.slice(0, 2), node[2], { ...node[3], onError: 'continueRegularOutput' }];

/** The alerts that there are once an execution of this node behind a trigger has ended, with its status. */
async function alertsOf(node, path, expected) {
	called.length = 0;
	const hook = ['Hook', 'webhook', { path, httpMethod: 'POST', responseMode: 'lastNode', options: {} }, { typeVersion: 2 }];
	let status;
	if (path) {
		const caller = await n8n.create([hook, node], { settings, name: 'caller' });
		await n8n.activate(caller, path);
		await fetch(`${n8n.url}/webhook/${path}`, { method: 'POST' });
		({ status } = (await n8n.executions(caller))[0]);
	} else ({ status } = await n8n.run([node], { settings, name: 'caller' }));
	await until('the alerts', () => called.length >= expected);
	// A later failure of another workflow: what was to come before has come when its alert is here.
	const last = await n8n.create([[...hook.slice(0, 2), { ...hook[2], path: 'last' }, hook[3]], fail], { settings, name: 'last' });
	await n8n.activate(last, 'last');
	await fetch(`${n8n.url}/webhook/last`, { method: 'POST' });
	await until('the last alert', () => called.includes('/last'));
	await n8n.post(`/rest/workflows/${last.id}/deactivate`, {});
	return { status, alerts: called.filter((one) => one !== '/last').sort() };
}

asStated("node, 'Continue'", await alertsOf(onError(fail), 'node', 0), { status: 'success', alerts: [] });
asStated('node, by hand', await alertsOf(fail, '', 0), { status: 'error', alerts: [] });
asStated("sub-workflow, 'Continue'", await alertsOf(onError(callSub), 'taken', 1), { status: 'success', alerts: ['/sub'] });
asStated('sub-workflow, by hand', await alertsOf(callSub, '', 1), { status: 'error', alerts: ['/sub'] });
asStated('sub-workflow', await alertsOf(callSub, 'not-taken', 2), { status: 'error', alerts: ['/caller', '/sub'] });
close();
await n8n.stop();
JS
