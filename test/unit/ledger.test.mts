import { CanvasTrust } from '../../nodes/sobot/canvas/canvasTrust';
import { newCustomer, resultOf, type Customer } from '../../nodes/sobot/outcome/customer';
import { deliver, type DeliveryOptions } from '../../nodes/sobot/delivery/delivery';
import { campaignOf, entriesOf } from '../../nodes/sobot/ledger/entries';
import { KeyClaims } from '../../nodes/sobot/ledger/keyClaims';
import { Ledger, type LedgerOptions } from '../../nodes/sobot/ledger/ledger';
import { RateLimiter } from '../../nodes/sobot/canvas/rateLimiter';
import { TokenError } from '../../nodes/sobot/token/tokenApi';
import { TokenSession } from '../../nodes/sobot/token/tokenSession';
import { SimulatedClock } from '../support/clock.mts';
import { SimulatedTable } from '../support/simulatedTable.mts';

/** The table, and how it fails. */
class Table extends SimulatedTable {
	writes = 0;
	/** how many entries were to be removed, whether they were there or not */
	removals = 0;
	/** how long it takes until a change has read what is there, one after the other */
	readMs = [0];
	private reads = 0;
	/** how long changes take then */
	changeMs = [4];
	isDown = false;
	/** which changes are carried out, but their answers get lost, counted from the first one */
	lost: number[] = [];
	private answers = 0;
	/** how many additions are still to fail once something has been removed */
	rejectsAfterRemoval = 0;
	private hasRemoved = false;
	/** called after each removal */
	onRemoval = () => {};
	/** whether the answers to removals get lost */
	losesRemovals = false;
	/** how many removals are still to fail */
	rejectedRemovals = 0;
	private asked = 0;

	constructor(clock: SimulatedClock) {
		super(async (step) => {
			if (step === 'reading') return await clock.sleep(this.readMs[this.reads++ % this.readMs.length] ?? 0);
			await clock.sleep(this.changeMs[this.asked++ % this.changeMs.length] ?? 0);
			if (this.isDown) throw new Error('the database is away');
			this.writes++;
		});
	}

	override async add(entries: readonly string[], maxEntries?: number): Promise<string[]> {
		if (this.hasRemoved && this.rejectsAfterRemoval > 0) {
			this.rejectsAfterRemoval--;
			throw new Error('the database is away');
		}
		const before = await super.add(entries, maxEntries);
		if (this.lost.includes(this.answers++)) throw new Error('the answer was lost');
		return before;
	}

	override async remove(entries: readonly string[]): Promise<void> {
		if (this.rejectedRemovals > 0) {
			this.rejectedRemovals--;
			throw new Error('the database is away');
		}
		this.removals += entries.length;
		await super.remove(entries);
		if (this.losesRemovals) throw new Error('the answer was lost');
		this.hasRemoved = true;
		this.onRemoval();
	}
}

/** Sobot, and any number of n8n processes that share one table. */
class World {
	readonly clock = new SimulatedClock();
	readonly table = new Table(this.clock);
	readonly accepted: string[] = [];
	refuse: (key: string) => boolean = () => false;
	/** how long a call that leaves now is on its way to Sobot */
	onTheWayMs = 15;
	unreachable: (key: string) => boolean = () => false;
	/** whether the token is refused, for good */
	isTokenDead = () => false;

