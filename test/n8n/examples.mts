// The example workflows of test/workflows, brought into a running n8n with credentials for the sandbox.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DEMO_CANVAS, type Sandbox } from '../sandbox/server.mts';
import type { N8n, Workflow } from './n8n.mts';

export interface SavedNode {
	name: string;
	type: string;
	parameters: Record<string, unknown>;
	webhookId?: string;
	credentials?: Record<string, { id: string; name: string }>;
	[more: string]: unknown;
}

export interface SavedWorkflow {
	name: string;
	nodes: SavedNode[];
	connections: Record<string, unknown>;
	/** what the trigger puts out in the editor until there is a push */
	pinData?: Record<string, Array<{ json: Record<string, unknown> }>>;
	settings?: Record<string, unknown>;
}

/** Credential IDs by the name that a workflow gives them or by type, for a sandbox. */
export type Credentials = Record<string, { id: string; name: string }>;

export const PUSH_SECRET = 'push-secret';

/** One credential of each type, for a sandbox and its first canvas. */
export async function createCredentials(n8n: N8n, sandbox: Sandbox): Promise<Credentials> {
	const { appId, appKey } = sandbox.account.settings;
	return {
		sobotApi: await n8n.createCredential('sobotApi', 'Sobot sandbox', {
			region: 'custom',
			baseUrl: sandbox.url,
			appId,
			appKey,
		}),
		sobotCanvasApi: await n8n.createCredential('sobotCanvasApi', 'Sobot sandbox canvas', {
			triggerId: DEMO_CANVAS.triggerId,
			secret: DEMO_CANVAS.secret,
		}),
		sobotWebhookAppApi: await n8n.createCredential('sobotWebhookAppApi', 'Sobot sandbox webhook app', {
			method: 'query',
			parameterName: 'key',
			secret: PUSH_SECRET,
		}),
	};
}

/** @param name of a file in test/workflows, without `.json` */
export async function readExample(name: string): Promise<SavedWorkflow> {
	const text = await readFile(join(process.cwd(), 'test/workflows', `${name}.json`), 'utf8');
	return JSON.parse(text) as SavedWorkflow;
}

/** An example with some parameters of one of its nodes filled in, as its user would. */
export function fillIn(
	saved: SavedWorkflow,
	name: string,
	parameters: Record<string, unknown>,
): SavedWorkflow {
	if (!saved.nodes.some((node) => node.name === name)) throw new Error(`"${saved.name}" has no "${name}".`);
	const nodes = saved.nodes.map((node) =>
		node.name === name ? { ...node, parameters: { ...node.parameters, ...parameters } } : node,
	);
	return { ...saved, nodes };
}

/** Imports a workflow as n8n would after its user has chosen credentials. */
export async function importWorkflow(
	n8n: N8n,
	saved: SavedWorkflow,
	credentials: Credentials,
): Promise<Workflow> {
	const nodes = saved.nodes.map((node) => ({
		...node,
		credentials: Object.fromEntries(
			Object.entries(node.credentials ?? {}).map(([type, { name }]) => [
				type,
				credentials[name] ?? credentials[type],
			]),
		),
	}));
	return await n8n.createWorkflow({ ...saved, nodes });
}

/** The production URL of a workflow's Sobot trigger. */
export function productionPath(workflow: Workflow): string {
	const trigger = workflow.nodes.find(({ type }) => type === 'n8n-nodes-sobot.sobotWebhookAppTrigger');
	return `${trigger?.webhookId}/webhook`;
}
