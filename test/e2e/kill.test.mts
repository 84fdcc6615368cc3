// n8n killed in the middle of a batch, and the same customers again: by a new execution with an idempotency key, and by
// n8n's Retry without one. Nobody twice, nobody missing; at most those whose call left in the last second are in doubt.
import { createCredentials, type Credentials } from '../support/credentials.mts';
import { N8n, type Execution, type Workflow } from '../support/n8n/n8n.mts';
import { Sandbox } from '../sandbox/server.mts';
import { printTable } from '../support/table.mts';
import { underTest } from '../support/underTest.mts';
import { until } from '../support/until.mts';
import { ACKNOWLEDGEMENT, send } from '../support/pushes.mts';
import { actionNode, actionWorkflow, FROM_ITEM, listen, node, outputOf } from '../support/workflows.mts';

jest.setTimeout(300_000);

const COUNT = 250;
const MOST_IN_DOUBT = 60;
/** Kills of each kind: as many as it takes to see a fault; more for the documents' figures. */
const KILLS = Number(process.env.KILLS ?? 1);
const figures: string[][] = [];

let n8n: N8n;
let sandbox: Sandbox;
let credentials: Credentials;

beforeAll(async () => {
	const { runtime, tarball } = underTest();
	n8n = await N8n.start({ runtime, tarball });
	sandbox = await Sandbox.start();
	credentials = await createCredentials(n8n, sandbox);
});
afterAll(async () => {
	await n8n.stop();
	await sandbox.close();
	printTable('kills', ['Again by', 'Killed at', 'In doubt', 'Twice', 'Missing'], figures);
});

async function workflowOf(batch: string, options: Record<string, unknown>): Promise<Workflow> {
	const customers = Array.from({ length: COUNT }, (_, i) => ({ id: `${batch}-${i}`, name: 'N' }));
	return await actionWorkflow(n8n, credentials, customers, { ...FROM_ITEM, options });
}

/** Starts the workflow, and kills n8n once this many customers are on the canvas. */
async function killAt(workflow: Workflow, accepted: number): Promise<void> {
	await n8n.launch(workflow);
	await until(`${accepted} customers`, () => sandbox.accepted.length >= accepted);
	await n8n.stop({ keepUserFolder: true, signal: 'SIGKILL' });
	n8n = await n8n.restart();
}

/** Compares what the second run reports with what the sandbox saw. */
function expectTruth(how: string, killedAt: number, batch: string, second: Execution): void {
	const items = outputOf(second, 'Sobot');
	expect(items.length).toBe(COUNT);
	const times = new Map<string, number>();
	for (const { contactId } of sandbox.accepted) times.set(contactId, (times.get(contactId) ?? 0) + 1);
	const inDoubt = items.filter(({ json }) => json.outcome === 'unknown').map(({ json }) => json.contactId);
	const missing = Array.from({ length: COUNT }, (_, i) => `${batch}-${i}`).filter(
		(id) => !times.has(id) && !inDoubt.includes(id),
	);
	const twice = [...times.values()].filter((count) => count > 1).length;
	figures.push([how, `${killedAt}`, `${inDoubt.length}`, `${twice}`, `${missing.length}`]);
	expect([twice, missing]).toEqual([0, []]);
	expect(inDoubt.length).toBeLessThanOrEqual(MOST_IN_DOUBT);
	for (const { json } of items) {
		expect(['accepted', 'alreadySent', 'unknown']).toContain(json.outcome);
	}
}

/** At random, but not after the end. */
const moments = Array.from({ length: KILLS }, () => 1 + Math.floor(Math.random() * (COUNT - 60)));

test.each(moments)(
	'with an idempotency key, killed at %i: a new execution sends the rest',
	async (accepted) => {
		sandbox.forget();
		const batch = `key${accepted}`;
		const options = { idempotencyKey: '={{ "spring " + $json.id }}', unknownOutcome: 'treatAsSent' };
		const workflow = await workflowOf(batch, options);
		await killAt(workflow, accepted);
		expectTruth('a new execution', accepted, batch, await n8n.execute(workflow));
	},
);

// Only what started by itself can be retried after a crash: of a run by hand, n8n stores nothing to start from.
test.each(moments)('without a key, killed at %i: Retry sends the rest', async (accepted) => {
	sandbox.forget();
	const batch = `retry${accepted}`;
	const action = actionNode(credentials, { ...FROM_ITEM, options: { unknownOutcome: 'treatAsSent' } });
	const { workflow, url } = await listen(
		n8n,
		{ simplify: false },
		{ after: [node('Items', 'n8n-nodes-base.splitOut', 1, { fieldToSplitOut: 'list' }), action] },
	);
	const list = Array.from({ length: COUNT }, (_, i) => ({ id: `${batch}-${i}`, name: 'N' }));
	expect((await send(url, JSON.stringify({ id: 'x', list }))).body).toBe(ACKNOWLEDGEMENT);
	await until(`${accepted} customers`, () => sandbox.accepted.length >= accepted);
	await n8n.stop({ keepUserFolder: true, signal: 'SIGKILL' });
	n8n = await n8n.restart();
	let [crashed] = await n8n.executions(workflow);
	// n8n 1 looks for what it has left behind a while after its start.
	await until(
		'n8n to call it crashed',
		async () => {
			[crashed] = await n8n.executions(workflow);
			return crashed?.status === 'crashed';
		},
		120_000,
	);
	expectTruth('Retry', accepted, batch, await n8n.retry(crashed?.id ?? '', false));
});
