// What tests of the action have in common: customers, the parameters that put them on a canvas, and n8n's Retry of the same.
import type { INodeExecutionData, IRun } from 'n8n-workflow';
import { DEMO_CANVAS } from '../sandbox/server.mts';
import { retry, runAction, type ActionRun } from './runAction.mts';
import type { StoredCredentials } from './storedCredentials.mts';

/** The value of 'Canvas': a trigger ID, or the name of a canvas in the credential. */
export const canvas = (value: string) => ({ __rl: true, mode: 'id', value });

/** The action's parameters: each customer is put on the demo canvas. */
export const DEFINED = {
	canvas: canvas(DEMO_CANVAS.triggerId),
	contactId: '={{ $json.id }}',
	nick: '={{ $json.name }}',
};

export const CONTINUE = { onError: 'continueRegularOutput' } as const;
export const RETRY_ON_FAIL = { retryOnFail: true, maxTries: 3, waitBetweenTries: 1 };

/** One item for each contact ID. */
export const people = (...ids: string[]) => ids.map((id) => ({ json: { id, name: `N ${id}` } }));

/** Customers with the contact IDs from 0 on. */
export const crowd = (count: number) => people(...Array.from({ length: count }, (_, i) => `${i}`));

/** Puts customers on a canvas. */
export async function runDefined(
	credentials: StoredCredentials,
	items: INodeExecutionData[],
	more: Partial<ActionRun> = {},
): Promise<IRun> {
	return await runAction({ items, parameters: DEFINED, credentials, ...more });
}

/** n8n's Retry of an execution that has failed: it has the items. */
export async function retryDefined(
	credentials: StoredCredentials,
	failed: IRun,
	more: Partial<ActionRun> = {},
): Promise<IRun> {
	return await retry(failed, { items: [], parameters: DEFINED, credentials, ...more });
}