	/** One process: `die` is a SIGKILL, after which nothing of it goes on. */
	start(
		keys: readonly string[],
		{
			stopsOnFailure = false,
			requestsPerSecond = 50,
			isLate = false,
			canvases = 1,
			...more
		}: Partial<LedgerOptions> & {
			stopsOnFailure?: boolean;
			requestsPerSecond?: number;
			/** whether nothing is written during the first second */
			isLate?: boolean;
			/** how many canvases share the customers, each at its own rate */
			canvases?: number;
		} = {},
	) {
		let isDead = false;
		const dies = new AbortController();
		const never = new Promise<never>(() => undefined);
		const guarded = async <T,>(work: Promise<T>): Promise<T> => {
			const value = await work.catch((cause: unknown) => (isDead ? never : Promise.reject(cause as Error)));
			return isDead ? await never : value;
		};
		const { clock, table } = this;
		const session = new TokenSession(clock);
		const token = { value: 't', fetchedAtMs: clock.epochMs(), expiresAtMs: clock.epochMs() + 86_400_000 };
		session.begin(token);
		const customers = keys.map((key) => newCustomer(key, key));
		const ledger = new Ledger({
			store: {
				add: async (entries: string[]) => new Set(await guarded(table.add([...new Set(entries)], this.room))),
				remove: async (entries: string[]) => await guarded(table.remove(entries)),
			},
			claims: new KeyClaims(),
			clock,
			mayHoldEarlier: !isLate,
			outlivesExecution: true,
			sendsDoubtful: false,
			msUntilDue: () => (isLate ? 1000 : 0),
			earlierKeys: () => [],
			onOpen: () => undefined,
			onBegin: () => undefined,
			...more,
		});
		const options: DeliveryOptions = {
			rateLimiter: new RateLimiter(clock),
			session,
			store: {
				read: async () => token,
				renew: async () => await Promise.reject(new TokenError('The App Key is wrong.', '', '900003', false)),
			},
			trust: new CanvasTrust(clock),
			ledger,
			clock,
			signal: dies.signal,
			batch: { stopsOnFailure, hasFailed: false },
			requestsPerSecond,
			giveUpAfterSeconds: 300,
			unknownOutcome: 'fail',
			send: async (_, body) => {
				await clock.sleep(this.onTheWayMs);
				if (this.unreachable(body)) throw Object.assign(new Error('down'), { code: 'ECONNREFUSED' });
				if (this.isTokenDead()) return { statusCode: 200, body: '{"ret_code":"900002"}' };
				if (this.refuse(body)) return { statusCode: 400, body: '{"ret_code":"910026"}' };
				this.accepted.push(body);
				await clock.sleep(15);
				return await guarded(Promise.resolve({ statusCode: 200, body: '{"ret_code":"000000"}' }));
			},
		};
		const ended = (async () => {
			const ofCanvas = (canvas: number) => customers.filter((_, index) => index % canvases === canvas);
			await Promise.all(
				Array.from({ length: canvases }, async (_, canvas) => {
					await deliver(ofCanvas(canvas), { ...options, rateLimiter: new RateLimiter(clock) });
				}),
			);
			await ledger.close();
		})();
		const die = () => {
			isDead = true;
			dies.abort();
		};
		return { customers, ended, die, stop: () => dies.abort(), options, ledger };
	}

	/** how many entries the table has room for */
	room = Infinity;

	get twice(): number {
		return this.accepted.length - new Set(this.accepted).size;
	}
}

const keysOf = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `k${from + i}`);
const count = (customers: readonly Customer[], outcome: string | undefined) =>
	customers.filter((one) => resultOf(one)?.outcome === outcome).length;

test('sends each key once, and never again in a later batch', async () => {
	const world = new World();
	const first = world.start(keysOf(100));
	await world.clock.run(first.ended);
	expect(count(first.customers, 'accepted')).toBe(100);
	const second = world.start(keysOf(120));
	await world.clock.run(second.ended);
	expect(count(second.customers, 'alreadySent')).toBe(100);
	expect(count(second.customers, 'accepted')).toBe(20);
	expect([world.accepted.length, world.twice]).toEqual([120, 0]);
});

test('keeps one entry for each key that was sent, and none for one that was refused', async () => {
	const world = new World();
	world.refuse = (key) => key === 'k3';
	const run = world.start(keysOf(10));
	await world.clock.run(run.ended);
	expect([...world.table.entries].sort()).toEqual(
		keysOf(10)
			.filter((key) => key !== 'k3')
			.map((key) => `claim ${key}`)
			.sort(),
	);
});

test('a key that was refused may be sent again', async () => {
	const world = new World();
	world.refuse = (key) => key === 'k3';
	await world.clock.run(world.start(keysOf(5)).ended);
	world.refuse = () => false;
	const again = world.start(keysOf(5));
	await world.clock.run(again.ended);
	expect(again.customers.map((one) => resultOf(one)?.outcome)).toEqual([
		'alreadySent',
		'alreadySent',
		'alreadySent',
		'accepted',
		'alreadySent',
	]);
});

test('keys equal within a batch: the first one counts', async () => {
	const world = new World();
	const run = world.start(['a', 'b', 'a', 'a']);
	await world.clock.run(run.ended);
	expect(run.customers.map((one) => resultOf(one)?.outcome)).toEqual([
		'accepted',
		'accepted',
		'alreadySent',
		'alreadySent',
	]);
	expect(world.accepted).toEqual(['a', 'b']);
});

