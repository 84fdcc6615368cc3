import { getEventListeners } from 'node:events';
import type { Token } from '../../nodes/sobot/account/account';
import { TokenError } from '../../nodes/sobot/token/tokenApi';
import { pickRenewalMoment, TokenSession, type TokenStore } from '../../nodes/sobot/token/tokenSession';
import { settle, SimulatedClock } from '../support/clock.mts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** n8n's database, and Sobot behind it. */
class FakeStore implements TokenStore {
	stored: Token | undefined;
	reads = 0;
	renewals = 0;
	failReadWith: unknown;
	failWith: unknown;
	lifeMs: number;
	/** the values that Sobot issues; t1, t2, ... without */
	values: string[] = [];

	constructor(
		private readonly clock: SimulatedClock,
		lifeMs = DAY_MS,
	) {
		this.lifeMs = lifeMs;
	}

	token(value: string): Token {
		return { value, fetchedAtMs: this.clock.epochMs(), expiresAtMs: this.clock.epochMs() + this.lifeMs };
	}

	async read(): Promise<Token | undefined> {
		this.reads++;
		// n8n's database layer may reject with anything.
		if (this.failReadWith) return await Promise.reject(this.failReadWith as Error);
		return this.stored;
	}

	async renew(): Promise<Token> {
		this.renewals++;
		const token = this.token(this.values.shift() ?? `t${this.renewals}`);
		await this.clock.sleep(100);
		if (this.failWith) return await Promise.reject(this.failWith as Error);
		this.stored = token;
		return token;
	}
}

function setUp(lifeMs?: number) {
	const clock = new SimulatedClock();
	const store = new FakeStore(clock, lifeMs);
	const session = new TokenSession(clock);
	/** Begins with a token that Sobot has accepted. */
	const begin = (value = 'old') => {
		const token = store.token(value);
		store.stored = token;
		session.begin(token);
		session.confirm(token);
		return token;
	};
	const replace = async (token: Token, retCode?: string) =>
		await clock.run(session.replace(token, store, undefined, retCode));
	return { clock, store, session, begin, replace };
}

const down = () => new TokenError('down', '', null, true);

/** The TokenError that a promise rejects with. */
async function failureOf(promise: Promise<unknown>): Promise<TokenError> {
	const error = await promise.then(
		() => undefined,
		(reason: unknown) => reason,
	);
	if (!(error instanceof TokenError)) throw new Error('Not a TokenError', { cause: error });
	return error;
}

test('fetches one token when fifty items start together', async () => {
	const { clock, store, session } = setUp();
	session.begin(undefined);
	expect(session.hasHadToken).toBe(false);
	const all = Promise.all(Array.from({ length: 50 }, async () => await session.token(store)));
	expect(new Set((await clock.run(all)).map(({ value }) => value))).toEqual(new Set(['t1']));
	expect(store.renewals).toBe(1);
	expect(session.hasHadToken).toBe(true);
});

test('uses the stored token without reading the store again', async () => {
	const { clock, store, session, begin } = setUp();
	begin('stored');
	for (let i = 0; i < 100; i++) expect((await session.token(store)).value).toBe('stored');
	await clock.advance(HOUR_MS);
	expect((await session.token(store)).value).toBe('stored');
	expect([store.reads, store.renewals]).toEqual([0, 0]);
});

