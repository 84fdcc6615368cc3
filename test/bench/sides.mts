// What a builder would use to send customers: this node, or nodes of n8n's own.
import { DEMO_CANVAS, type Sandbox } from '../sandbox/server.mts';
import { createCredentials } from '../support/credentials.mts';
import type { N8n, Workflow } from '../support/n8n/n8n.mts';
import { actionNode, chain, connectionTo, FROM_ITEM, node, type SavedNode } from '../support/workflows.mts';

/** A node at the end of a workflow, which sends the customers before it. */
export type Side = (sandbox: Sandbox, n8n: N8n) => Promise<SavedNode>;

const CONTINUE = { onError: 'continueRegularOutput' };

export const thisNode =
	(options: Record<string, unknown> = {}, fields: Record<string, unknown> = FROM_ITEM): Side =>
	async (sandbox, n8n) => ({
		...actionNode(await createCredentials(n8n, sandbox), { ...fields, options }),
		...CONTINUE,
	});

/** n8n's HTTP Request node, at 50 a second, with a token that somebody has fetched for it. */
export const httpRequest =
	(id = '={{ $json.id }}', name = '={{ $json.name }}'): Side =>
	async (sandbox) => {
		const { triggerId, secret } = DEMO_CANVAS;
		const headers = { 'trigger-id': triggerId, secret, token: sandbox.account.renewToken(Date.now()) };
		const list = (values: Record<string, string>) => ({
			parameters: Object.entries(values).map(([key, value]) => ({ name: key, value })),
		});
		return await Promise.resolve({
			...node('HTTP', 'n8n-nodes-base.httpRequest', 4.2, {
				method: 'POST',
				url: `${sandbox.url}/logi-flow/webhook/trigger`,
				sendHeaders: true,
				headerParameters: list(headers),
				sendBody: true,
				bodyParameters: list({ Contact_id: id, nick: name }),
				options: { batching: { batch: { batchSize: 50, batchInterval: 1000 } } },
			}),
			...CONTINUE,
		});
	};

export const editFields: Side = async () =>
	await Promise.resolve(
		node('Edit', 'n8n-nodes-base.set', 3.4, {
			assignments: {
				assignments: ['id', 'name'].map((name) => ({
					id: name,
					name,
					value: `={{ $json.${name} }}`,
					type: 'string',
				})),
			},
		}),
	);

/** What both sides of a comparison have in common. */
export const nothing: Side = async () => await Promise.resolve(node('Nothing', 'n8n-nodes-base.noOp', 1, {}));

/**
 * A workflow that makes customers and sends them.
 *
 * @param chunkSize how many of them a loop gives the node at a time
 */
export async function batchOf(
	n8n: N8n,
	count: number,
	last: SavedNode,
	chunkSize?: number,
): Promise<Workflow> {
	const list = `Array.from({ length: ${count} }, (_, i) => ({ id: 'c-' + i, name: 'Customer ' + i }))`;
	const loop = node('Loop', 'n8n-nodes-base.splitInBatches', 3, { batchSize: chunkSize });
	return await n8n.createWorkflow({
		name: `${last.name}, ${count} customers`,
		nodes: [
			node('By hand', 'n8n-nodes-base.manualTrigger', 1, {}),
			node('List', 'n8n-nodes-base.set', 3.4, {
				mode: 'raw',
				jsonOutput: `={{ JSON.stringify({ list: ${list} }) }}`,
			}),
			node('Items', 'n8n-nodes-base.splitOut', 1, { fieldToSplitOut: 'list' }),
			...(chunkSize === undefined ? [] : [loop]),
			last,
		],
		connections:
			chunkSize === undefined
				? chain('By hand', 'List', 'Items', last.name)
				: {
						...chain('By hand', 'List', 'Items', loop.name),
						[loop.name]: { main: [[], connectionTo(last.name).main[0]] },
						[last.name]: connectionTo(loop.name),
					},
	});
}