test('two executions with the same keys in one process: nobody twice, and no deadlock', async () => {
	const world = new World();
	const claims = new KeyClaims();
	const one = world.start(keysOf(200), { claims });
	const other = world.start(keysOf(200).reverse(), { claims });
	await world.clock.run(Promise.all([one.ended, other.ended]));
	expect([world.accepted.length, world.twice]).toEqual([200, 0]);
	expect(count(one.customers, 'accepted') + count(other.customers, 'accepted')).toBe(200);
	expect(count(one.customers, 'alreadySent') + count(other.customers, 'alreadySent')).toBe(200);
	expect(keysOf(200).filter((key) => claims.settled(key) !== undefined)).toEqual([]);
});

test('equal keys in an outage, and a failure that ends the batch: no deadlock', async () => {
	const world = new World();
	let isDown = true;
	world.unreachable = () => isDown;
	const run = world.start(['a', 'a', 'b', 'c']);
	await world.clock.advance(5000);
	isDown = false;
	await world.clock.run(run.ended, 60_000);
	expect(world.accepted.sort()).toEqual(['a', 'b', 'c']);
	world.unreachable = (key) => key === 'd';
	world.refuse = (key) => key === 'e';
	const stopping = world.start(['d', 'd', 'e', 'f'], { stopsOnFailure: true });
	await world.clock.run(stopping.ended, 60_000);
	expect(count(stopping.customers, 'refused')).toBe(1);
});

test('stopped while calls in flight are refused: the same customers can be sent again', async () => {
	const world = new World();
	const claims = new KeyClaims();
	world.refuse = () => true;
	const stopped = world.start(keysOf(60), { claims });
	await world.clock.advance(310);
	stopped.stop();
	await world.clock.run(stopped.ended);
	await world.clock.advance(2000);
	world.refuse = () => false;
	const again = world.start(keysOf(60), { claims });
	await world.clock.run(again.ended, 60_000);
	expect(count(again.customers, 'accepted')).toBe(60);
});

test.each([
	['in the same process', new KeyClaims(), (claims: KeyClaims) => claims],
	['in another process', new KeyClaims(), () => new KeyClaims()],
])(
	'stopped, and its call refused after the next run has sent the customer again, %s: nobody a third time',
	async (_, claims, nextClaims) => {
		const world = new World();
		world.onTheWayMs = 3000;
		const stopped = world.start(keysOf(20), { claims });
		await world.clock.advance(410);
		stopped.stop();
		await world.clock.run(stopped.ended);
		world.onTheWayMs = 15;
		const again = world.start(keysOf(20), { claims: nextClaims(claims), sendsDoubtful: true });
		await world.clock.run(again.ended);
		expect(count(again.customers, 'accepted')).toBe(20);
		world.refuse = () => true;
		await world.clock.advance(5000);
		world.refuse = () => false;
		const third = world.start(keysOf(20), { sendsDoubtful: true });
		await world.clock.run(third.ended);
		expect([world.accepted.length, world.twice]).toEqual([20, 0]);
		expect(count(third.customers, 'alreadySent')).toBe(20);
	},
);

test('a refused customer can be sent again, even if removing the entries failed once', async () => {
	const world = new World();
	world.refuse = () => true;
	world.table.rejectedRemovals = 1;
	await world.clock.run(world.start(keysOf(20)).ended);
	expect(world.table.rejectedRemovals).toBe(0);
	world.refuse = () => false;
	const again = world.start(keysOf(20));
	await world.clock.run(again.ended);
	expect([count(again.customers, 'accepted'), world.twice]).toEqual([20, 0]);
});

test('a refusal that could not be stored for a minute leaves alone whom another process has sent since', async () => {
	const world = new World();
	const claims = new KeyClaims();
	world.refuse = () => true;
	world.table.losesRemovals = true;
	await world.clock.run(world.start(['a'], { claims }).ended);
	world.table.losesRemovals = false;
	world.refuse = () => false;
	await world.clock.run(world.start(['a']).ended);
	await world.clock.run(world.start(['a', 'b'], { claims }).ended);
	expect(world.accepted).toEqual(['a', 'b']);
});

test('a late refusal leaves alone whoever sends the customer now', async () => {
	const world = new World();
	const claims = new KeyClaims();
	world.onTheWayMs = 1000;
	const stopped = world.start(['a'], { claims });
	await world.clock.advance(100);
	stopped.stop();
	await world.clock.run(stopped.ended);
	world.onTheWayMs = 3000;
	const again = world.start(['a', 'a'], { claims, sendsDoubtful: true });
	world.refuse = () => true;
	await world.clock.advance(1500);
	world.refuse = () => false;
	await world.clock.run(again.ended);
	expect(again.customers.map((one) => resultOf(one)?.outcome)).toEqual(['accepted', 'alreadySent']);
	expect(world.accepted).toEqual(['a']);
});

