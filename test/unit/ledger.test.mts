import { BatchRecord } from '../../nodes/sobot/batchRecord';
import { CanvasTrust } from '../../nodes/sobot/canvasTrust';
import { deliver, type Customer, type DeliveryOptions } from '../../nodes/sobot/delivery';
import { LateLedger } from '../../nodes/sobot/lateLedger';
import type { EntryStore } from '../../nodes/sobot/entries';
import { KeyClaims } from '../../nodes/sobot/keyClaims';
import { Ledger, type LedgerOptions } from '../../nodes/sobot/ledger';
import { RateLimiter } from '../../nodes/sobot/rateLimiter';
import { TokenSession } from '../../nodes/sobot/tokenSession';
import { SimulatedClock } from '../support/clock.mts';

/** n8n's deduplication table: written at once, and what is written back was read a moment before. */
class Table implements EntryStore {
	entries = new Set<string>();
	writes = 0;
	/** how long writes take, one after the other */
	writeMs = [4];
	private asked = 0;
	isDown = false;
	/** how many removals are still to fail */
	rejectedRemovals = 0;

	constructor(private readonly clock: SimulatedClock) {}

	async add(entries: string[]): Promise<ReadonlySet<string>> {
		return await this.write((read) => {
			const known = new Set(entries.filter((entry) => read.has(entry)));
			for (const entry of entries) read.add(entry);
			return known;
		});
	}

	async remove(entries: string[]): Promise<void> {
		if (this.rejectedRemovals > 0) {
			this.rejectedRemovals--;
			throw new Error('the database is away');
		}
		await this.write((read) => {
			for (const entry of entries) read.delete(entry);
		});
	}

	private async write<T>(change: (read: Set<string>) => T): Promise<T> {
		const read = new Set(this.entries);
		await this.clock.sleep(this.writeMs[this.asked++ % this.writeMs.length] ?? 0);
		if (this.isDown) throw new Error('the database is away');
		const result = change(read);
		this.entries = read;
		this.writes++;
		return result;
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

	/** One process: `die` is a SIGKILL, after which nothing of it goes on. */
	start(
		keys: readonly string[],
		{
			stopsOnFailure = false,
			requestsPerSecond = 50,
			isLate = false,
			isRetry = false,
			...more
		}: Partial<LedgerOptions> & {
			stopsOnFailure?: boolean;
			requestsPerSecond?: number;
			isLate?: boolean;
			/** looks up what a batch without keys has left */
			isRetry?: boolean;
		} = {},
		identityOf: (index: number) => string = () => '',
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
		const customers: Customer[] = keys.map((key, index) => ({
			body: key,
			...(isLate ? {} : { key }),
			identity: identityOf(index),
		}));
		const parts = {
			store: {
				add: async (entries: string[]) => await guarded(table.add(entries)),
				remove: async (entries: string[]) => await guarded(table.remove(entries)),
			},
			claims: new KeyClaims(),
			clock,
		};
		const open = () =>
			new Ledger({
				...parts,
				isConsulted: true,
				isForBatch: isRetry,
				sendsDoubtful: false,
				...more,
			});
		const openLate = async () => {
			await guarded(table.add(['batch']));
			for (const customer of customers) customer.key = customer.body;
			return open();
		};
		const ledger = isLate ? new LateLedger(openLate, clock) : open();
		const options: DeliveryOptions = {
			rateLimiter: new RateLimiter(clock),
			session,
			store: { read: async () => token, renew: async () => token },
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
				if (this.refuse(body)) return { statusCode: 400, body: '{"ret_code":"910026"}' };
				this.accepted.push(body);
				await clock.sleep(15);
				return await guarded(Promise.resolve({ statusCode: 200, body: '{"ret_code":"000000"}' }));
			},
		};
		const ended = (async () => {
			if (isRetry) await new BatchRecord('batch', 'run', parts).lookUp(customers, 'sent', false, () => true);
			await deliver(customers, options);
			await ledger.close();
		})();
		const die = () => {
			isDead = true;
			dies.abort();
		};
		return { customers, ended, die, stop: () => dies.abort(), ledger };
	}

	get twice(): number {
		return this.accepted.length - new Set(this.accepted).size;
	}
}

const keysOf = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `k${from + i}`);
const count = (customers: readonly Customer[], outcome: string | undefined) =>
	customers.filter(({ result }) => result?.outcome === outcome).length;

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