describe('a refused token', () => {
	test('is replaced once for all items that it was refused for', async () => {
		const { clock, store, session, begin } = setUp();
		const old = begin();
		const all = Promise.all(Array.from({ length: 50 }, async () => await session.replace(old, store)));
		expect((await clock.run(all)).every(({ value }) => value === 't1')).toBe(true);
		expect((await session.replace(old, store)).value).toBe('t1');
		expect(store.renewals).toBe(1);
	});

	test('is replaced by the one that another process has stored meanwhile', async () => {
		const { clock, store, session, begin } = setUp();
		const old = begin();
		await clock.advance(1000);
		store.stored = store.token('theirs');
		expect(await session.replace(old, store)).toEqual(store.stored);
		expect(store.renewals).toBe(0);
	});

	test('is replaced by the one that another process stores during the wait', async () => {
		const { clock, store, session, begin } = setUp();
		const replacing = session.replace(begin(), store);
		await clock.advance(100);
		store.stored = store.token('theirs');
		expect((await clock.run(replacing)).value).toBe('theirs');
		expect(store.renewals).toBe(0);
	});

	test('is not used again because the store still has it, or an execution begins with it', async () => {
		const { clock, store, session, begin, replace } = setUp();
		const old = begin();
		await clock.advance(10);
		const first = await replace(old);
		session.confirm(first);
		await clock.advance(HOUR_MS);
		store.stored = old;
		session.begin(old);
		expect((await replace(first)).value).toBe('t2');
		session.begin(first);
		expect(session.ready(store)?.value).toBe('t2');
	});

	test('that was replaced long ago neither ends the current token nor revives another', async () => {
		const { clock, store, session, begin, replace } = setUp();
		const old = begin();
		const first = await replace(old);
		session.confirm(first);
		await clock.advance(HOUR_MS);
		const replacing = session.replace(first, store);
		expect((await clock.run(session.replace(old, store))).value).toBe('t2');
		expect((await replacing).value).toBe('t2');
		expect(session.isCurrent(first)).toBe(false);
		expect((await session.replace(old, store)).value).toBe('t2');
		expect(store.renewals).toBe(2);
	});

	test('that was replaced before its refusal came does not count against the current one', async () => {
		const { store, session, begin, replace } = setUp();
		const token = await replace(begin());
		for (let i = 0; i < 5; i++) {
			expect(await session.replace(store.token(`older-${i}`), store)).toEqual(token);
		}
		expect(session.contention).toBeUndefined();
		expect(store.renewals).toBe(1);
	});

	test('is forgotten after fifty others, so that a session does not grow', async () => {
		const { clock, store, session, begin } = setUp();
		begin();
		for (let i = 0; i < 51; i++) await session.replace(store.token(`other-${i}`), store);
		await clock.advance(1000);
		session.begin(store.token('other-1'));
		expect(session.ready(store)?.value).toBe('old');
		session.begin(store.token('other-0'));
		expect(session.ready(store)?.value).toBe('other-0');
	});

	test('that Sobot issues again is used again', async () => {
		const { store, session, begin, replace } = setUp();
		store.values = ['old'];
		expect((await replace(begin())).value).toBe('old');
		expect(session.ready(store)?.value).toBe('old');
	});
});

describe('a renewal that another execution has begun', () => {
	const failing = (transient: boolean) => {
		const { clock, store, session, begin } = setUp();
		const theirs = new FakeStore(clock);
		theirs.failWith = new TokenError('not here', '', null, transient);
		const old = begin();
		const both = [session.replace(old, theirs), session.replace(old, store), session.replace(old, store)];
		return { store, outcomes: clock.run(Promise.allSettled(both)) };
	};

	test('and that its credential or engine may have kept from succeeding: the others make one of their own', async () => {
		const { store, outcomes } = failing(false);
		const [theirs, ...ours] = await outcomes;
		expect(theirs).toMatchObject({ status: 'rejected', reason: { message: 'not here' } });
		expect(ours).toMatchObject(Array(2).fill({ status: 'fulfilled', value: { value: 't1' } }));
		expect(store.renewals).toBe(1);
	});

	test('and that has not succeeded for a transient reason: nobody asks again', async () => {
		const { store, outcomes } = failing(true);
		expect((await outcomes).map(({ status }) => status)).toEqual(Array(3).fill('rejected'));
		expect(store.renewals).toBe(0);
	});

	test.each([
		['Sobot refuses: once for all', '900003', [1, 0, 0, 0, 0]],
		['n8n does not get that far: each of the others asks once', null, [1, 1, 1, 1, 1]],
	])('in vain, since %s', async (_, retCode, renewals) => {
		const { clock, session, begin } = setUp();
		const old = begin();
		const stores = Array.from({ length: 5 }, () => new FakeStore(clock));
		for (const store of stores) store.failWith = new TokenError('refused', '', retCode, false);
		const all = stores.flatMap((store) => [session.replace(old, store), session.replace(old, store)]);
		const outcomes = await clock.run(Promise.allSettled(all), 10_000);
		expect(outcomes.map(({ status }) => status)).toEqual(Array(10).fill('rejected'));
		expect(stores.map((store) => store.renewals)).toEqual(renewals);
	});
});

