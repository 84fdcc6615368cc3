// Ways to bring to its end what a crash, a stop or a time-out has cut off, beside those of kill.test.mts. One kill hits all
// batches, each on a canvas of its own.
import { setTimeout as sleep } from 'node:timers/promises';
import { DEMO_CANVAS } from '../sandbox/server.mts';
import { thisN8n } from '../support/differences.mts';
import {
	cutOffNode,
	customersOf,
	expectDoubtNamed,
	expectSentAgain,
	expectTruth,
	MEASURES,
	ONCE,
	truthOf,
	type Truth,
} from '../support/kills.mts';
import type { Execution, Item, Workflow } from '../support/n8n/n8n.mts';
import { printTable } from '../support/table.mts';
import { underTest } from '../support/underTest.mts';
import { until } from '../support/until.mts';
import { connectionTo, itemsWorkflow, node, type SavedNode } from '../support/workflows.mts';
import { crashedOf, N8nCut, shareKillable } from './killable.mts';

jest.setTimeout(300_000);

const COUNT = 120;
/** Slow, so that n8n has the time to send all batches at once. */
const PER_SECOND = 15;
const SAVED = { settings: { saveExecutionProgress: true } };
const NAMES = [
	'loop',
	'shifted',
	'renamed',
	'pressed',
	'stops',
	'progress',
	'called',
	'inner',
	'byhand',
	'unsaved',
	// It takes more than a minute: n8n stores an execution only if it waits for longer.
	...(MEASURES ? (['waited'] as const) : []),
] as const;
type Name = (typeof NAMES)[number];
const CANVASES = NAMES.map((name, index) => ({
	...DEMO_CANVAS,
	name,
	triggerId: `12345678901234567${10 + index}`,
}));
const setting = shareKillable({ canvases: [DEMO_CANVAS, ...CANVASES] });
const rows: string[][] = [];
afterAll(() =>
	printTable(
		`run again, n8n ${underTest().runtime.version}`,
		['Case', 'Accepted before', 'Accepted in the end', 'Unknown', 'Missing', 'Sent twice'],
		rows,
	),
);

function action(name: Name, options: Record<string, unknown> = {}): SavedNode {
	const triggerId = CANVASES.find((one) => one.name === name)?.triggerId ?? '';
	return cutOffNode(setting.credentials, triggerId, { requestsPerSecond: PER_SECOND, ...options });
}

const acceptedBy = (name: string) =>
	setting.sandbox.accepted.filter(({ contactId }) => contactId.startsWith(`${name}-`)).length;

function note(what: string, name: string, before: number, { unknown, missing, twice }: Truth): void {
	rows.push([what, ...[before, acceptedBy(name), unknown, missing, twice].map(String)]);
}

/** The items of all runs of a node. */
const allOutputOf = ({ data }: Execution, name = 'Sobot'): Item[] =>
	(data.resultData.runData[name] ?? [])
		.flatMap((run) => run.data?.main[0] ?? [])
		// After a crash, n8n writes a run of its own with an item that is no customer.
		.filter(({ json }) => json.contactId !== undefined);

/** A workflow that calls another one for its items. */
async function callOf(inner: SavedNode): Promise<{ call: SavedNode; inner: Workflow }> {
	const start = node('Start', 'n8n-nodes-base.executeWorkflowTrigger', 1.1, { inputSource: 'passthrough' });
	const workflow = await setting.n8n.createWorkflow({
		name: 'Inner',
		nodes: [start, inner],
		connections: { Start: connectionTo(inner.name) },
	});
	await setting.n8n.publish(workflow);
	const call = node('Call', 'n8n-nodes-base.executeWorkflow', 1.2, {
		source: 'database',
		workflowId: { __rl: true, mode: 'id', value: workflow.id },
		options: {},
	});
	return { call, inner: workflow };
}

const create = async (name: Name, after: SavedNode[], more: object = {}) =>
	await N8nCut.create(setting, name, after, { count: COUNT, ...more });

