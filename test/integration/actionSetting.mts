// The setting of a test file about the action: a Sobot, a credential for it, and executions of the action with both.
import type { IRun } from 'n8n-workflow';
import { Sandbox } from '../sandbox/server.mts';
import { sobotApiFields } from '../support/credentials.mts';
import { DEFINED, people } from './customers.mts';
import { outcomeOf, retry, runAction, runForAgent, type ActionRun } from './runAction.mts';
import type { StoredCredentials } from './storedCredentials.mts';

interface Setting<Credentials extends StoredCredentials> {
	sandbox: Sandbox;
	credentials: Credentials;
}

/** A new setting for each test. The functions use that of the test that runs. */
export function shareAction<Credentials extends StoredCredentials>(createCredentials: () => Credentials) {
	const setting = {} as Setting<Credentials>;

	/** The Sobot API credential, with a row for each canvas of the sandbox. */
	const account = (more: Record<string, unknown> = {}) =>
		sobotApiFields(setting.sandbox, { baseUrl: `${setting.sandbox.url}/`, ...more });

	beforeEach(async () => {
		setting.sandbox = await Sandbox.start();
		setting.credentials = createCredentials();
		setting.credentials.add('sobotApi', account());
	});
	afterEach(async () => await setting.sandbox.close());

	const action = (items: ActionRun['items'], more: Partial<ActionRun>): ActionRun => ({
		items,
		parameters: DEFINED,
		credentials: setting.credentials,
		...more,
	});
	/** Puts customers on a canvas: three of them, unless the test has others. */
	const start = async (more: Partial<ActionRun> = {}): Promise<IRun> =>
		await runAction(action(people('1', '2', '3'), more));
	/** n8n's Retry of an execution that has failed: it has the items. */
	const retried = async (failed: IRun, more: Partial<ActionRun> = {}): Promise<IRun> =>
		await retry(failed, action([], more));
	/** Puts one customer on a canvas, as a tool of n8n's Agents. */
	const forAgent = async (more: Partial<ActionRun> = {}) => await runForAgent(action(people('1'), more));
	const run = async (more: Partial<ActionRun> = {}) => outcomeOf(await start(more));

	/** How often Sobot has accepted, or received, the customers with these contact IDs. */
	const timesAccepted = (...ids: string[]) => timesIn(setting.sandbox.accepted, ids);
	const timesSent = (...ids: string[]) => timesIn(setting.sandbox.triggerCalls, ids);

	return Object.assign(setting, { account, start, retried, forAgent, run, timesAccepted, timesSent });
}

function timesIn(calls: ReadonlyArray<{ contactId: string }>, ids: readonly string[]): number[] {
	return ids.map((id) => calls.filter(({ contactId }) => contactId === id).length);
}