test('the end of a batch in which a customer was refused leaves alone the batch that sends them now', async () => {
	const world = new World();
	const claims = new KeyClaims();
	world.refuse = (key) => key === 'k0';
	const first = world.start(keysOf(10), { claims, requestsPerSecond: 10 });
	await world.clock.advance(550);
	world.refuse = () => false;
	world.onTheWayMs = 2000;
	const second = world.start(['k0'], { claims });
	await world.clock.advance(30);
	world.onTheWayMs = 15;
	await world.clock.advance(1200);
	expect(count(first.customers, 'accepted')).toBe(9);
	second.die();
	await world.clock.advance(3000);
	expect(world.accepted).toContain('k0');
	const third = world.start(['k0']);
	await world.clock.run(third.ended);
	expect([world.twice, count(third.customers, 'unknown')]).toEqual([0, 1]);
});

test.each([[false], [true]])(
	'equal keys in one batch while the database is away for 6 s, sent again if in doubt: %s, nobody twice',
	async (sendsDoubtful) => {
		const world = new World();
		const run = world.start(['a', 'b', 'a', 'a'], { sendsDoubtful });
		await world.clock.advance(20);
		world.table.isDown = true;
		await world.clock.advance(6000);
		world.table.isDown = false;
		await world.clock.run(run.ended);
		expect(world.accepted).toEqual(['a', 'b']);
		expect(run.customers.map((one) => resultOf(one)?.outcome)).toEqual([
			'accepted',
			'accepted',
			'alreadySent',
			'alreadySent',
		]);
		expect([...world.table.entries].sort()).toEqual(['claim a', 'claim b']);
	},
);

test.each([
	// One call, and the customer who is next.
	['while a call is in flight', 3020, 2],
	['between two calls', 3500, 1],
])('killed at one call a second, %s: only who could have left is in doubt', async (_, killMs, inDoubt) => {
	const world = new World();
	const killed = world.start(keysOf(30), { requestsPerSecond: 1 });
	await world.clock.advance(killMs);
	killed.die();
	const again = world.start(keysOf(30));
	await world.clock.run(again.ended);
	expect([count(again.customers, 'unknown'), world.twice]).toEqual([inDoubt, 0]);
});

test.each([
	[[4], 15],
	[[4], 1000],
	[[4], 2000],
	[[300], 1000],
	[[900, 30, 2000, 700], 15],
])(
	'killed at any moment and sent again, writes take %j ms, the way to Sobot %d: nobody twice, nobody missing, at most 60 in doubt',
	async (changeMs, onTheWayMs) => {
		let mostInDoubt = 0;
		for (let killMs = 3; killMs < 10_000; killMs += 211) {
			const world = new World();
			world.table.changeMs = changeMs;
			world.onTheWayMs = onTheWayMs;
			const killed = world.start(keysOf(250));
			await world.clock.advance(killMs);
			killed.die();
			const again = world.start(keysOf(250));
			await world.clock.run(again.ended, 600_000);
			const doubtful = again.customers.filter((one) => resultOf(one)?.outcome === 'unknown');
			expect([killMs, world.twice]).toEqual([killMs, 0]);
			mostInDoubt = Math.max(mostInDoubt, doubtful.length);
			for (const one of again.customers) {
				const { body } = one;
				const isThere = world.accepted.includes(body);
				if (resultOf(one)?.outcome !== 'unknown')
					expect([killMs, body, isThere]).toEqual([killMs, body, true]);
			}
		}
		expect(mostInDoubt).toBeGreaterThan(0);
		expect(mostInDoubt).toBeLessThanOrEqual(60);
	},
	60_000,
);

test.each([
	[2, false],
	[4, false],
	[4, true],
])(
	'%d canvases in one batch, nothing stored in its first second: %p, killed: at most 60 in doubt for each',
	async (canvases, isLate) => {
		let mostInDoubt = 0;
		for (let killMs = 3; killMs < 5500; killMs += 211) {
			const world = new World();
			const killed = world.start(keysOf(400 * canvases), { canvases, isLate });
			await world.clock.advance(killMs);
			killed.die();
			// Calls on their way arrive. Those of a first second that is not stored are sent again.
			await world.clock.advance(50);
			const early = isLate && killMs < 1100 ? world.accepted.length : 0;
			const again = world.start(keysOf(400 * canvases), { canvases });
			await world.clock.run(again.ended, 600_000);
			expect(world.twice).toBeLessThanOrEqual(early);
			mostInDoubt = Math.max(mostInDoubt, count(again.customers, 'unknown'));
		}
		expect(mostInDoubt).toBeGreaterThan(0);
		expect(mostInDoubt).toBeLessThanOrEqual(60 * canvases);
	},
	60_000,
);