test('keeps two entries for each key that was sent, and none for one that was refused', async () => {
	const world = new World();
	world.refuse = (key) => key === 'k3';
	const run = world.start(keysOf(10));
	await world.clock.run(run.ended);
	expect([...world.table.entries].sort()).toEqual(
		keysOf(10)
			.filter((key) => key !== 'k3')
			.flatMap((key) => [`sent ${key}`, `owner ${key} `])
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
	expect(again.customers.map(({ result }) => result?.outcome)).toEqual([
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
	expect(run.customers.map(({ result }) => result?.outcome)).toEqual([
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
	expect(claims.isIdle).toBe(true);
});

test('a key that was used for another customer is refused, and neither sent nor taken for sent', async () => {
	const world = new World();
	const first = world.start(['fixed text']);
	await world.clock.run(first.ended);
	const second = world.start(['fixed text', 'fixed text'], {}, (index) => `customer ${index}`);
	await world.clock.run(second.ended);
	expect(second.customers.map(({ result }) => result?.outcome)).toEqual(['notSent', 'notSent']);
	expect(world.accepted).toEqual(['fixed text']);
	const third = world.start(['fixed text']);
	await world.clock.run(third.ended);
	expect(count(third.customers, 'alreadySent')).toBe(1);
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

test('a late refusal of a stopped batch without keys takes nothing from the next one', async () => {
	const world = new World();
	const forBatch = { isForBatch: true, isConsulted: false };
	world.onTheWayMs = 3000;
	const stopped = world.start(keysOf(20), forBatch);
	await world.clock.advance(410);
	stopped.stop();
	await world.clock.run(stopped.ended);
	// A new execution with the same customers removes what the last one has left.
	world.table.entries.clear();
	world.onTheWayMs = 15;
	const again = world.start(keysOf(20), forBatch);
	await world.clock.advance(1500);
	expect(count(again.customers, 'accepted')).toBe(20);
	world.refuse = () => true;
	await world.clock.advance(5000);
	world.refuse = () => false;
	const retry = world.start(keysOf(20), { isRetry: true });
	await world.clock.run(retry.ended);
	expect([world.twice, count(retry.customers, 'alreadySent')]).toEqual([0, 20]);
});

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
	expect(again.customers.map(({ result }) => result?.outcome)).toEqual(['accepted', 'alreadySent']);
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
		expect(run.customers.map(({ result }) => result?.outcome)).toEqual([
			'accepted',
			'accepted',
			'alreadySent',
			'alreadySent',
		]);
		expect([...world.table.entries].sort()).toEqual(['owner a ', 'owner b ', 'sent a', 'sent b']);
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

test('killed at any moment and sent again: nobody twice, nobody missing, at most 60 in doubt', async () => {
	for (let killMs = 3; killMs < 5500; killMs += 211) {
		const world = new World();
		const killed = world.start(keysOf(250));
		await world.clock.advance(killMs);
		killed.die();
		const again = world.start(keysOf(250));
		await world.clock.run(again.ended);
		const doubtful = again.customers.filter(({ result }) => result?.outcome === 'unknown');
		expect([killMs, world.twice]).toEqual([killMs, 0]);
		expect(doubtful.length).toBeLessThanOrEqual(60);
		for (const { body, result } of again.customers) {
			const isThere = world.accepted.includes(body);
			if (result?.outcome !== 'unknown') expect([killMs, body, isThere]).toEqual([killMs, body, true]);
		}
	}
}, 60_000);

test('two processes with the same keys overwrite each other: once both have ended, nobody is sent again', async () => {
	let overwritten = 0;
	for (let laterMs = 1; laterMs < 500; laterMs += 31) {
		const world = new World();
		world.table.writeMs = [30, 7, 52, 15, 40];
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
	for (const { body, result } of third.customers)
		if (result?.outcome !== 'unknown') expect(world.accepted).toContain(body);
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
	const onlySent = world.accepted.flatMap((key) => [`sent ${key}`, `owner ${key} `]);
	expect(onlySent.length).toBeGreaterThan(40);
	expect([...world.table.entries].sort()).toEqual(onlySent.sort());
});

test('for a batch without keys it is only written, and everybody is sent', async () => {
	const world = new World();
	const forBatch = { isForBatch: true, isConsulted: false };
	await world.clock.run(world.start(keysOf(30), forBatch).ended);
	for (const key of keysOf(30)) expect(world.table.entries).toContain(`sent ${key}`);
	await world.clock.run(world.start(keysOf(30), forBatch).ended);
	expect(world.accepted.length).toBe(60);
});

test('costs at most eight writes a second, and 0.95 of the limit', async () => {
	const world = new World();
	const startMs = world.clock.nowMs();
	const run = world.start(keysOf(1000));
	await world.clock.run(run.ended);
	const seconds = (world.clock.nowMs() - startMs) / 1000;
	expect(1000 / seconds / 50).toBeGreaterThan(0.95);
	expect(world.table.writes / seconds).toBeLessThan(8);
});

test('one key for two canvases: the end of the batch does not take the refusal of one for that of the other', async () => {
	const { clock, table } = new World();
	const ledger = new Ledger({
		store: table,
		claims: new KeyClaims(),
		clock,
		isConsulted: true,
		isForBatch: false,
		sendsDoubtful: false,
	});
	const settle = (customer: Customer, outcome: 'accepted' | 'refused') => {
		customer.result = { outcome, retCode: null, message: '', advice: '' };
		ledger.record(customer);
	};
	const first: Customer = { body: '', key: 'K', identity: 'on canvas A' };
	const second: Customer = { body: '', key: 'K', identity: 'on canvas B' };
	await clock.run(ledger.admit([second]));
	settle(second, 'refused');
	await clock.advance(1000);
	await clock.run(ledger.admit([first]));
	settle(first, 'accepted');
	await clock.run(ledger.close());
	expect([...table.entries].sort()).toEqual(['owner K on canvas A', 'sent K']);
});

describe('a batch that should end within a second', () => {
	const late = { isLate: true, isForBatch: true, isConsulted: false };

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
			const retry = world.start(keysOf(45), { isRetry: true });
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
		const retry = world.start(['a', 'b', 'c'], { isRetry: true });
		await world.clock.run(retry.ended);
		await world.clock.advance(10_000);
		expect(retry.customers.map(({ result }) => result?.outcome)).toEqual(['unknown', 'unknown', 'accepted']);
		expect(world.twice).toBe(0);
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
		expect([...world.table.entries].filter((entry) => entry.startsWith('open'))).toEqual([]);
	});
});
