// A batch that a push starts, and that is cut off: only what started by itself, n8n can retry after a crash.
import type { Sandbox } from '../sandbox/server.mts';
import { acceptedOf, CUSTOMERS, customersOf } from './kills.mts';
import type { Workflow } from './n8n/n8n.mts';
import { ACKNOWLEDGEMENT, send } from './pushes.mts';
import { node } from './workflows.mts';

/** The trigger's parameters: the same list is pushed again. */
export const PUSHED_AGAIN = { simplify: false, options: { ignoreRepeatsMinutes: 0 } };

/** Makes an item of each customer of the list. */
export const ITEMS_OF_LIST = node('Items', 'n8n-nodes-base.splitOut', 1, { fieldToSplitOut: 'list' });

export class Cut {
	constructor(
		private readonly sandbox: Sandbox,
		readonly batch: string,
		readonly workflow: Workflow,
		private readonly url: string,
		private readonly count = CUSTOMERS,
	) {}

	get accepted(): number {
		return acceptedOf(this.sandbox, this.batch);
	}

	async launch(): Promise<void> {
		const list = customersOf(this.batch, this.count);
		const { body } = await send(this.url, JSON.stringify({ id: 'x', list }));
		expect(body).toBe(ACKNOWLEDGEMENT);
	}
}