test('two processes with the same keys overwrite each other: once both have ended, nobody is sent again', async () => {
	let overwritten = 0;
	for (let laterMs = 1; laterMs < 500; laterMs += 31) {
		const world = new World();
		world.table.changeMs = [30, 7, 52, 15, 40];
		const one = world.start(keysOf(250));
		await world.clock.advance(laterMs);
		const other = world.start(keysOf(250).reverse());
		await world.clock.run(Promise.all([one.ended, other.ended]));
		overwritten += world.twice;
		const accepted = world.accepted.length;
		await world.clock.run(world.start(keysOf(250)).ended);
		expect([laterMs, world.accepted.length]).toEqual([laterMs, accepted]);
		expect(new Set(world.accepted).size).toBe(250);
	}
	expect(overwritten).toBeGreaterThan(0);
}, 60_000);

test('what another process has overwritten, this process still knows for a while', async () => {
	const world = new World();
	const claims = new KeyClaims();
	await world.clock.run(world.start(keysOf(10), { claims }).ended);
	// The other process had read the table before.
	world.table.entries = [];
	await world.clock.run(world.start(keysOf(10), { claims }).ended);
	expect(world.accepted.length).toBe(10);
});

test('killed again while it looks at what the first kill left: what is in doubt stays in doubt', async () => {
	const world = new World();
	const first = world.start(keysOf(100));
	await world.clock.advance(1000);
	first.die();
	const second = world.start(keysOf(100));
	await world.clock.advance(6);
	second.die();
	const third = world.start(keysOf(100));
	await world.clock.run(third.ended);
	expect(world.twice).toBe(0);
	expect(count(third.customers, 'unknown')).toBeGreaterThan(0);
	for (const one of third.customers)
		if (resultOf(one)?.outcome !== 'unknown') expect(world.accepted).toContain(one.body);
});

test('customers in doubt may be sent again, if the user wants that', async () => {
	const world = new World();
	const killed = world.start(keysOf(50));
	await world.clock.advance(300);
	killed.die();
	const again = world.start(keysOf(50), { sendsDoubtful: true });
	await world.clock.run(again.ended);
	expect(new Set(world.accepted).size).toBe(50);
	expect(count(again.customers, 'unknown')).toBe(0);
});

test('a database that is away holds the batch up, and nobody is sent without being stored', async () => {
	const world = new World();
	const run = world.start(keysOf(100));
	await world.clock.advance(700);
	world.table.isDown = true;
	await world.clock.advance(1500);
	const atMost = world.accepted.length;
	await world.clock.advance(3000);
	expect(world.accepted.length).toBe(atMost);
	world.table.isDown = false;
	await world.clock.run(run.ended);
	expect([world.accepted.length, world.twice, count(run.customers, 'accepted')]).toEqual([100, 0, 100]);
});

test('a stop gives back what was admitted and never sent', async () => {
	const world = new World();
	const run = world.start(keysOf(100));
	await world.clock.advance(1010);
	run.stop();
	await world.clock.run(run.ended);
	await world.clock.advance(2000);
	const onlySent = world.accepted.map((key) => `claim ${key}`);
	expect(onlySent.length).toBeGreaterThan(40);
	expect([...world.table.entries].sort()).toEqual(onlySent.sort());
});

/** Sends 1,000 customers. Returns the share of the limit, and the writes a second. */
async function costOf(world: World): Promise<{ share: number; writes: number }> {
	const startMs = world.clock.nowMs();
	await world.clock.run(world.start(keysOf(1000)).ended);
	const seconds = (world.clock.nowMs() - startMs) / 1000;
	return { share: 1000 / seconds / 50, writes: world.table.writes / seconds };
}

test('costs at most eight writes a second, and 0.95 of the limit', async () => {
	const world = new World();
	const { share, writes } = await costOf(world);
	expect(share).toBeGreaterThan(0.95);
	expect(writes).toBeLessThan(8);
	// For each of them n8n walks through its list: an entry of each customer is removed, and twice again by later writes.
	expect(world.table.removals).toBeGreaterThan(2900);
	expect(world.table.removals).toBeLessThan(3200);
});

