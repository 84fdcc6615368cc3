// The goals for an account that several programs use, each of which ends the others' token when it fetches its own.
import { TokenSession } from '../../nodes/sobot/token/tokenSession';
import { Batch, CredentialStore, SeededClock, SharedAccount } from './sharedAccount.mts';

jest.setTimeout(60_000);

const SEEDS = [1, 2];
const HOUR_MS = 3_600_000;

const customers = (name: string, count: number) => Array.from({ length: count }, (_, i) => `${name}-${i}`);

/** An account whose first token is dead, and that batches of `sizes` start to use at the same moment. */
function setUp(seed: number, sizes: readonly number[], { oneWayMs = 15, isStoreShared = false } = {}) {
	const clock = new SeededClock(seed);
	const account = new SharedAccount(clock, oneWayMs);
	account.issue();
	const oneStore = new CredentialStore(account);
	const sessions = sizes.map(() => new TokenSession(clock));
	const batches = sizes.map((size, index) => {
		const store = isStoreShared ? oneStore : new CredentialStore(account);
		const session = sessions[index] as TokenSession;
		store.stored = {
			value: 'token-0',
			fetchedAtMs: clock.epochMs() - HOUR_MS,
			expiresAtMs: clock.epochMs() + HOUR_MS,
		};
		session.begin(store.stored);
		return new Batch(account, session, store, customers(String(index), size));
	});
	const run = async () => await Promise.all(batches.map(async (batch) => await batch.run()));
	return { clock, account, sessions, run, all: sizes.flatMap((size, i) => customers(String(i), size)) };
}

describe('beside a program that fetches a token every second', () => {
	test.each([
		[15, 0.85],
		[50, 0.7],
	])(
		'with Sobot %i ms away, 500 customers are accepted once, at %d of the limit',
		async (oneWayMs, share) => {
			const shares: number[] = [];
			for (let seed = 1; seed <= 6; seed++) {
				const { clock, account, run, all } = setUp(seed, [500], { oneWayMs });
				void account.neighbor(1);
				await clock.advance(seed * 120);
				const [result] = await clock.run(run());
				account.isNeighborActive = false;
				expect([...account.accepted].sort()).toEqual(all.sort());
				shares.push(500 / 50 / (result?.seconds ?? Infinity));
			}
			expect(shares.reduce((sum, one) => sum + one, 0) / shares.length).toBeGreaterThanOrEqual(share);
			expect(Math.min(...shares)).toBeGreaterThanOrEqual(share - 0.05);
		},
	);
});

describe.each([
	[2, 15, 20],
	[3, 15, 40],
	[4, 15, 60],
	[4, 300, 60],
])('%i credentials of one account, Sobot %i ms away', (renewers, oneWayMs, mostRequests) => {
	test.each(SEEDS)(
		`500 customers each are accepted once, with at most ${mostRequests} token requests (seed %i)`,
		async (seed) => {
			const { clock, account, run, all } = setUp(seed, Array<number>(renewers).fill(500), { oneWayMs });
			await clock.run(run());
			expect([...account.accepted].sort()).toEqual(all.sort());
			expect(account.requestsMs.length).toBeLessThanOrEqual(mostRequests);
		},
	);
});

describe.each([2, 5, 20])('beside a program that fetches a token %i times a second', (callsPerSecond) => {
	test('a batch asks ever less often, and at its end says why', async () => {
		const { clock, account, run } = setUp(1, [1]);
		await clock.run(run());
		void account.neighbor(callsPerSecond);
		const startedMs = clock.nowMs();
		const store = new CredentialStore(account);
		const session = new TokenSession(clock);
		session.begin(await clock.run(store.renew()));
		session.confirm(await clock.run(session.token(store)));
		void new Batch(account, session, store, customers('more', 10_000)).run();
		await clock.advance(300_000);
		account.isNeighborActive = false;
		const seconds = account.requestsMs.map((ms) => (ms - startedMs) / 1000).filter((second) => second > 0);
		expect(seconds.filter((second) => second < 100).length).toBeLessThanOrEqual(40);
		expect(seconds.length).toBeLessThanOrEqual(90);
		expect(seconds.length).toBeGreaterThan(20);
		expect(session.contention).toMatchObject({
			message: 'Another program keeps replacing the token of this Sobot account.',
			transient: true,
		});
	});
});

test('a batch that loses every token until it gives up ends with the reason', async () => {
	const { clock, account, sessions, run } = setUp(1, [100]);
	const [session] = sessions;
	session?.confirm({ value: 'token-0', fetchedAtMs: 0, expiresAtMs: 0 });
	account.answersAll = '900002';
	const [result] = await clock.run(run());
	expect(result?.failures.map(({ message }) => message)).toEqual(
		Array<string>(100).fill('Another program keeps replacing the token of this Sobot account.'),
	);
	expect(result?.seconds).toBeLessThan(360);
	expect(account.requestsMs.length).toBeLessThanOrEqual(50);
});

describe('a header that never arrives', () => {
	test('as 900001: 1,000 customers cost two tokens, and hear that a proxy strips it', async () => {
		const { clock, account, run } = setUp(1, [1000]);
		account.answersAll = '900001';
		const [result] = await clock.run(run());
		expect(result?.failures.length).toBe(1000);
		expect(result?.failures[0]).toMatchObject({ retCode: '900001', transient: false });
		expect(result?.seconds).toBeLessThan(5);
		expect(account.requestsMs.length).toBe(2);
	});

	test('as 900002: 1,000 customers cost three tokens, and one more a minute, and hear of both reasons', async () => {
		const { clock, account, run } = setUp(1, [1000]);
		account.answersAll = '900002';
		const startedMs = clock.nowMs();
		const [result] = await clock.run(run());
		expect(result?.failures.length).toBe(1000);
		expect(result?.failures[0]?.advice).toMatch(/Find the program.*no proxy changes the header/);
		const seconds = account.requestsMs.map((ms) => (ms - startedMs) / 1000);
		expect(seconds.filter((second) => second < 60).length).toBe(3);
		expect(seconds.length).toBeLessThanOrEqual(8);
		expect(result?.seconds).toBeLessThan(360);
	});

	test('and then does again, without a new token: sending continues', async () => {
		const { clock, account, run, all } = setUp(1, [100]);
		account.answersAll = '900002';
		const running = run();
		await clock.advance(30_000);
		account.answersAll = undefined;
		await clock.run(running, 20_000);
		expect([...account.accepted].sort()).toEqual(all.sort());
		expect(account.requestsMs.length).toBe(3);
	});
});

test.each(SEEDS)(
	'four processes that share one store replace a killed token with one request in at least 19 of 20 rounds (seed %i)',
	async (seed) => {
		const { clock, account, run } = setUp(seed, [1600, 1600, 1600, 1600], { isStoreShared: true });
		const running = run();
		const rounds: number[] = [];
		await clock.advance(1500);
		for (let round = 0; round < 20; round++) {
			const before = account.requestsMs.length;
			account.issue();
			await clock.advance(1500);
			rounds.push(account.requestsMs.length - before);
		}
		await clock.run(running);
		expect(new Set(account.accepted).size).toBe(6400);
		expect(account.accepted.length).toBe(6400);
		expect(rounds.filter((requests) => requests === 1).length).toBeGreaterThanOrEqual(19);
	},
);