describe('after a kill', () => {
	const cuts = {} as Record<Name, N8nCut>;
	let inner: Workflow;
	let byHand: Array<{ workflow: Workflow; id: string }>;
	const before = {} as Record<Name, number>;

	beforeAll(async () => {
		const calls = { called: await callOf(action('called', ONCE)), inner: await callOf(action('inner')) };
		inner = calls.inner.inner;
		cuts.loop = await create('loop', [node('Loop', 'n8n-nodes-base.splitInBatches', 3, { batchSize: 40 })], {
			more: {
				nodes: [action('loop')],
				connections: {
					Loop: { main: [[], [{ node: 'Sobot', type: 'main', index: 0 }]] },
					Sobot: connectionTo('Loop'),
				},
			},
		});
		for (const name of ['shifted', 'renamed', 'pressed'] as const)
			cuts[name] = await create(name, [action(name)]);
		cuts.stops = await create('stops', [action('stops', { ...ONCE, unknownOutcome: 'fail' })]);
		cuts.progress = await create('progress', [action('progress')], SAVED);
		cuts.called = await create('called', [calls.called.call]);
		cuts.inner = await create('inner', [calls.inner.call]);
		if (MEASURES)
			cuts.waited = await create(
				'waited',
				[node('Wait', 'n8n-nodes-base.wait', 1.1, { amount: 66, unit: 'seconds' })],
				{
					more: {
						nodes: [action('waited', { requestsPerSecond: 5 })],
						connections: { Wait: connectionTo('Sobot') },
					},
				},
			);
		const workflows = await Promise.all(
			[['byhand', SAVED.settings] as const, ['unsaved', {}] as const].map(
				async ([name, settings]) =>
					await itemsWorkflow(setting.n8n, customersOf(name, COUNT), action(name), settings),
			),
		);

		if (MEASURES) {
			await cuts.waited.launch();
			await until('the end of the wait', () => acceptedBy('waited') > 0, 180_000);
		}
		const others = Object.values(cuts).filter((cut) => cut !== cuts.waited);
		await Promise.all(others.map(async (cut) => await cut.launch()));
		byHand = [];
		for (const workflow of workflows) byHand.push({ workflow, id: await setting.n8n.launch(workflow) });
		// The first second of each is over.
		const isSending = (name: Name) => acceptedBy(name) >= 2 * PER_SECOND;
		await until('all to send', () => NAMES.every(isSending), 120_000).catch(() => {
			throw new Error(`Not sending: ${NAMES.filter((name) => !isSending(name)).join(', ')}`);
		});
		await sleep(Math.random() * 2000);
		await setting.kill();
		for (const name of NAMES) before[name] = acceptedBy(name);
	}, 300_000);

	function expectRetried(what: string, name: Name, items: readonly Item[]): void {
		const { sandbox } = setting;
		note(what, name, before[name], truthOf(sandbox, name, items, COUNT));
		if (thisN8n.namesExecutions) expectTruth(sandbox, name, items, Infinity, COUNT);
		else expectSentAgain(sandbox, name, items, before[name], COUNT);
	}

	test('in a loop, in chunks of 40: Retry sends the rest', async () => {
		expectRetried('loop in chunks of 40: Retry', 'loop', allOutputOf(await cuts.loop.retry()));
	});

	if (MEASURES)
		test('behind a Wait node: Retry sends the rest', async () => {
			expectRetried('behind a Wait node: Retry', 'waited', allOutputOf(await cuts.waited.retry()));
		});

	test('Retry, with the node renamed', async () => {
		const { workflow } = cuts.renamed;
		const nodes = workflow.nodes.map((one) => (one.name === 'Sobot' ? { ...one, name: 'Other' } : one));
		await setting.n8n.updateWorkflow(workflow, {
			nodes,
			connections: { ...workflow.connections, Items: connectionTo('Other') },
		});
		expectRetried('node renamed: Retry', 'renamed', allOutputOf(await cuts.renamed.retry(true), 'Other'));
	});

	test('Retry, with the list shifted by a row', async () => {
		const { workflow } = cuts.shifted;
		const list = node('List', 'n8n-nodes-base.set', 3.4, {
			mode: 'raw',
			jsonOutput: `={{ JSON.stringify({ list: [{ id: 'shifted-new', name: 'N' }].concat($json.list) }) }}`,
		});
		await setting.n8n.updateWorkflow(workflow, {
			nodes: [...workflow.nodes, list],
			connections: { ...workflow.connections, Push: connectionTo('List'), List: connectionTo('Items') },
		});
		const [added, ...items] = allOutputOf(await cuts.shifted.retry(true));
		expect(added?.json).toMatchObject({ contactId: 'shifted-new', outcome: 'accepted' });
		expectRetried('list shifted by a row: Retry', 'shifted', items);
	});

	test('Retry pressed twice at once, in one process', async () => {
		const id = await cuts.pressed.crashed();
		const press = async () => await setting.n8n.retry(id, false);
		const [first, second] = await Promise.all([press(), press()]);
		const items = [...allOutputOf(second), ...allOutputOf(first)];
		const truth = truthOf(setting.sandbox, 'pressed', items, COUNT);
		note('Retry pressed twice at once', 'pressed', before.pressed, truth);
		expect(items.length).toBe(2 * COUNT);
		if (thisN8n.namesExecutions) expect(truth).toMatchObject({ missing: 0, twice: 0 });
		else expect(acceptedBy('pressed')).toBe(before.pressed + 2 * COUNT);
	});

	test("a new execution with 'Send Once Per' and On Error: Stop: the others are sent, those in doubt are named", async () => {
		const truth = expectDoubtNamed(setting.sandbox, 'stops', await cuts.stops.again(), COUNT);
		note("'Send Once Per', On Error: Stop: a new execution", 'stops', before.stops, truth);
	});

	test('with "Save execution progress": Retry sends the rest', async () => {
		expectRetried('"Save execution progress": Retry', 'progress', allOutputOf(await cuts.progress.retry()));
	});

	test("in a sub-workflow with 'Send Once Per': Retry of the one that calls it sends the rest", async () => {
		const items = allOutputOf(await cuts.called.retry(), 'Call');
		note(
			"sub-workflow, 'Send Once Per': Retry of the caller",
			'called',
			before.called,
			truthOf(setting.sandbox, 'called', items, COUNT),
		);
		expectTruth(setting.sandbox, 'called', items, Infinity, COUNT);
	});

	test('in a sub-workflow: Retry of its own execution sends the rest', async () => {
		const { n8n } = setting;
		const execution = await n8n.retry(await crashedOf(n8n, inner), false);
		expectRetried('sub-workflow: Retry of its own execution', 'inner', allOutputOf(execution));
	});

	test('started by hand, with "Save execution progress": Retry sends the rest', async () => {
		const { n8n } = setting;
		const [saved] = byHand;
		await crashedOf(n8n, saved?.workflow as Workflow);
		const execution = await n8n.retry(saved?.id ?? '', false);
		expectRetried('by hand, "Save execution progress": Retry', 'byhand', allOutputOf(execution));
	});

	test('started by hand, without it: n8n says that it cannot retry', async () => {
		const { n8n } = setting;
		const [, unsaved] = byHand;
		await crashedOf(n8n, unsaved?.workflow as Workflow);
		await expect(n8n.retry(unsaved?.id ?? '', false)).rejects.toThrow('cannot be retried');
		expect(acceptedBy('unsaved')).toBe(before.unsaved);
	});
});