test('costs no more writes, and 0.92 of the limit, while a call takes nearly a second', async () => {
	const world = new World();
	world.onTheWayMs = 900;
	const { share, writes } = await costOf(world);
	expect(share).toBeGreaterThan(0.92);
	expect(writes).toBeLessThan(8);
});

test.each([1, 2])(
	'removes again the pending entries that another process writes back, %d times',
	async (times) => {
		const world = new World();
		const claims = new KeyClaims();
		const run = world.start(keysOf(400), { claims });
		let written = 0;
		let before: readonly string[] = [];
		// The other process had read the list before those of the latest write were settled.
		const isPending = (entry: string) => entry.startsWith('pending ');
		while (written < times) {
			await world.clock.advance(10);
			const { entries } = world.table;
			const settled = before.filter((entry) => isPending(entry) && !entries.includes(entry));
			if (settled.length > 0) {
				world.table.entries = [...entries, ...settled];
				written++;
			}
			before = world.table.entries;
		}
		await world.clock.run(run.ended);
		expect(count(run.customers, 'accepted')).toBe(400);
		const later = world.start(keysOf(400));
		await world.clock.run(later.ended);
		expect(count(later.customers, 'alreadySent')).toBe(400);
	},
);

test('a failure that ends the batch while the next customers are stored: they can be sent again', async () => {
	let storedMeanwhile = 0;
	for (let failing = 20; failing < 32; failing++) {
		const world = new World();
		const claims = new KeyClaims();
		world.table.changeMs = [120];
		world.refuse = (key) => key === `k${failing}`;
		const failed = world.start(keysOf(100), { claims, stopsOnFailure: true });
		await world.clock.run(failed.ended);
		const { writes } = world.table;
		await world.clock.advance(5000);
		storedMeanwhile += world.table.writes - writes;
		world.refuse = () => false;
		const again = world.start(keysOf(100), { claims });
		await world.clock.run(again.ended, 60_000);
		expect([failing, count(again.customers, 'unknown'), world.accepted.length]).toEqual([failing, 0, 100]);
	}
	expect(storedMeanwhile).toBe(0);
});

test('a token that dies for good while the next customers are stored leaves nobody in doubt', async () => {
	for (let dies = 20; dies < 75; dies++) {
		const world = new World();
		world.clock.chance = 0.1;
		world.table.changeMs = [60];
		world.isTokenDead = () => world.accepted.length >= dies;
		const run = world.start(keysOf(120));
		await world.clock.run(run.ended);
		expect(world.accepted.length).toBeGreaterThanOrEqual(dies);
		expect([dies, count(run.customers, 'unknown')]).toEqual([dies, 0]);
		expect(world.table.entries.filter((entry) => entry.startsWith('pending'))).toEqual([]);
	}
});

test('a database that fails slowly: the rest is given up within minutes', async () => {
	const world = new World();
	Object.assign(world.table, { changeMs: [5000], isDown: true });
	const run = world.start(keysOf(500), { requestsPerSecond: 50 });
	const fromMs = world.clock.nowMs();
	await world.clock.run(run.ended);
	expect(count(run.customers, 'unknown')).toBe(500);
	expect(world.clock.nowMs() - fromMs).toBeLessThan((300 + 120) * 1000);
});

test('what a question has added is removed before somebody else is stored, so nobody loses their claim', async () => {
	const world = new World();
	const claims = new KeyClaims();
	const { ledger } = world.start([], { claims });
	world.table.losesRemovals = true;
	const asked = ledger.ask([newCustomer('', 'a')]).then(async () => await ledger.close());
	await world.clock.advance(60);
	expect(world.table.entries).toEqual([]);
	world.table.losesRemovals = false;
	await world.clock.run(world.start(['a'], { claims }).ended);
	await world.clock.run(asked);
	expect(world.table.entries).toEqual(['claim a']);
});

test('what a question has added is removed before earlier customers are stored, too', async () => {
	const world = new World();
	const claims = new KeyClaims();
	const { ledger } = world.start([], { claims });
	world.table.rejectedRemovals = 1;
	await world.clock.run(ledger.ask([newCustomer('', 'a')]));
	expect(claims.toRemove).toEqual(entriesOf('a'));
	const earlierKeys = () => [{ key: 'a', isAccepted: true }];
	await world.clock.run(world.start(['b'], { claims, earlierKeys }).ended);
	expect(world.table.entries).toEqual(['claim a', 'claim b']);
});

