// The example workflows of docs/examples, imported into an n8n as a user imports them.
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Credentials } from './credentials.mts';
import type { N8n, Workflow } from './n8n/n8n.mts';
import type { Canvas } from '../sandbox/account.mts';
import { DEMO_CANVAS } from '../sandbox/server.mts';
import { TRIGGER } from './nodeTypes.mts';
import type { SavedNode } from './workflows.mts';

export interface SavedWorkflow {
	name: string;
	nodes: SavedNode[];
	connections: Record<string, unknown>;
	/** the trigger's output in the editor until there is a push */
	pinData?: Record<string, Array<{ json: Record<string, unknown> }>>;
	settings?: Record<string, unknown>;
}

/** @param name of a file in docs/examples, without `.json` */
export async function readExample(name: string): Promise<SavedWorkflow> {
	const text = await readFile(join(process.cwd(), 'docs/examples', `${name}.json`), 'utf8');
	return JSON.parse(text) as SavedWorkflow;
}

/** An example with some parameters of one of its nodes filled in, as its user would. */
export function fillIn(
	saved: SavedWorkflow,
	name: string,
	parameters: Record<string, unknown>,
): SavedWorkflow {
	const node = saved.nodes.find((one) => one.name === name);
	return changeNode(saved, name, { parameters: { ...node?.parameters, ...parameters } });
}

/** An example with some fields of one of its nodes changed, such as its settings. */
export function changeNode(saved: SavedWorkflow, name: string, fields: Partial<SavedNode>): SavedWorkflow {
	if (!saved.nodes.some((node) => node.name === name)) throw new Error(`"${saved.name}" has no "${name}".`);
	const nodes = saved.nodes.map((node) => (node.name === name ? { ...node, ...fields } : node));
	return { ...saved, nodes };
}

/** Nodes with a URL of their own. The examples fix none: n8n's editor gives each import another. */
const WITH_URL = [TRIGGER.type, '@n8n/n8n-nodes-langchain.chatTrigger'];

/**
 * Imports a workflow, as n8n's editor would after its user has chosen credentials and canvases.
 *
 * @param credentials by type, or by the name that the workflow gives them
 * @param canvases by node; the sandbox's first canvas for all others
 */
export async function importWorkflow(
	n8n: N8n,
	saved: SavedWorkflow,
	credentials: Credentials,
	canvases: Record<string, Canvas> = {},
): Promise<Workflow> {
	const nodes = saved.nodes.map((node) => ({
		...node,
		...(WITH_URL.includes(node.type) ? { webhookId: randomUUID() } : {}),
		parameters: isCanvasEmpty(node)
			? { ...node.parameters, canvas: chosenFromList(canvases[node.name] ?? DEMO_CANVAS) }
			: node.parameters,
		credentials: Object.fromEntries(
			Object.entries(node.credentials ?? {}).map(([type, { name }]) => [
				type,
				credentials[name] ?? credentials[type],
			]),
		),
	}));
	return await n8n.createWorkflow({ ...saved, nodes });
}

/** The value of the action's 'Canvas' for a canvas that was chosen from the list. */
function chosenFromList({ triggerId, name }: Canvas) {
	return { __rl: true, mode: 'list', value: triggerId, cachedResultName: name };
}

/** An example names no canvas: its user chooses one. */
function isCanvasEmpty({ parameters }: SavedNode): boolean {
	const canvas = parameters.canvas as { value?: unknown } | undefined;
	return canvas?.value === '';
}
