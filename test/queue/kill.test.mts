// A worker is killed or replaced during a batch, n8n's database stops for a moment, or executions on several workers
// overlap. Nobody is sent twice, and nobody is missing without being named. KILLS=20 kills a worker 20 times.
import { thisN8n } from '../support/differences.mts';
import { Cut, ITEMS_OF_LIST, PUSHED_AGAIN } from '../support/cut.mts';
import { createCredentials, type Credentials } from '../support/credentials.mts';
import {
	CUSTOMERS,
	cutOffNode,
	expectDoubtNamed,
	expectSentAgain,
	expectTruth,
	killsOf,
	MEASURES,
	moments,
	MOST_IN_DOUBT,
	ONCE,
	reportKills,
	truthOf,
	untilMoment,
	type Kill,
} from '../support/kills.mts';
import { writeFigures } from '../support/figures.mts';
import type { Execution } from '../support/n8n/n8n.mts';
import { printTable } from '../support/table.mts';
import { underTest } from '../support/underTest.mts';
import { until } from '../support/until.mts';
import { node, outputOf, type SavedNode } from '../support/workflows.mts';
import { DEMO_CANVAS, QUIET_CANVAS, Sandbox } from '../sandbox/server.mts';
import { Cluster, QUICK_TO_NOTICE } from './cluster.mts';
import { workerOf } from './sending.mts';

jest.setTimeout(400_000);

let cluster: Cluster;
let sandbox: Sandbox;
let credentials: Credentials;
const kills: Kill[] = [];

/** Only one of the two workers is up, so whatever continues after it has ended continues on the other. */
let [up, next] = ['worker-1', 'worker-2'];

beforeAll(async () => {
	cluster = await Cluster.start({
		processors: 1,
		workers: 1,
		// n8n's default of 1, instead of the guide's 0: n8n 1 then runs the execution of a killed worker again.
		env: {
			...QUICK_TO_NOTICE,
			// Batches take five seconds: some customers are left for the other worker.
			N8N_GRACEFUL_SHUTDOWN_TIMEOUT: '1',
			QUEUE_WORKER_MAX_STALLED_COUNT: '1',
		},
	});
	sandbox = await Sandbox.start();
	credentials = await createCredentials(cluster.main, sandbox);
});
afterAll(async () => {
	await cluster.stop();
	await sandbox.close();
	reportKills('kills of a worker', kills);
});
beforeEach(() => sandbox.forget());

async function startOther(): Promise<void> {
	if (cluster.workers.has(next)) await cluster.restartWorker(next);
	else await cluster.addWorker(next);
	[up, next] = [next, up];
}

/** A batch that a worker sends. */
class WorkerCut extends Cut {
	static async create(
		batch: string,
		triggerId: string,
		options: Record<string, unknown> = {},
		after: SavedNode[] = [],
	): Promise<WorkerCut> {
		const field = [{ name: 'worker', value: '={{ $env.WORKER }}' }];
		const action = cutOffNode(credentials, triggerId, options, { additionalFields: { field } });
		const { workflow, urls } = await cluster.listen(PUSHED_AGAIN, {
			after: [ITEMS_OF_LIST, action, ...after],
		});
		return new WorkerCut(sandbox, batch, workflow, urls[0] ?? '');
	}

	/** Starts a new execution with the same customers, and waits until it and all others have ended. */
	async again(): Promise<Execution> {
		const count = (await cluster.executions(this.workflow)).length;
		await this.launch();
		const executions = await cluster.ended(this.workflow, count + 1, 120_000);
		return await cluster.main.execution(executions.at(-1)?.id ?? '');
	}

	/**
	 * Finishes the batch after its worker has ended. n8n 1 runs the execution again under the same ID. n8n 2 shows it as
	 * crashed, and a while later as failed. With that, it overwrites the data that Retry starts from, and Retry runs nothing.
	 */
	async finish(): Promise<{ how: string; execution: Execution }> {
		const [{ id, status } = { id: '', status: '' }] = await cluster.ended(this.workflow, 1, 180_000);
		if (status === 'success') return { how: 'n8n itself', execution: await cluster.main.execution(id) };
		const execution = await cluster.main.retry(id, false);
		return { how: hasRun(execution) ? 'Retry' : 'Retry, which ran nothing', execution };
	}

	/** The workers that have put these customers on the canvas. */
	get workers(): string[] {
		const calls = sandbox.accepted.filter(({ contactId }) => contactId.startsWith(`${this.batch}-`));
		return [...new Set(calls.map(workerOf))].sort();
	}
}

/** Whether the action has output any items. */
const hasRun = (execution: Execution) => outputOf(execution, 'Sobot').length > 0;

let batches = 0;

async function start(): Promise<[once: WorkerCut, without: WorkerCut]> {
	const number = ++batches;
	const cuts = [
		await WorkerCut.create(`k${number}x`, DEMO_CANVAS.triggerId, ONCE),
		await WorkerCut.create(`w${number}x`, QUIET_CANVAS.triggerId),
	] as [WorkerCut, WorkerCut];
	await Promise.all(cuts.map(async (cut) => await cut.launch()));
	return cuts;
}