test('someone in doubt in the node context, whom another run has sent meanwhile, is not in doubt once more', async () => {
	const world = new World();
	await world.clock.run(world.start(['a']).ended);
	const other = world.start(['b'], { earlierKeys: () => [{ key: 'a', isAccepted: false }] });
	await world.clock.run(other.ended);
	const again = world.start(['a'], { sendsDoubtful: true });
	await world.clock.run(again.ended);
	expect([world.accepted, count(again.customers, 'alreadySent')]).toEqual([['a', 'b'], 1]);
});

test('equal keys in one batch that cannot be sent are looked up alike, and refused ones are not in doubt', async () => {
	const world = new World();
	const killed = world.start(['a', 'b']);
	await world.clock.advance(30);
	killed.die();
	// It goes on meanwhile.
	const { ledger } = world.start(keysOf(9), { requestsPerSecond: 1 });
	const [asked, refused] = [['a', 'a'].map((key) => newCustomer(key, key)), newCustomer('c', 'c')];
	await world.clock.run(ledger.ask(asked));
	expect(asked.map((one) => resultOf(one)?.outcome)).toEqual(['unknown', 'unknown']);
	await world.clock.run(ledger.admit([refused]));
	ledger.record(refused);
	const equal = newCustomer('c', 'c');
	await world.clock.run(ledger.ask([equal]));
	expect(equal.known).toBe('open');
});

test('asked twice while nothing can be removed: nobody is taken for in doubt', async () => {
	const world = new World();
	await world.clock.run(world.start(['a']).ended);
	const { ledger } = world.start([]);
	world.table.rejectedRemovals = 2;
	for (let times = 0; times < 2; times++) {
		const asked = ['a', 'b'].map((key) => newCustomer(key, key));
		await world.clock.run(ledger.ask(asked));
		expect(asked.map((one) => resultOf(one)?.outcome)).toEqual(['alreadySent', undefined]);
	}
	expect(world.table.rejectedRemovals).toBe(0);
});

test('what was added to look customers up is removed at the end, even if that failed before', async () => {
	const world = new World();
	await world.clock.run(world.start(['a']).ended);
	const { ledger } = world.start([]);
	world.table.rejectedRemovals = 3;
	await world.clock.run(ledger.ask([newCustomer('a', 'a'), newCustomer('b', 'b')]));
	await world.clock.run(ledger.close());
	expect(world.table.entries).toEqual(['claim a']);
});

describe('the markers of a campaign', () => {
	const campaign = campaignOf('spring');
	const outcomesOf = (customers: readonly Customer[]) =>
		new Set(customers.map((one) => resultOf(one)?.outcome));

	test.each([0, 1, 2])(
		'the answer to write %i gets lost: the campaign is not taken for a forgotten one',
		async (lost) => {
			const world = new World();
			world.table.lost = [lost];
			await world.clock.run(world.start(keysOf(5), { campaign }).ended);
			const again = world.start(keysOf(7), { campaign });
			await world.clock.run(again.ended);
			expect(outcomesOf(again.customers)).not.toContain('notSent');
			expect(world.accepted).toContain('k6');
		},
	);

	test('two processes begin it at the same moment: neither takes it for a forgotten one', async () => {
		for (let laterMs = 0; laterMs < 80; laterMs += 3) {
			const world = new World();
			world.table.entries = ['of others'];
			world.table.readMs = [5, 60, 1, 1, 5];
			const one = world.start(keysOf(5), { campaign });
			await world.clock.advance(laterMs);
			const other = world.start(keysOf(5, 10), { campaign });
			await world.clock.run(Promise.all([one.ended, other.ended]));
			const third = world.start(keysOf(5, 20), { campaign });
			await world.clock.run(third.ended);
			expect([laterMs, world.accepted.length]).toEqual([laterMs, 15]);
		}
	});

	test.each([[[]], [[0]], [[1]], [[2]]])(
		'once the first customers are forgotten, nobody is sent, also when the answers %j get lost',
		async (lost) => {
			const world = new World();
			await world.clock.run(world.start(keysOf(20), { campaign }).ended);
			world.table.entries = world.table.entries.slice(5);
			const before = world.accepted.length;
			for (let attempt = 0; attempt < 3; attempt++) {
				Object.assign(world.table, { lost, answers: 0 });
				await world.clock.run(world.start(keysOf(30), { campaign }).ended);
				expect(world.accepted.length).toBe(before);
			}
		},
	);

	test.each([1, 60])(
		'a last one is always there, and behind %i customers at their end',
		async (customers) => {
			const world = new World();
			const last = () => world.table.entries.findLastIndex((entry) => entry.startsWith('last'));
			world.table.onRemoval = () => {
				if (world.accepted.length > 0 && last() < 0) throw new Error('no last marker');
			};
			await world.clock.run(world.start(keysOf(customers), { campaign }).ended);
			expect(last()).toBe(world.table.entries.length - 1);
			expect(world.accepted).toHaveLength(customers);
		},
	);

	test('the last ones are behind the customers at the end, even if adding them failed', async () => {
		const world = new World();
		world.table.rejectsAfterRemoval = 2;
		await world.clock.run(world.start(['a'], { campaign }).ended);
		expect(world.table.rejectsAfterRemoval).toBe(0);
		const [before, after] = ['claim a', 'last'].map((name) =>
			world.table.entries.findLastIndex((entry) => entry.startsWith(name)),
		);
		expect(before).toBeLessThan(Number(after));
	});

	test('executions of single customers that overlap leave a last one', async () => {
		for (let laterMs = 0; laterMs < 60; laterMs += 3) {
			const world = new World();
			const claims = new KeyClaims();
			await world.clock.run(world.start(['a'], { campaign, claims }).ended);
			const one = world.start(['b'], { campaign, claims });
			await world.clock.advance(laterMs);
			const other = world.start(['c'], { campaign, claims });
			await world.clock.run(Promise.all([one.ended, other.ended]));
			expect([laterMs, world.table.entries.some((entry) => entry.startsWith('last'))]).toEqual([
				laterMs,
				true,
			]);
		}
	});
});

