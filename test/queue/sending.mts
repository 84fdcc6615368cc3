// Customers that workers put on canvases: a push starts an execution, its body carries the list of customers.
import type { Credentials } from '../support/credentials.mts';
import type { Workflow } from '../support/n8n/n8n.mts';
import { send } from '../support/pushes.mts';
import { node } from '../support/workflows.mts';
import { DEMO_CANVAS, type Sandbox } from '../sandbox/server.mts';
import type { Cluster } from './cluster.mts';

export interface Sending {
	workflow: Workflow;
	/** Starts an execution that sends these customers. */
	launch: (customers: readonly string[]) => Promise<void>;
}

let launched = 0;

/** Credentials for a sandbox and one of its canvases. */
export async function credentialsFor(
	{ main }: Cluster,
	sandbox: Sandbox,
	triggerIds = [DEMO_CANVAS.triggerId],
): Promise<Credentials[]> {
	const { appId, appKey } = sandbox.account.settings;
	const sobotApi = await main.createCredential('sobotApi', 'Sobot', {
		region: 'custom',
		baseUrl: sandbox.url,
		appId,
		appKey,
	});
	return await Promise.all(
		triggerIds.map(async (triggerId) => ({
			sobotApi,
			sobotCanvasApi: await main.createCredential('sobotCanvasApi', 'Canvas', {
				triggerId,
				secret: DEMO_CANVAS.secret,
			}),
		})),
	);
}

/** A workflow that sends what it is pushed; each call says which worker it comes from. */
export async function sendingWorkflow(
	cluster: Cluster,
	credentials: Credentials,
	options: Record<string, unknown> = {},
): Promise<Sending> {
	const parameters = {
		contactId: '={{ $json.id }}',
		nick: 'N',
		additionalFields: { field: [{ name: 'worker', value: '={{ $env.WORKER }}' }] },
		options,
	};
	const { workflow, urls } = await cluster.listen(
		{ simplify: false },
		{
			after: [
				node('Items', 'n8n-nodes-base.splitOut', 1, { fieldToSplitOut: 'list' }),
				{ ...node('Sobot', 'n8n-nodes-sobot.sobotRuleEngine', 1, parameters), credentials },
			],
		},
	);
	return {
		workflow,
		launch: async (customers) => {
			const url = urls[launched++ % urls.length] ?? '';
			const list = customers.map((id) => ({ id }));
			const { body } = await send(url, JSON.stringify({ id: `batch-${launched}.`, list }));
			if (body !== '{"code":0,"status":0}') throw new Error(`The push was answered ${body}`);
		},
	};
}

/** Which worker a call came from. */
export function workerOf({ raw }: { raw: string }): string {
	return (JSON.parse(raw) as { worker: string }).worker;
}

export const customers = (batch: string, count: number): string[] =>
	Array.from({ length: count }, (_, i) => `${batch}-${i}`);
