import type { Token } from '../../nodes/sobot/account';
import { TokenError } from '../../nodes/sobot/tokenApi';
import { pickRenewalMoment, TokenSession, type TokenStore } from '../../nodes/sobot/tokenSession';
import { SimulatedClock } from './clock.mts';

const DAY_MS = 86_400_000;

/** n8n's database, and Sobot behind it. */
class FakeStore implements TokenStore {
	stored: Token | undefined;
	reads = 0;
	renewals = 0;
	failWith: Error | undefined;

	constructor(
		private readonly clock: SimulatedClock,
		private readonly lifeMs = DAY_MS,
	) {}

	token(value: string): Token {
		return { value, fetchedAtMs: this.clock.nowMs(), expiresAtMs: this.clock.nowMs() + this.lifeMs };
	}

	async read(): Promise<Token | undefined> {
		this.reads++;
		return this.stored;
	}

	async renew(): Promise<Token> {
		this.renewals++;
		await this.clock.sleep(100);
		if (this.failWith) throw this.failWith;
		this.stored = this.token(`t${this.renewals}`);
		return this.stored;
	}
}

function setUp(lifeMs?: number) {
	const clock = new SimulatedClock();
	return { clock, store: new FakeStore(clock, lifeMs), session: new TokenSession(clock) };
}

test('fetches one token when fifty items start together', async () => {
	const { clock, store, session } = setUp();
	session.begin(undefined);
	const all = Promise.all(Array.from({ length: 50 }, async () => await session.token(store)));
	expect(new Set((await clock.run(all)).map(({ value }) => value))).toEqual(new Set(['t1']));
	expect(store.renewals).toBe(1);
});

test('uses the stored token without reading the store again', async () => {
	const { store, session, clock } = setUp();
	session.begin(store.token('stored'));
	for (let i = 0; i < 100; i++) expect((await session.token(store)).value).toBe('stored');
	await clock.advance(3_600_000);
	expect((await session.token(store)).value).toBe('stored');
	expect([store.reads, store.renewals]).toEqual([0, 0]);
});

test('shares one renewal among all items that were refused', async () => {
	const { clock, store, session } = setUp();
	const old = store.token('old');
	store.stored = old;
	session.begin(old);
	const all = Promise.all(Array.from({ length: 50 }, async () => await session.replace(old, store)));
	expect((await clock.run(all)).every(({ token }) => token.value === 't1')).toBe(true);
	expect((await session.replace(old, store)).token.value).toBe('t1');
	expect(store.renewals).toBe(1);
});

test('takes the token that another process has stored meanwhile', async () => {
	const { store, session, clock } = setUp();
	const old = store.token('old');
	session.begin(old);
	await clock.advance(1000);
	store.stored = store.token('theirs');
	expect(await session.replace(old, store)).toEqual({ token: store.stored, fetched: false });
	expect(store.renewals).toBe(0);
});

test('is not stuck after a failed renewal: the next call tries again', async () => {
	const { clock, store, session } = setUp();
	store.failWith = new TokenError('down', '', null, true);
	await expect(clock.run(session.token(store))).rejects.toThrow('down');
	store.failWith = undefined;
	expect((await clock.run(session.token(store))).value).toBe('t2');
});

test('does not go back to an older token that an execution read a moment too early', async () => {
	const { clock, store, session } = setUp();
	const old = store.token('old');
	store.stored = old;
	session.begin(old);
	await clock.advance(10);
	await clock.run(session.replace(old, store));
	session.begin(old);
	expect((await session.token(store)).value).toBe('t1');
});

describe('renewal ahead of the end', () => {
	test.each([
		[DAY_MS, 0, 10 * 60_000],
		[DAY_MS, 1, 5 * 60_000],
		[DAY_MS, 0.5, 7.5 * 60_000],
		[60_000, 0, 6000],
		[60_000, 1, 3000],
		[100 * 60_000, 0, 10 * 60_000],
	])('of a token that lives %i ms, at chance %d, is %i ms before it', (lifeMs, random, aheadMs) => {
		const token = { value: 't', fetchedAtMs: 5000, expiresAtMs: 5000 + lifeMs };
		expect(pickRenewalMoment(token, random)).toBe(token.expiresAtMs - aheadMs);
	});

	test('goes on in the background, while the batch goes on with the old token', async () => {
		const { clock, store, session } = setUp();
		store.stored = store.token('old');
		session.begin(store.stored);
		await clock.advance(DAY_MS - 7.5 * 60_000);
		expect((await session.token(store)).value).toBe('old');
		await clock.advance(100);
		expect((await session.token(store)).value).toBe('t1');
		expect(store.renewals).toBe(1);
	});

	test('reads the store first, and renews only if nobody has', async () => {
		const { clock, store, session } = setUp();
		session.begin(store.token('old'));
		await clock.advance(DAY_MS - 7.5 * 60_000);
		store.stored = store.token('theirs');
		await session.token(store);
		await clock.advance(0);
		expect((await session.token(store)).value).toBe('theirs');
		expect([store.reads, store.renewals]).toEqual([1, 0]);
	});

	test('that fails leaves the old token in use, and is tried again before its end', async () => {
		const { clock, store, session } = setUp();
		store.stored = store.token('old');
		session.begin(store.stored);
		await clock.advance(DAY_MS - 7.5 * 60_000);
		store.failWith = new TokenError('down', '', null, true);
		await session.token(store);
		await clock.advance(100);
		for (let i = 0; i < 100; i++) expect((await session.token(store)).value).toBe('old');
		expect(store.renewals).toBe(1);
		store.failWith = undefined;
		await clock.advance(70_000);
		expect((await session.token(store)).value).toBe('old');
		await clock.advance(100);
		expect((await session.token(store)).value).toBe('t2');
	});
});

test('waits for a new token once the recorded life is over', async () => {
	const { clock, store, session } = setUp();
	store.stored = store.token('old');
	session.begin(store.stored);
	await clock.advance(DAY_MS);
	expect((await clock.run(session.token(store))).value).toBe('t1');
});
