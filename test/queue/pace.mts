// One rate limit for all workers: they share a trigger ID's 50 calls a second without communicating.
import { createCredentials } from '../support/credentials.mts';
import { DEMO_CANVAS, Sandbox, type TriggerRecord } from '../sandbox/server.mts';
import { withPriority } from '../support/priority.mts';
import { until } from '../support/until.mts';
import type { Cluster } from './cluster.mts';
import { report } from './figures.mts';
import { customers, sendingWorkflow, workerOf, type Sending } from './sending.mts';

const LIMIT = DEMO_CANVAS.callsPerSecond;
/** A worker runs this many executions at a time. */
const EXECUTIONS_OF_A_WORKER = 10;
const ON_THE_WAY = { minMs: 15, maxMs: 35 };

/** @param running returns the cluster once it has started */
export function paceTests(running: () => Cluster): void {
	let cluster: Cluster;
	let sandbox: Sandbox;
	let sending: Sending;

	beforeAll(async () => {
		cluster = running();
		sandbox = await Sandbox.start();
		sending = await sendingWorkflow(cluster, await createCredentials(cluster.main, sandbox));
	});
	beforeEach(() => {
		sandbox.forget();
		sandbox.misbehave({ on: 'trigger', onTheWay: ON_THE_WAY });
	});
	afterAll(async () => {
		await sandbox.close();
	});

	/** Launches executions that all run at the same time. */
	async function launchAll(batch: string, executions: number, each: number): Promise<string[]> {
		const lists = Array.from({ length: executions }, (_, index) => customers(`${batch}${index}`, each));
		await Promise.all(lists.map(async (list) => await sending.launch(list)));
		return lists.flat();
	}

	/** Accepted calls per second of each worker between two moments. */
	function rates(fromMs: number, toMs: number): Map<string, number> {
		const found = new Map<string, number>();
		for (const call of sandbox.accepted) {
			if (call.arrivedAtMs < fromMs || call.arrivedAtMs >= toMs) continue;
			const worker = workerOf(call);
			found.set(worker, (found.get(worker) ?? 0) + 1000 / (toMs - fromMs));
		}
		return found;
	}

	const sum = (numbers: Iterable<number>) => [...numbers].reduce((a, b) => a + b, 0);
	const refusedShare = (calls: readonly TriggerRecord[]) =>
		calls.filter(({ code }) => code === '910024').length / calls.length;

	test('four workers together come close to the limit, with few refusals and fair shares; nobody is lost or sent twice', async () => {
		const { all, executions } = await withPriority(async () => ({
			all: await launchAll('steady', 4 * EXECUTIONS_OF_A_WORKER, 50),
			executions: await cluster.ended(sending.workflow, 4 * EXECUTIONS_OF_A_WORKER),
		}));
		expect(new Set(executions.map(({ status }) => status))).toEqual(new Set(['success']));
		expect(sandbox.accepted.map(({ contactId }) => contactId).toSorted()).toEqual(all.toSorted());

		const firstMs = sandbox.accepted[0]?.arrivedAtMs ?? 0;
		const lastMs = sandbox.accepted.at(-1)?.arrivedAtMs ?? 0;
		const untilTheLast = (all.length - 1) / ((lastMs - firstMs) / 1000) / LIMIT;
		// Measured while all workers send. Earlier, some are still starting; later, the rest take over the shares of those that
		// have ended.
		const moments = (which: 0 | -1) =>
			[...new Set(sandbox.accepted.map(workerOf))].map(
				(worker) =>
					sandbox.accepted.filter((call) => workerOf(call) === worker).at(which)?.arrivedAtMs ?? NaN,
			);
		const shares = rates(Math.max(...moments(0)), Math.min(...moments(-1)));
		const ofLimit = sum(shares.values()) / LIMIT;
		const least = Math.min(...shares.values()) / (sum(shares.values()) / shares.size);
		const refused = refusedShare(sandbox.triggerCalls);
		report(
			'pace',
			[
				'Customers',
				'Lost',
				'Sent twice',
				'Share of the limit, while all send',
				'Share of the limit, overall',
				'Calls refused',
				'Smallest share / fair share',
			],
			[
				[
					String(all.length),
					'0',
					'0',
					ofLimit.toFixed(2),
					untilTheLast.toFixed(2),
					`${(refused * 100).toFixed(1)} %`,
					least.toFixed(2),
				],
			],
		);
		expect(shares.size).toBe(4);
		expect(ofLimit).toBeGreaterThanOrEqual(0.9);
		expect(refused).toBeLessThan(0.05);
		expect(least).toBeGreaterThanOrEqual(0.5);
	});

	test('when a worker joins or leaves, all workers have converged to fair shares within 10 s', async () => {
		await cluster.killWorker('worker-4');
		const each = 60;
		// Of which 10 to measure: in 5, the share of one worker differs by half from one run to the next.
		const seconds = 20;
		const all = await launchAll('change', 8 * EXECUTIONS_OF_A_WORKER, each);
		await until('three workers to send', () => rates(0, Infinity).size === 3);
		await cluster.restartWorker('worker-4');
		const callsOf = (name: string) => sandbox.accepted.filter((call) => workerOf(call) === name);
		await until('the fourth to send', () => callsOf('worker-4').length > 0, 60_000);
		const joinedMs = callsOf('worker-4')[0]?.arrivedAtMs ?? 0;
		await until('some time with four workers', () => Date.now() > joinedMs + seconds * 1000);
		await cluster.killWorker('worker-1');
		const leftMs = Date.now();
		await until('some time with three workers', () => Date.now() > leftMs + seconds * 1000);
		const sentThen = sandbox.accepted.length;

		const rows = [
			['A fourth worker joins', joinedMs, 4],
			['One of four leaves', leftMs, 3],
		] as const;
		const seen = rows.map(([what, atMs, workers]) => {
			const after = rates(atMs + 10_000, atMs + seconds * 1000);
			const total = sum(after.values());
			return {
				what,
				workers,
				ofLimit: total / LIMIT,
				least: Math.min(...after.values()) / (total / after.size),
				after,
			};
		});
		report(
			'change',
			['What happened', 'Share of the limit', 'Smallest share / fair share'],
			seen.map(({ what, ofLimit, least }) => [what, ofLimit.toFixed(2), least.toFixed(2)]),
		);
		// Enough customers must be left, or the figures show only how the last few are sent.
		expect(sentThen).toBeLessThan(all.length - 10 * each);
		for (const { after, workers, ofLimit, least } of seen) {
			expect(after.size).toBe(workers);
			expect(ofLimit).toBeGreaterThanOrEqual(0.9);
			expect(least).toBeGreaterThanOrEqual(0.5);
		}
		const ids = sandbox.accepted.map(({ contactId }) => contactId);
		expect(new Set(ids).size).toBe(ids.length);
	});
}