/** Ends the worker during both batches, has the other worker send the rest, and checks the result. */
async function cutOff(
	[once, without]: [WorkerCut, WorkerCut],
	moment: number,
	signal: NodeJS.Signals,
	byNewExecution: boolean,
): Promise<void> {
	await untilMoment(sandbox, [once.batch, without.batch], moment);
	await cluster.killWorker(up, signal);
	const before = [once, without].map(({ accepted }) => accepted);
	await startOther();
	const [retried, second] = await Promise.all([byNewExecution ? undefined : once.finish(), without.finish()]);
	const first =
		retried && hasRun(retried.execution)
			? retried
			: { how: 'a new execution', execution: await once.again() };
	const word = signal === 'SIGTERM' ? 'SIGTERM: ' : '';
	for (const [again, { batch }, { how, execution }, accepted = 0] of [
		[`${word}${first.how}, 'Send Once Per'`, once, first, before[0]],
		[`${word}${second.how}`, without, second, before[1]],
	] as const) {
		const items = outputOf(execution, 'Sobot');
		const truth = truthOf(sandbox, batch, items);
		kills.push({ moment, again, accepted, truth });
		if (!hasRun(execution)) expect([thisN8n.runsKilledAgain, truth.twice]).toEqual([false, 0]);
		else if (batch === once.batch) expectTruth(sandbox, batch, items);
		else if (how === 'Retry' && !thisN8n.namesExecutions) expectSentAgain(sandbox, batch, items, accepted);
		else expectTruth(sandbox, batch, items, accepted);
	}
}

test.each(moments(killsOf(10)).map((moment, index): [number, number] => [moment, index]))(
	'worker killed after %i ms (%i): another worker sends the rest, and nobody is sent twice',
	async (moment, index) => await cutOff(await start(), moment, 'SIGKILL', index % 2 === 0),
);

test('worker replaced in a deployment before its batch has ended: another worker sends the rest, and nobody is sent twice', async () => {
	// One batch has failed before: Retry on the other worker must know its results.
	const failed = await WorkerCut.create('failed', DEMO_CANVAS.triggerId);
	sandbox.misbehave({ on: 'trigger', contactId: 'failed-200', code: '910026', times: 1 });
	await failed.launch();
	// In another execution, the node has ended and a later node is running.
	const wait = node('Wait', 'n8n-nodes-base.wait', 1.1, { amount: 20 });
	const ended = await WorkerCut.create('ended', QUIET_CANVAS.triggerId, {}, [wait]);
	await ended.launch();
	await until('both to end', () => [failed, ended].every(({ accepted }) => accepted >= 200));
	await until('all customers of the second', () => ended.accepted === CUSTOMERS);
	const cuts = await start();
	await cutOff(cuts, 500, 'SIGTERM', false);
	const { how, execution } = await failed.finish();
	expect(how).toBe('Retry');
	expectTruth(sandbox, failed.batch, outputOf(execution, 'Sobot'));
	if (thisN8n.runsKilledAgain) {
		const again = await ended.finish();
		expect(again.how).toBe('n8n itself');
		expect(expectTruth(sandbox, ended.batch, outputOf(again.execution, 'Sobot'))).toMatchObject({ twice: 0 });
	}
	for (const cut of [failed, cuts[0]])
		expect([cut.batch, cut.workers]).toEqual([cut.batch, ['worker-1', 'worker-2']]);
});

test("worker killed, then a new execution with 'Send Once Per' and On Error: Stop: it sends the others, and names those in doubt", async () => {
	const cut = await WorkerCut.create('stops', DEMO_CANVAS.triggerId, { ...ONCE, unknownOutcome: 'fail' });
	await cut.launch();
	await untilMoment(sandbox, [cut.batch], 1500);
	await cluster.killWorker(up);
	const accepted = cut.accepted;
	await startOther();
	const again = "a new execution, 'Send Once Per', On Error: Stop";
	const truth = expectDoubtNamed(sandbox, cut.batch, await cut.again());
	kills.push({ moment: 1500, again, accepted, truth });
});

test('Retry of a failed execution pressed twice at once, on two workers: nobody is missing', async () => {
	await startOther();
	const cut = await WorkerCut.create('pressed', DEMO_CANVAS.triggerId);
	sandbox.misbehave({ on: 'trigger', contactId: 'pressed-80', code: '910026', times: 1 });
	await cut.launch();
	const [failed] = await cluster.ended(cut.workflow, 1);
	const accepted = cut.accepted;
	expect([failed?.status, accepted < CUSTOMERS]).toEqual(['error', true]);
	const press = async () => await cluster.main.retry(failed?.id ?? '', false);
	const executions = await Promise.all([press(), press()]);
	const items = executions.map((one) => outputOf(one, 'Sobot'));
	// The second one may know what became of customers who are in doubt for the first.
	const truth = truthOf(sandbox, cut.batch, items.flat());
	kills.push({ moment: 0, again: `two Retries at once on ${cut.workers.join(' and ')}`, accepted, truth });
	expect(items.map(({ length }) => length)).toEqual([CUSTOMERS, CUSTOMERS]);
	expect(truth.missing).toBe(0);
	await cluster.killWorker(next);
});

