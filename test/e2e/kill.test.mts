// n8n killed at a random moment in the middle of two batches, one with idempotency keys and one without, and the same
// customers again: by a new execution or n8n's Retry with a key, by Retry without one. KILLS=20 kills it 20 times.
import { join } from 'node:path';
import { createCredentials, type Credentials } from '../support/credentials.mts';
import {
	acceptedOf,
	CUSTOMERS,
	customersOf,
	cutOffNode,
	expectTruth,
	KEY,
	killsOf,
	moments,
	reportKills,
	truthOf,
	untilMoment,
	type Kill,
} from '../support/kills.mts';
import { Crm } from '../support/crm.mts';
import { thisN8n } from '../support/differences.mts';
import { fillIn, importWorkflow, readExample } from '../support/examples.mts';
import { N8n, type Execution, type Workflow } from '../support/n8n/n8n.mts';
import { DEMO_CANVAS, QUIET_CANVAS, Sandbox } from '../sandbox/server.mts';
import { ACKNOWLEDGEMENT, send } from '../support/pushes.mts';
import { run } from '../support/processes.mts';
import { underTest } from '../support/underTest.mts';
import { until } from '../support/until.mts';
import { listen, node, outputOf, productionPath, type SavedNode } from '../support/workflows.mts';

jest.setTimeout(300_000);

let n8n: N8n;
let sandbox: Sandbox;
let credentials: Credentials;
const kills: Kill[] = [];

beforeAll(async () => {
	const { runtime, tarball } = underTest();
	n8n = await N8n.start({ runtime, tarball });
	sandbox = await Sandbox.start();
	credentials = await createCredentials(n8n, sandbox);
});
afterAll(async () => {
	await n8n.stop();
	await sandbox.close();
	reportKills('kills of one n8n', kills);
});
beforeEach(() => sandbox.forget());

/** A batch that a push starts: only what started by itself, n8n can retry after a crash. */
class Cut {
	private constructor(
		readonly batch: string,
		private readonly workflow: Workflow,
		private readonly url: string,
	) {}

	/** @param after the nodes behind the action */
	static async create(batch: string, action: SavedNode, after: SavedNode[] = []): Promise<Cut> {
		const split = node('Items', 'n8n-nodes-base.splitOut', 1, { fieldToSplitOut: 'list' });
		const { workflow, url } = await listen(n8n, { simplify: false }, { after: [split, action, ...after] });
		return new Cut(batch, workflow, url);
	}

	async launch(): Promise<void> {
		const { body } = await send(this.url, JSON.stringify({ id: 'x', list: customersOf(this.batch) }));
		expect(body).toBe(ACKNOWLEDGEMENT);
	}

	/** A new execution with the same customers. */
	async again(): Promise<Execution> {
		await n8n.untilListening(productionPath(this.workflow));
		const before = (await n8n.executions(this.workflow)).map(({ id }) => id);
		await this.launch();
		let started: string | undefined;
		await until('the new execution', async () => {
			started = (await n8n.executions(this.workflow)).find(({ id }) => !before.includes(id))?.id;
			return started !== undefined;
		});
		return await n8n.finished(started ?? '');
	}

	/** n8n's Retry, once n8n calls the execution crashed: n8n 1 looks for such a while after its start. */
	async retry(): Promise<Execution> {
		return await n8n.retry(await this.crashed(), false);
	}

	/** Waits for the ID of the crashed execution. */
	async crashed(): Promise<string> {
		let crashed: { id: string; status: string } | undefined;
		await until(
			'n8n to call it crashed',
			async () => {
				[crashed] = await n8n.executions(this.workflow);
				return crashed?.status === 'crashed';
			},
			120_000,
		);
		return crashed?.id ?? '';
	}
}

test.each(moments(killsOf(20)).map((moment, index): [number, number] => [moment, index]))(
	'killed after %i ms (%i): the rest is sent, nobody twice',
	async (moment, index) => {
		const withKey = await Cut.create(`k${index}x`, cutOffNode(credentials, DEMO_CANVAS.triggerId, KEY));
		const without = await Cut.create(`w${index}x`, cutOffNode(credentials, QUIET_CANVAS.triggerId));
		await Promise.all([withKey.launch(), without.launch()]);
		await untilMoment(sandbox, [withKey.batch, without.batch], moment);
		await n8n.stop({ keepUserFolder: true, signal: 'SIGKILL' });
		n8n = await n8n.restart();
		const before = [withKey, without].map(({ batch }) => acceptedOf(sandbox, batch));
		const isRetried = index % 2 === 1;
		const [first, second] = await Promise.all([
			isRetried ? withKey.retry() : withKey.again(),
			without.retry(),
		]);
		for (const [again, cut, execution, accepted] of [
			[`${isRetried ? 'Retry' : 'a new execution'}, with a key`, withKey, first, before[0]],
			['Retry, without a key', without, second, before[1]],
		] as const) {
			const truth = expectTruth(sandbox, cut.batch, outputOf(execution, 'Sobot'));
			kills.push({ moment, again, accepted: accepted ?? 0, truth });
		}
	},
);

