// The n8n that all end-to-end tests share, and a sandbox for each of them.
import type { Runtime } from '../n8n/runtime.mts';
import { N8n, type Execution, type Item, type Workflow } from '../n8n/n8n.mts';
import type { Credentials, SavedNode } from '../n8n/examples.mts';
import { DEMO_CANVAS, type Sandbox } from '../sandbox/server.mts';

export interface UnderTest {
	url: string;
	runtime: Runtime;
	tarball: string;
}

export function underTest(): UnderTest {
	return JSON.parse(process.env.N8N_UNDER_TEST ?? '') as UnderTest;
}

/** Another session with the n8n that runs already. */
export async function connect(): Promise<N8n> {
	return await N8n.connect(underTest().url);
}

/** A workflow: by hand, some items, the action on them. */
export async function actionWorkflow(
	n8n: N8n,
	credentials: Credentials,
	items: Array<Record<string, unknown>>,
	parameters: Record<string, unknown>,
	more: Record<string, unknown> = {},
): Promise<Workflow> {
	const { sobotApi, sobotCanvasApi } = credentials;
	return await n8n.createWorkflow({
		name: 'Action under test',
		nodes: [
			node('By hand', 'n8n-nodes-base.manualTrigger', 1, {}),
			node('List', 'n8n-nodes-base.set', 3.4, { mode: 'raw', jsonOutput: JSON.stringify({ list: items }) }),
			node('Items', 'n8n-nodes-base.splitOut', 1, { fieldToSplitOut: 'list' }),
			{
				...node('Sobot', 'n8n-nodes-sobot.sobotRuleEngine', 1, parameters),
				credentials: { sobotApi, sobotCanvasApi },
				...more,
			},
		],
		connections: chain('By hand', 'List', 'Items', 'Sobot'),
	});
}

export function node(
	name: string,
	type: string,
	typeVersion: number,
	parameters: Record<string, unknown>,
): SavedNode {
	return { id: name, name, type, typeVersion, position: [0, 0], parameters };
}

export function chain(...names: string[]): Record<string, unknown> {
	return Object.fromEntries(
		names
			.slice(0, -1)
			.map((name, index) => [name, { main: [[{ node: names[index + 1], type: 'main', index: 0 }]] }]),
	);
}

/** n8n's own HTTP Request node as it is set for Sobot's canvas trigger: the token comes from the Sobot API credential. */
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
		credentials: { sobotApi: credentials.sobotApi ?? { id: '', name: '' } },
	};
}

/** What a node put out in an execution. */
export function outputOf(execution: Execution, name: string): Item[] {
	return execution.data.resultData.runData[name]?.[0]?.data?.main[0] ?? [];
}