describe("Retry over n8n's API of an execution", () => {
	/** A batch that is cut off once a number of customers is on the canvas; and its execution. */
	async function cutOff(batch: string, least: number, settings: object = {}) {
		const cut = await N8nCut.create(
			setting,
			batch,
			[cutOffNode(setting.credentials, DEMO_CANVAS.triggerId)],
			{
				count: COUNT,
				...settings,
			},
		);
		await cut.launch();
		await until('some customers', () => cut.accepted >= least);
		const [execution] = await setting.n8n.executions(cut.workflow);
		return { cut, id: execution?.id ?? '' };
	}

	test.each([
		['in its first second', 10],
		['later', 80],
	])('that was stopped %s', async (when, least) => {
		const { n8n, sandbox } = setting;
		const { cut, id } = await cutOff(`stopped${least}`, least);
		await n8n.stopExecution(id);
		expect((await n8n.finished(id)).status).toBe('canceled');
		const before = cut.accepted;
		const retried = await n8n.retry(id, false);
		if (!thisN8n.retriesStopped) {
			rows.push([`stopped ${when}: Retry (${retried.status})`, `${before}`, `${cut.accepted}`, '', '', '']);
			expect([before, before + COUNT]).toContain(cut.accepted);
			return;
		}
		const items = allOutputOf(retried);
		note(`stopped ${when}: Retry`, cut.batch, before, truthOf(sandbox, cut.batch, items, COUNT));
		expectTruth(sandbox, cut.batch, items, Infinity, COUNT);
	});

	test('that timed out: n8n runs nothing', async () => {
		const { n8n } = setting;
		const { cut, id } = await cutOff('timedout', 10, { settings: { executionTimeout: 2 } });
		expect((await n8n.finished(id)).status).toBe('canceled');
		const before = cut.accepted;
		const { status } = await n8n.retry(id, false);
		rows.push([`timed out: Retry (${status})`, `${before}`, `${cut.accepted}`, '', '', '']);
		expect([status, cut.accepted]).toEqual(['success', before]);
	});
});