test('is not stuck after a failed renewal: the next call tries again', async () => {
	const { clock, store, session } = setUp();
	store.failWith = down();
	expect(await failureOf(clock.run(session.token(store)))).toBe(store.failWith);
	store.failWith = undefined;
	expect((await clock.run(session.token(store))).value).toBe('t2');
});

test.each([
	['an Error', new Error('SQLITE_BUSY')],
	['a text', 'gone'],
	['an object', { code: 'ECONNREFUSED' }],
])("reports n8n's database in its own words when it rejects with %s", async (_, reason) => {
	const { clock, store, session, begin } = setUp();
	const old = begin();
	store.failReadWith = reason;
	expect(await failureOf(clock.run(session.replace(old, store)))).toMatchObject({
		message: 'n8n could not read the stored credential.',
		retCode: null,
		transient: true,
	});
	store.failReadWith = undefined;
	store.failWith = reason;
	expect(await failureOf(clock.run(session.token(store)))).toMatchObject({
		message: 'n8n could not renew the token in the stored credential.',
		transient: true,
	});
	store.failWith = undefined;
	expect((await clock.run(session.token(store))).value).toBe('t2');
});

test('accepting a late answer for an older token does not bring it back', async () => {
	const { session, begin, replace } = setUp();
	const old = begin();
	const token = await replace(old);
	session.confirm(old);
	expect([session.isCurrent(old), session.isCurrent(token)]).toEqual([false, true]);
});

describe('new tokens that never work', () => {
	test('because none arrives: two, then one a minute', async () => {
		const { clock, store, session } = setUp();
		const failing = async () => {
			for (;;) await session.replace(await session.token(store), store, undefined, '900001');
		};
		const failed = await failureOf(clock.run(failing()));
		expect(failed).toMatchObject({ retCode: '900001', transient: false });
		for (let i = 0; i < 1000; i++) await expect(failing()).rejects.toEqual(failed);
		expect(store.renewals).toBe(2);
		await clock.advance(60_000);
		expect(await failureOf(clock.run(failing()))).toMatchObject({ transient: false });
		expect(store.renewals).toBe(3);
		// The last one stays in use: an accepted call shows that it arrives after all.
		const token = await session.token(store);
		expect(token.value).toBe('t3');
		session.confirm(token);
		expect((await clock.run(session.replace(token, store))).value).toBe('t4');
	});

	test('for another reason: three, then one a minute, since another program may be the cause', async () => {
		const { clock, store, session } = setUp();
		const failing = async () => {
			for (;;) await session.replace(await session.token(store), store, undefined, '900002');
		};
		const failed = await failureOf(clock.run(failing()));
		expect(failed).toMatchObject({ retCode: '900002', transient: true });
		for (let i = 0; i < 1000; i++) await expect(failing()).rejects.toEqual(failed);
		expect(store.renewals).toBe(3);
		await clock.advance(60_000);
		await failureOf(clock.run(failing()));
		expect(store.renewals).toBe(4);
		// The last one stays in use: an accepted call ends the hold.
		const token = await session.token(store);
		session.confirm(token);
		expect((await clock.run(session.replace(token, store, undefined, '900002'))).value).toBe('t5');
	});

	test('for another reason, where Sobot has accepted a call before: ever less often, and the reason is known', async () => {
		const { clock, store, begin, replace, session } = setUp();
		let token = begin();
		const startMs = clock.nowMs();
		const askedAtMs: number[] = [];
		clock.chance = 0;
		for (let i = 0; i < 8; i++) {
			token = await replace(token, '900002');
			askedAtMs.push(clock.nowMs() - startMs - 100 * (i + 1));
		}
		expect(askedAtMs).toEqual([0, 0, 500, 2500, 10_500, 20_500, 30_500, 40_500]);
		expect(session.contention?.transient).toBe(true);
		expect(store.renewals).toBe(8);
	});
});

