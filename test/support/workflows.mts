// Builds workflows around this package's nodes, and reads the output of their executions.
import { randomUUID } from 'node:crypto';
import { DEMO_CANVAS, type Sandbox } from '../sandbox/server.mts';
import type { CredentialReference, Credentials } from './credentials.mts';
import type { Execution, Item, N8n, Workflow } from './n8n/n8n.mts';
import { ACTION, TRIGGER } from './nodeTypes.mts';
import { until } from './until.mts';

export interface SavedNode {
	name: string;
	type: string;
	parameters: Record<string, unknown>;
	webhookId?: string;
	credentials?: Credentials;
	[more: string]: unknown;
}

/** A node as a workflow saves it. */
export function node<Parameters extends object>(
	name: string,
	type: string,
	typeVersion: number,
	parameters: Parameters,
) {
	const position: [x: number, y: number] = [0, 0];
	return { id: name, name, type, typeVersion, position, parameters };
}

/** The connection from a node to the next one. */
export function connectionTo(name = '') {
	return { main: [[{ node: name, type: 'main' as const, index: 0 }]] };
}

/** The connections of nodes in a row. */
export function chain(...names: string[]): Record<string, ReturnType<typeof connectionTo>> {
	return Object.fromEntries(names.slice(0, -1).map((name, index) => [name, connectionTo(names[index + 1])]));
}

/** The action's parameters for items with `id` and `name`. */
export const FROM_ITEM = { contactId: '={{ $json.id }}', nick: '={{ $json.name }}' };

/** The value of the action's 'Canvas' for a canvas that was chosen by ID or by an expression. */
export function canvasLocator(triggerIdOrName: string) {
	return { __rl: true, mode: 'id', value: triggerIdOrName };
}

/** The action that puts customers on the sandbox's first canvas, or on the one in `parameters.canvas`. */
export function actionNode(credentials: Credentials, parameters: Record<string, unknown>): SavedNode {
	const { sobotApi } = credentials;
	const all = { canvas: canvasLocator(DEMO_CANVAS.triggerId), ...parameters };
	return {
		...node('Sobot', ACTION.type, ACTION.typeVersion, all),
		credentials: pick({ sobotApi }),
	};
}

/** The action's output for a customer that Sobot has accepted. */
export function accepted(contactId: string) {
	return { contactId, outcome: 'accepted', ret_code: '000000', reason: '' };
}

/** A workflow: manual trigger, some items, the action on them. */
export async function actionWorkflow(
	n8n: N8n,
	credentials: Credentials,
	items: Array<Record<string, unknown>>,
	parameters: Record<string, unknown>,
	more: Record<string, unknown> = {},
): Promise<Workflow> {
	return await itemsWorkflow(n8n, items, { ...actionNode(credentials, parameters), ...more });
}

/** A workflow: manual trigger, some items, a node on them. */
export async function itemsWorkflow(
	n8n: N8n,
	items: Array<Record<string, unknown>>,
	last: SavedNode,
	settings: Record<string, unknown> = {},
): Promise<Workflow> {
	return await n8n.createWorkflow({
		name: `${last.name} under test`,
		settings,
		nodes: [
			node('By hand', 'n8n-nodes-base.manualTrigger', 1, {}),
			node('List', 'n8n-nodes-base.set', 3.4, { mode: 'raw', jsonOutput: JSON.stringify({ list: items }) }),
			node('Items', 'n8n-nodes-base.splitOut', 1, { fieldToSplitOut: 'list' }),
			last,
		],
		connections: chain('By hand', 'List', 'Items', last.name),
	});
}

/** The action that answers a push. */
export function acknowledge(outcome = 'success', name = 'Answer') {
	return node(name, ACTION.type, ACTION.typeVersion, {
		resource: 'webhookApp',
		operation: 'acknowledge',
		outcome,
	});
}

/** n8n's own HTTP Request node, set up for Sobot's canvas trigger with the Sobot API credential. */
export function httpRequestNode(
	sandbox: Sandbox,
	credentials: Credentials,
	jsonBody: string,
	options: Record<string, unknown> = {},
): SavedNode {
	const parameters = {
		method: 'POST',
		url: `${sandbox.url}/logi-flow/webhook/trigger`,
		authentication: 'predefinedCredentialType',
		nodeCredentialType: 'sobotApi',
		sendHeaders: true,
		headerParameters: {
			parameters: [
				{ name: 'trigger-id', value: DEMO_CANVAS.triggerId },
				{ name: 'secret', value: DEMO_CANVAS.secret },
			],
		},
		sendBody: true,
		specifyBody: 'json',
		jsonBody,
		options,
	};
	return {
		...node('HTTP', 'n8n-nodes-base.httpRequest', 4.2, parameters),
		credentials: pick({ sobotApi: credentials.sobotApi }),
	};
}

/** The output of a node in its last run. After a crash, n8n can have written a run before that. */
export function outputOf(execution: Execution, name: string): Item[] {
	return execution.data.resultData.runData[name]?.at(-1)?.data?.main[0] ?? [];
}

export interface Behind {
	credentials?: Credentials;
	after?: SavedNode[];
	settings?: Record<string, unknown>;
	/** beside that chain */
	more?: { nodes: SavedNode[]; connections: Record<string, unknown> };
}

/** A workflow that starts with the trigger, not activated yet. */
export async function pushWorkflow(
	n8n: N8n,
	parameters: Record<string, unknown> = {},
	{
		credentials = {},
		after = [node('Next', 'n8n-nodes-base.noOp', 1, {})],
		settings = {},
		more = { nodes: [], connections: {} },
	}: Behind = {},
): Promise<Workflow> {
	const push = node('Push', TRIGGER.type, TRIGGER.typeVersion, parameters);
	return await n8n.createWorkflow({
		name: 'Trigger under test',
		nodes: [{ ...push, webhookId: randomUUID(), credentials }, ...after, ...more.nodes],
		connections: { ...chain('Push', ...after.map(({ name }) => name)), ...more.connections },
		settings,
	});
}

/** The production URL of a workflow's Sobot trigger. */
export function productionPath(workflow: Workflow): string {
	const trigger = workflow.nodes.find(({ type }) => type === TRIGGER.type);
	return `${trigger?.webhookId}/webhook`;
}

export interface Listening {
	workflow: Workflow;
	/** the production URL */
	url: string;
	/** executions that have ended, the latest first */
	ended: () => Promise<Array<{ id: string; status: string }>>;
}

/** A workflow that starts with the trigger, activated. */
export async function listen(
	n8n: N8n,
	parameters?: Record<string, unknown>,
	behind?: Behind,
): Promise<Listening> {
	const workflow = await pushWorkflow(n8n, parameters, behind);
	await n8n.activate(workflow, productionPath(workflow));
	const url = `${n8n.url}/webhook/${productionPath(workflow)}`;
	return { workflow, url, ended: async () => await executionsEnded(n8n, workflow) };
}

/** A workflow's executions once all have ended, the latest first. Their data are not read, so it costs n8n little. */
export async function executionsEnded(
	n8n: N8n,
	workflow: Workflow,
	withinMs?: number,
	everyMs?: number,
): ReturnType<N8n['executions']> {
	const haveEnded = async () =>
		(await n8n.executions(workflow)).every(({ status }) => !['new', 'running'].includes(status));
	await until('executions to end', haveEnded, withinMs, everyMs);
	return await n8n.executions(workflow);
}

/** The credentials that are defined. */
function pick(credentials: Record<string, CredentialReference | undefined>): Credentials {
	return Object.fromEntries(Object.entries(credentials).flatMap(([type, one]) => (one ? [[type, one]] : [])));
}
