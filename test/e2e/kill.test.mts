// n8n killed at a random moment in the middle of two batches, one with 'Send Once Per' and one without, and the same
// customers again: by a new execution or n8n's Retry with the option, by Retry without it. KILLS=20 kills it 20 times.
import {
	CUSTOMERS,
	cutOffNode,
	expectSentAgain,
	expectTruth,
	killsOf,
	moments,
	MOST_IN_DOUBT,
	ONCE,
	reportKills,
	truthOf,
	untilMoment,
	type Kill,
} from '../support/kills.mts';
import { Crm } from '../support/crm.mts';
import { thisN8n } from '../support/differences.mts';
import { fillIn, importWorkflow, readExample } from '../support/examples.mts';
import { DEMO_CANVAS, QUIET_CANVAS } from '../sandbox/server.mts';
import type { N8n, Workflow } from '../support/n8n/n8n.mts';
import { run } from '../support/processes.mts';
import { sqlite } from '../support/sqlite.mts';
import { until } from '../support/until.mts';
import { node, outputOf, type SavedNode } from '../support/workflows.mts';
import { N8nCut, shareKillable } from './killable.mts';

jest.setTimeout(300_000);

const kills: Kill[] = [];
const setting = shareKillable();
afterAll(() => reportKills('kills of one n8n', kills));
beforeEach(() => setting.sandbox.forget());

/** @param options more options of the action */
const action = (triggerId: string, options?: Record<string, unknown>) =>
	cutOffNode(setting.credentials, triggerId, options);
const create = async (batch: string, first: SavedNode, ...after: SavedNode[]) =>
	await N8nCut.create(setting, batch, [first, ...after]);

test.each(moments(killsOf(20)).map((moment, index): [number, number] => [moment, index]))(
	'killed after %i ms (%i): the rest is sent, nobody twice',
	async (moment, index) => {
		const { sandbox } = setting;
		const once = await create(`k${index}x`, action(DEMO_CANVAS.triggerId, ONCE));
		const without = await create(`w${index}x`, action(QUIET_CANVAS.triggerId));
		await Promise.all([once.launch(), without.launch()]);
		await untilMoment(sandbox, [once.batch, without.batch], moment);
		await setting.kill();
		const isRetried = index % 2 === 1;
		const before = [once.accepted, without.accepted] as const;
		const [first, second] = await Promise.all([isRetried ? once.retry() : once.again(), without.retry()]);
		kills.push({
			moment,
			again: `${isRetried ? 'Retry' : 'a new execution'}, 'Send Once Per'`,
			accepted: before[0],
			truth: expectTruth(sandbox, once.batch, outputOf(first, 'Sobot')),
		});
		const items = outputOf(second, 'Sobot');
		kills.push({
			moment,
			again: thisN8n.namesExecutions ? 'Retry' : 'Retry, before n8n 2.14',
			accepted: before[1],
			truth: thisN8n.namesExecutions
				? expectTruth(sandbox, without.batch, items, before[1])
				: expectSentAgain(sandbox, without.batch, items, before[1]),
		});
	},
);

test('killed while a later node runs, then Retry, and Retry once more: since n8n 2.14 nobody is sent again', async () => {
	const crm = await Crm.start();
	const once = { ...crm.node("'left'"), executeOnce: true };
	const later = node('Later', 'n8n-nodes-base.wait', 1.1, { amount: 6, unit: 'seconds' });
	const cut = await create('later', action(DEMO_CANVAS.triggerId), once, later);
	await cut.launch();
	await until('the action to end', () => crm.saved.length === 1, 60_000);
	expect(cut.accepted).toBe(CUSTOMERS);
	await setting.kill();
	const first = cut.retry();
	await until('the action to end once more', () => crm.saved.length === 2, 60_000);
	// The first Retry has left the action, and waits.
	const crashed = (await setting.n8n.executions(cut.workflow)).find(({ status }) => status === 'crashed');
	const executions = await Promise.all([first, setting.n8n.retry(crashed?.id ?? '', false)]);
	await crm.close();
	// Before n8n 2.14, nothing tells a Retry which execution it continues.
	expect(cut.accepted).toBe(CUSTOMERS * (thisN8n.namesExecutions ? 1 : 3));
	const outcomes = executions.map((one) => outputOf(one, 'Sobot').map(({ json }) => json.outcome));
	const outcome = thisN8n.namesExecutions ? 'alreadySent' : 'accepted';
	expect(outcomes).toEqual(Array(2).fill(Array(CUSTOMERS).fill(outcome)));
});