describe('a batch that should end within a second', () => {
	const late = { isLate: true };

	test('writes nothing if it does', async () => {
		const world = new World();
		const run = world.start(keysOf(45), late);
		await world.clock.run(run.ended);
		await world.clock.advance(5000);
		expect([count(run.customers, 'accepted'), world.table.writes]).toEqual([45, 0]);
	});

	test('that takes longer and is killed: nobody twice, nobody missing, few in doubt', async () => {
		for (const killMs of [1200, 3000, 6000]) {
			const world = new World();
			const killed = world.start(keysOf(45), { ...late, requestsPerSecond: 5 });
			await world.clock.advance(killMs);
			killed.die();
			const retry = world.start(keysOf(45));
			await world.clock.run(retry.ended);
			const inDoubt = count(retry.customers, 'unknown');
			expect([killMs, world.twice]).toEqual([killMs, 0]);
			expect(inDoubt).toBeLessThanOrEqual(10);
			expect(world.accepted.length + inDoubt).toBeGreaterThanOrEqual(45);
		}
	});

	test('with calls that hang, killed: those are in doubt', async () => {
		const world = new World();
		world.onTheWayMs = 10_000;
		const killed = world.start(['a', 'b'], late);
		await world.clock.advance(3000);
		killed.die();
		world.onTheWayMs = 15;
		const retry = world.start(['a', 'b', 'c']);
		await world.clock.run(retry.ended);
		await world.clock.advance(10_000);
		expect(retry.customers.map((one) => resultOf(one)?.outcome)).toEqual(['unknown', 'unknown', 'accepted']);
		expect(world.twice).toBe(0);
	});

	test('while the early ones are stored, nobody leaves who is not stored', async () => {
		const world = new World();
		world.table.changeMs = [4000];
		const run = world.start(keysOf(45), { ...late, requestsPerSecond: 10 });
		await world.clock.advance(1100);
		const before = world.accepted.length;
		await world.clock.advance(3500);
		// One had its slot.
		expect(world.accepted.length).toBeLessThanOrEqual(before + 1);
		await world.clock.run(run.ended);
		expect([world.accepted.length, world.twice]).toEqual([45, 0]);
	});

	test('waits for a database that is away when it opens, and loses nobody', async () => {
		const world = new World();
		const run = world.start(keysOf(45), { ...late, requestsPerSecond: 5 });
		world.table.isDown = true;
		await world.clock.advance(4000);
		const meanwhile = world.accepted.length;
		expect(meanwhile).toBeLessThanOrEqual(10);
		world.table.isDown = false;
		await world.clock.run(run.ended);
		expect([world.accepted.length, world.twice]).toEqual([45, 0]);
		await world.clock.advance(5000);
		expect([...world.table.entries].filter((entry) => entry.startsWith('pending'))).toEqual([]);
	});
});
