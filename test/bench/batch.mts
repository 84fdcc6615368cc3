// One batch of customers in a real n8n, sent by this node or by an alternative, and the record of the sandbox.
import { actionWorkflow, FROM_ITEM, httpRequestNode, itemsWorkflow } from '../support/workflows.mts';
import { createCredentials, type Credentials } from '../support/credentials.mts';
import type { N8n, Workflow } from '../support/n8n/n8n.mts';
import type { Misbehaviour, Span } from '../sandbox/misbehaviour.mts';
import { Sandbox, type TriggerRecord } from '../sandbox/server.mts';

export const ITEMS = 1000;
export const ROUNDS = 3;
export const ON_THE_WAY: Span = { minMs: 20, maxMs: 50 };

/** The record of the sandbox for one run. */
export interface Seen {
	accepted: number;
	twice: number;
	refusedShare: number;
	tokens: number;
	/** accepted calls a second, from the first to the last of them */
	perSecond: number;
}

export function seenBy(sandbox: Sandbox): Seen {
	const calls = sandbox.triggerCalls.filter(({ triggerId }) => triggerId !== '');
	const { accepted } = sandbox;
	const times = accepted.map(({ arrivedAtMs }) => arrivedAtMs);
	const seconds = (Math.max(...times) - Math.min(...times)) / 1000;
	return {
		accepted: accepted.length,
		twice: accepted.length - new Set(accepted.map(({ contactId }) => contactId)).size,
		refusedShare: calls.filter(({ code }) => code !== '000000').length / calls.length,
		tokens: sandbox.tokenCalls.length,
		perSecond: (accepted.length - 1) / seconds,
	};
}

const customers = Array.from({ length: ITEMS }, (_, i) => ({ id: `c-${i}`, name: `Customer ${i}` }));

export async function thisNode(
	n8n: N8n,
	credentials: Credentials,
	count = ITEMS,
	options: Record<string, unknown> = {},
): Promise<Workflow> {
	const parameters = { ...FROM_ITEM, options };
	return await actionWorkflow(n8n, credentials, customers.slice(0, count), parameters, {
		onError: 'continueRegularOutput',
	});
}

/** n8n's HTTP Request node as well as it can be set for Sobot: the token from the credential, 50 items each second. */
export async function httpRequestWorkflow(
	n8n: N8n,
	credentials: Credentials,
	sandbox: Sandbox,
	batching = true,
): Promise<Workflow> {
	const jsonBody = '={{ JSON.stringify({ Contact_id: $json.id, nick: $json.name }) }}';
	const options = batching ? { batching: { batch: { batchSize: 50, batchInterval: 1000 } } } : {};
	return await itemsWorkflow(n8n, customers, {
		...httpRequestNode(sandbox, credentials, jsonBody, options),
		onError: 'continueRegularOutput',
	});
}

/** A run in n8n against a new sandbox, with a fresh credential. */
export async function measure(
	n8n: N8n,
	misbehaviour: Partial<Misbehaviour>,
	make: (credentials: Credentials, sandbox: Sandbox) => Promise<Workflow>,
	callsPerSecond = 50,
): Promise<Seen & { calls: TriggerRecord[] }> {
	const sandbox = await Sandbox.start();
	try {
		sandbox.canvas().callsPerSecond = callsPerSecond;
		const credentials = await createCredentials(n8n, sandbox);
		const workflow = await make(credentials, sandbox);
		sandbox.misbehave({ on: 'trigger', ...misbehaviour });
		await n8n.execute(workflow, 2000);
		return { ...seenBy(sandbox), calls: sandbox.triggerCalls };
	} finally {
		await sandbox.close();
	}
}