test('a token that works for a while ends the contention', async () => {
	const { clock, begin, replace, session } = setUp();
	let token = begin();
	for (let i = 0; i < 3; i++) token = await replace(token);
	expect(session.contention?.message).toBe(
		'Another program keeps replacing the token of this Sobot account.',
	);
	for (let i = 0; i < 10; i++) {
		session.confirm(token);
		await clock.advance(HOUR_MS);
		token = await replace(token);
	}
	expect(session.contention).toBeUndefined();
});

describe('an abort', () => {
	test.each(['token', 'replace'] as const)(
		'ends the wait of %s at once, and of nobody else',
		async (method) => {
			const { clock, store, session, begin } = setUp();
			const old = begin();
			await clock.advance(DAY_MS);
			const abort = new AbortController();
			const wait = async (signal?: AbortSignal) =>
				method === 'token' ? await session.token(store, signal) : await session.replace(old, store, signal);
			const [ended, other] = [failureOf(wait(abort.signal)), wait()];
			await settle();
			abort.abort();
			expect((await ended).transient).toBe(true);
			expect((await clock.run(other)).value).toBe('t1');
			expect(store.renewals).toBe(1);
		},
	);

	test('is listened to without a warning and without a trace, however many callers wait', async () => {
		const { clock, store, session, begin } = setUp();
		const [old, { signal }] = [begin(), new AbortController()];
		const warned = jest.spyOn(process, 'emitWarning');
		const waits = Array.from({ length: 20 }, async () => await session.replace(old, store, signal));
		await settle();
		expect(getEventListeners(signal, 'abort').length).toBeLessThanOrEqual(1);
		await clock.run(Promise.all(waits));
		expect(getEventListeners(signal, 'abort')).toEqual([]);
		expect(warned).not.toHaveBeenCalled();
	});

	test('before the wait starts nothing', async () => {
		const { store, session } = setUp();
		await failureOf(session.token(store, AbortSignal.abort()));
		expect([store.reads, store.renewals]).toEqual([0, 0]);
	});
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

	test('runs in the background, while the batch continues with the old token', async () => {
		const { clock, store, session, begin } = setUp();
		begin();
		await clock.advance(DAY_MS - 7.5 * 60_000);
		expect((await session.token(store)).value).toBe('old');
		await clock.advance(100);
		expect((await session.token(store)).value).toBe('t1');
		expect(store.renewals).toBe(1);
	});

	test('reads the store first, and renews only if nobody has', async () => {
		const { clock, store, session, begin } = setUp();
		begin();
		await clock.advance(DAY_MS - 7.5 * 60_000);
		store.stored = store.token('theirs');
		await session.token(store);
		await clock.advance(0);
		expect((await session.token(store)).value).toBe('theirs');
		expect([store.reads, store.renewals]).toEqual([1, 0]);
	});

	test('that fails leaves the old token in use, and is tried again before its end', async () => {
		const { clock, store, session, begin } = setUp();
		begin();
		await clock.advance(DAY_MS - 7.5 * 60_000);
		store.failWith = down();
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
	const { clock, store, session, begin } = setUp();
	begin();
	await clock.advance(DAY_MS);
	expect((await clock.run(session.token(store))).value).toBe('t1');
});

describe('the wall clock jumps', () => {
	test.each([HOUR_MS, -HOUR_MS, 2 * DAY_MS, -2 * DAY_MS])(
		'by %i ms: sending goes on, with at most one needless renewal',
		async (jumpMs) => {
			const { clock, store, session, begin } = setUp();
			begin();
			clock.wallOffsetMs = jumpMs;
			const startMs = clock.nowMs();
			await clock.run(session.token(store));
			await clock.advance(1000);
			for (let i = 0; i < 100; i++) await clock.run(session.token(store));
			expect(clock.nowMs() - startMs).toBeLessThan(2500);
			expect(store.renewals).toBeLessThanOrEqual(1);
		},
	);

	test('during a pause: it ends in its time', async () => {
		const { clock, store, session, begin, replace } = setUp();
		let token = begin();
		for (let i = 0; i < 4; i++) token = await replace(token);
		const replacing = session.replace(token, store);
		await clock.advance(100);
		clock.wallOffsetMs = -HOUR_MS;
		expect((await clock.run(replacing, 11_000)).value).toBe('t5');
	});
});