test('killed while a later node runs, then Retry pressed twice: since n8n 2.14 nobody is sent again', async () => {
	const crm = await Crm.start();
	const once = { ...crm.node("'left'"), executeOnce: true };
	const later = node('Later', 'n8n-nodes-base.wait', 1.1, { amount: 6, unit: 'seconds' });
	const cut = await Cut.create('later', cutOffNode(credentials, DEMO_CANVAS.triggerId), [once, later]);
	await cut.launch();
	await until('the action to end', () => crm.saved.length === 1, 60_000);
	expect(acceptedOf(sandbox, cut.batch)).toBe(CUSTOMERS);
	await n8n.stop({ keepUserFolder: true, signal: 'SIGKILL' });
	n8n = await n8n.restart();
	const crashed = await cut.crashed();
	const first = n8n.retry(crashed, false);
	await until('the action to end once more', () => crm.saved.length === 2, 60_000);
	// The first Retry has left the action, and waits.
	const executions = await Promise.all([first, n8n.retry(crashed, false)]);
	await crm.close();
	// Before n8n 2.14, nothing tells the first Retry that the batch had ended.
	const times = thisN8n.namesExecutions ? 1 : 2;
	expect(acceptedOf(sandbox, cut.batch)).toBe(times * CUSTOMERS);
	const outcomes = executions.map((one) => outputOf(one, 'Sobot').map(({ json }) => json.outcome));
	const expected = thisN8n.namesExecutions ? ['alreadySent', 'alreadySent'] : ['accepted', 'unknown'];
	expect(outcomes).toEqual(expected.map((outcome) => Array<string>(CUSTOMERS).fill(outcome)));
});

test('two executions with the same keys at the same time in one n8n: nobody twice', async () => {
	const cut = await Cut.create('overlap', cutOffNode(credentials, DEMO_CANVAS.triggerId, KEY));
	await cut.launch();
	const execution = await cut.again();
	expect(truthOf(sandbox, cut.batch, outputOf(execution, 'Sobot'))).toEqual({
		unknown: 0,
		missing: 0,
		twice: 0,
	});
	const outcomes = outputOf(execution, 'Sobot').map(({ json }) => json.outcome);
	expect(new Set(outcomes)).toEqual(new Set(['accepted', 'alreadySent']));
});

test("n8n's SQLite file locked for a moment in the middle of a batch with keys: nobody twice, nobody missing", async () => {
	const cut = await Cut.create('locked', cutOffNode(credentials, DEMO_CANVAS.triggerId, KEY));
	await cut.launch();
	await untilMoment(sandbox, [cut.batch], 1500);
	const before = acceptedOf(sandbox, cut.batch);
	// What a backup or another program does to it, too long for any program to wait.
	const locking = `
		const database = new (require('node:sqlite').DatabaseSync)(process.argv[1]);
		database.exec('PRAGMA busy_timeout = 10000; BEGIN EXCLUSIVE');
		Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 6000);
		database.exec('ROLLBACK');`;
	const file = join(n8n.userFolder, '.n8n/database.sqlite');
	await run(underTest().runtime.node, ['--no-warnings', '-e', locking, file]);
	const truth = expectTruth(sandbox, cut.batch, outputOf(await cut.again(), 'Sobot'));
	kills.push({
		moment: 1500,
		again: 'SQLite locked for 6 s: a new execution, with a key',
		accepted: before,
		truth,
	});
});

test('a large campaign: n8n is killed in the middle, and the schedule sends the rest, nobody twice', async () => {
	const rows = 300;
	const saved = fillIn(await readExample('large-campaign'), 'Fetch the sheet', {
		url: `${sandbox.url}/sandbox/customers.csv?count=${rows}`,
	});
	const everyHalfMinute = { rule: { interval: [{ field: 'seconds', secondsInterval: 30 }] } };
	const workflow = await importWorkflow(n8n, fillIn(saved, 'Every morning', everyHalfMinute), credentials);
	const byHand = await n8n.launch(workflow);
	await until('some customers', () => sandbox.accepted.length > 60);
	await n8n.stop({ keepUserFolder: true, signal: 'SIGKILL' });
	const before = sandbox.accepted.length;
	n8n = await n8n.restart();
	// n8n 2 activates in the background: killed too soon, it would not.
	await n8n.activate(workflow);
	let second: { id: string } | undefined;
	await until(
		'the schedule to run it',
		async () => {
			const executions = await n8n.executions(workflow);
			second = executions.find(({ id, status }) => Number(id) > Number(byHand) && status === 'success');
			return second !== undefined;
		},
		120_000,
	);
	await n8n.deactivate(workflow);
	const execution = await n8n.execution(second?.id ?? '');
	const people = Array.from({ length: rows }, (_, i) => i + 1).filter((number) => number % 25 !== 0);
	const summary = outputOf(execution, 'Summary').map(({ json }) => [json.outcome, json.count_contactId]);
	const count = (outcome: string) => Number(new Map(summary as Array<[string, number]>).get(outcome) ?? 0);
	// A customer called `nobody` may have been in flight, too.
	const all = ['accepted', 'alreadySent', 'unknown', 'refused'].map(count);
	expect(all.reduce((sum, one) => sum + one, 0)).toBe(rows);
	expect(count('accepted')).toBeGreaterThan(0);
	expect(before).toBeGreaterThan(60);
	const [file] = outputOf(execution, 'Failures as a sheet');
	const [head = '', ...lines] = (await n8n.fileText(file?.binary?.data ?? { data: '' })).trim().split('\n');
	const column = (line: string, name: string) => line.split(',')[head.split(',').indexOf(name)];
	const outcomes = lines.map((line) => column(line, 'outcome'));
	expect(outcomes).toEqual(outcomes.toSorted());
	expect(outcomes.filter((outcome) => outcome === 'unknown').length).toBe(count('unknown'));
	expect(outcomes.filter((outcome) => outcome === 'refused').length).toBe(count('refused'));
	const ids = sandbox.accepted.map(({ contactId }) => contactId);
	const inDoubt = lines
		.filter((line) => column(line, 'outcome') === 'unknown')
		.map((line) => column(line, 'id'));
	expect(new Set(ids).size).toBe(ids.length);
	expect(
		people.map((number) => `sheet-${number}`).filter((id) => !ids.includes(id) && !inDoubt.includes(id)),
	).toEqual([]);
});