test('a batch of more than 2,250 makes the list longer before its first call, and Retry does not once more', async () => {
	const { sandbox } = setting;
	const cut = await N8nCut.create(setting, 'large', [action(DEMO_CANVAS.triggerId)], { count: 2600 });
	await cut.launch();
	await until('some customers', () => cut.accepted > 100, 60_000);
	await setting.kill();
	const before = cut.accepted;
	// docs/ledger.md: 6,500 entries, and those of customers behind them.
	const length = await listLength(setting.n8n, cut.workflow);
	expect(length).toBeGreaterThanOrEqual(6500 + before);
	expect(length).toBeLessThanOrEqual(6500 + 2 * (before + MOST_IN_DOUBT));
	const retried = expect(cut.retry()).rejects.toThrow('cancelled manually');
	await until('others', () => cut.accepted > before + 100, 120_000);
	const executions = await setting.n8n.executions(cut.workflow);
	await setting.n8n.stopExecution(executions.find(({ status }) => status === 'running')?.id ?? '');
	await retried;
	const ids = sandbox.accepted.map(({ contactId }) => contactId);
	expect(ids.length - new Set(ids).size).toBe(thisN8n.namesExecutions ? 0 : before);
	expect(await listLength(setting.n8n, cut.workflow)).toBeLessThanOrEqual(
		6500 + 2 * (ids.length + 2 * MOST_IN_DOUBT),
	);
});

test("two executions with 'Send Once Per' at the same time in one n8n: nobody twice", async () => {
	const cut = await create('overlap', action(DEMO_CANVAS.triggerId, ONCE));
	await cut.launch();
	const execution = await cut.again();
	expect(truthOf(setting.sandbox, cut.batch, outputOf(execution, 'Sobot'))).toEqual({
		unknown: 0,
		missing: 0,
		twice: 0,
	});
	const outcomes = outputOf(execution, 'Sobot').map(({ json }) => json.outcome);
	expect(new Set(outcomes)).toEqual(new Set(['accepted', 'alreadySent']));
});

test("n8n's SQLite file locked for a moment in the middle of a batch with 'Send Once Per': nobody twice, nobody missing", async () => {
	const cut = await create('locked', action(DEMO_CANVAS.triggerId, ONCE));
	await cut.launch();
	await untilMoment(setting.sandbox, [cut.batch], 1500);
	const before = cut.accepted;
	// What a backup or another program does to it, too long for any program to wait.
	const locking = `
		database.exec('BEGIN EXCLUSIVE');
		Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 6000);
		database.exec('ROLLBACK');`;
	await run(...sqlite(setting.n8n, locking));
	const truth = expectTruth(setting.sandbox, cut.batch, outputOf(await cut.again(), 'Sobot'));
	kills.push({
		moment: 1500,
		again: "SQLite locked for 6 s: a new execution, 'Send Once Per'",
		accepted: before,
		truth,
	});
});

test('a large campaign: n8n is killed in the middle, and the schedule sends the rest, nobody twice', async () => {
	const { sandbox } = setting;
	const rows = 300;
	const saved = fillIn(await readExample('large-campaign'), 'Fetch the sheet', {
		url: `${sandbox.url}/sandbox/customers.csv?count=${rows}`,
	});
	const everyHalfMinute = { rule: { interval: [{ field: 'seconds', secondsInterval: 30 }] } };
	const workflow = await importWorkflow(
		setting.n8n,
		fillIn(saved, 'Every morning', everyHalfMinute),
		setting.credentials,
	);
	const byHand = await setting.n8n.launch(workflow);
	await until('some customers', () => sandbox.accepted.length > 60);
	await setting.kill();
	const before = sandbox.accepted.length;
	const { n8n } = setting;
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

/** How many entries n8n stores for the only node of a workflow that has any. */
async function listLength(n8n: N8n, { id }: Workflow): Promise<number> {
	const length = "json_array_length(json_extract(value, '$.data')) as length";
	const statement = `select ${length} from processed_data where workflowId = ?`;
	const script = `console.log(database.prepare(${JSON.stringify(statement)}).get(${JSON.stringify(id)}).length)`;
	return Number(await run(...sqlite(n8n, script)));
}