test("n8n's database stopped for 4 s during a batch with 'Send Once Per': nobody is sent twice, and nobody is missing", async () => {
	const cut = await WorkerCut.create('postgres', DEMO_CANVAS.triggerId, ONCE);
	await cut.launch();
	await untilMoment(sandbox, [cut.batch], 1500);
	await cluster.servers.postgres.stop();
	const goneMs = Date.now();
	const before = cut.accepted;
	await until('four seconds without the database', () => Date.now() - goneMs > 4000);
	// Only customers who are already stored may leave.
	expect(cut.accepted - before).toBeLessThanOrEqual(MOST_IN_DOUBT);
	await cluster.servers.postgres.start();
	await cluster.ended(cut.workflow, 1);
	await until('n8n to reach the database again', async () => {
		const processes = [cluster.main, ...cluster.processors, cluster.workers.get(up) ?? cluster.main];
		const isReady = async ({ url }: { url: string }) =>
			(await fetch(`${url}/healthz/readiness`).catch(() => undefined))?.ok === true;
		return (await Promise.all(processes.map(isReady))).every(Boolean);
	});
	const truth = expectTruth(sandbox, cut.batch, outputOf(await cut.again(), 'Sobot'));
	kills.push({
		moment: 1500,
		again: "PostgreSQL away for 4 s: a new execution, 'Send Once Per'",
		accepted: before,
		truth,
	});
});

/** Tests that only measure. */
if (MEASURES) {
	test('batch without the option, once n8n has set the final status of the killed execution: Retry sends nobody twice', async () => {
		const cut = await WorkerCut.create('lastword', DEMO_CANVAS.triggerId);
		await cut.launch();
		await untilMoment(sandbox, [cut.batch], 1000);
		await cluster.killWorker(up);
		await startOther();
		let last = { id: '', status: '' };
		await until(
			'n8n to set the final status',
			async () => {
				[last = last] = await cluster.executions(cut.workflow);
				return ['success', 'error'].includes(last.status);
			},
			180_000,
			250,
		);
		const accepted = cut.accepted;
		const { data } = await cluster.main.execution(last.id);
		const retried = await (last.status === 'success'
			? undefined
			: cluster.main.retry(last.id, false).then(({ status }) => status, String));
		printTable(
			'final status of an execution whose worker was killed',
			['Status', 'Error message', 'Accepted then', 'Retry ended', 'Accepted in the end'],
			[
				[
					last.status,
					data.resultData.error?.message ?? '',
					accepted,
					retried ?? 'not needed',
					cut.accepted,
				].map(String),
			],
		);
		expect(truthOf(sandbox, cut.batch, []).twice).toBe(0);
	});

	describe("two executions with 'Send Once Per' on two workers", () => {
		const rows: string[][] = [];
		afterAll(() =>
			writeFigures(
				'kills',
				`overlap, n8n ${underTest().runtime.version}`,
				[
					'Killed after (ms)',
					'Accepted before',
					'Twice by the overlap',
					'Unknown',
					'Missing',
					'Sent again after the kill',
				],
				rows,
			),
		);

		test.each(moments(Math.ceil(killsOf(10) / 3)).map((moment, index): [number, number] => [moment, index]))(
			'both workers killed after %i ms (%i): after the next execution nobody is missing',
			async (moment, index) => {
				await startOther();
				const cut = await overlapping(index);
				await untilMoment(sandbox, [cut.batch], moment);
				await Promise.all([cluster.killWorker('worker-1'), cluster.killWorker('worker-2')]);
				const before = cut.accepted;
				const { twice } = truthOf(sandbox, cut.batch, []);
				await cluster.restartWorker(up);
				const execution = await cut.again();
				const items = outputOf(execution, 'Sobot');
				const truth = truthOf(sandbox, cut.batch, items);
				rows.push([moment, before, twice, truth.unknown, truth.missing, truth.twice - twice].map(String));
				expect(items.length).toBe(CUSTOMERS);
				expect(truth.missing).toBe(0);
			},
		);

		/** Starts a batch twice at the same time, and repeats that until both workers take part in it. */
		async function overlapping(index: number): Promise<WorkerCut> {
			for (let tries = 0; tries < 10; tries++) {
				const cut = await WorkerCut.create(`o${index}t${tries}x`, DEMO_CANVAS.triggerId, ONCE);
				await Promise.all([cut.launch(), cut.launch()]);
				await until('the first customers', () => cut.accepted > 25, 60_000);
				if (cut.workers.length === 2) return cut;
				await cluster.ended(cut.workflow, 2);
			}
			throw new Error('n8n gave both executions to the same worker, ten times.');
		}
	});
}
