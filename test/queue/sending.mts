// Workflows with which workers put customers on canvases: a push starts an execution, and its body holds the customers.
import type { Credentials } from '../support/credentials.mts';
import type { Workflow } from '../support/n8n/n8n.mts';
import { ACKNOWLEDGEMENT, send } from '../support/pushes.mts';
import { actionNode, canvasLocator, node, type SavedNode } from '../support/workflows.mts';
import { DEMO_CANVAS } from '../sandbox/server.mts';
import type { Cluster } from './cluster.mts';

export interface Sending {
	workflow: Workflow;
	/** Starts an execution that sends these customers. */
	launch: (customers: readonly string[]) => Promise<void>;
}

let launched = 0;

/** The action. Each of its calls names the worker that sends it. */
export function sendingNode(
	credentials: Credentials,
	options: Record<string, unknown> = {},
	triggerId = DEMO_CANVAS.triggerId,
): SavedNode {
	return actionNode(credentials, {
		canvas: canvasLocator(triggerId),
		contactId: '={{ $json.id }}',
		nick: 'N',
		additionalFields: { field: [{ name: 'worker', value: '={{ $env.WORKER }}' }] },
		options,
	});
}

/** A workflow that puts the customers of a push on a canvas. */
export async function sendingWorkflow(
	cluster: Cluster,
	credentials: Credentials,
	options: Record<string, unknown> = {},
	triggerId = DEMO_CANVAS.triggerId,
): Promise<Sending> {
	const { workflow, urls } = await cluster.listen(
		// The same list can be pushed again.
		{ simplify: false, options: { ignoreRepeatsMinutes: 0 } },
		{
			after: [
				node('Items', 'n8n-nodes-base.splitOut', 1, { fieldToSplitOut: 'list' }),
				sendingNode(credentials, options, triggerId),
			],
		},
	);
	return {
		workflow,
		launch: async (customers) => {
			const url = urls[launched++ % urls.length] ?? '';
			const list = customers.map((id) => ({ id }));
			const { body } = await send(url, JSON.stringify({ id: `batch-${launched}.`, list }));
			if (body !== ACKNOWLEDGEMENT) throw new Error(`The push was answered ${body}`);
		},
	};
}

/** The worker that sent a call. */
export function workerOf({ raw }: { raw: string }): string {
	return (JSON.parse(raw) as { worker: string }).worker;
}

export const customers = (batch: string, count: number): string[] =>
	Array.from({ length: count }, (_, i) => `${batch}-${i}`);
