import type { HttpAnswer } from '../../nodes/sobot/outcome/answer';
import { TokenFetch } from '../../nodes/sobot/token/tokenFetch';
import { SimulatedClock } from '../support/clock.mts';

const ACCOUNT = { baseUrl: 'http://sobot.test', appId: 'app', appKey: 'key' };
const HOUR_MS = 3_600_000;

const success = (token: string, seconds = 86_400) => ({
	statusCode: 200,
	body: JSON.stringify({ item: { token, expires_in: String(seconds) }, ret_code: '000000' }),
});
const failure = (code: string) => ({ statusCode: 200, body: JSON.stringify({ ret_code: code }) });

/** A fetch, and a Sobot that answers with t1, t2, ... or with the `answers` of a test. */
function setUp() {
	const clock = new SimulatedClock();
	const fetch = new TokenFetch(clock);
	const sobot = {
		calls: 0,
		answers: [] as HttpAnswer[],
		send: async (): Promise<HttpAnswer> => {
			sobot.calls++;
			await clock.sleep(100);
			return sobot.answers.shift() ?? success(`t${sobot.calls}`);
		},
	};
	const get = async (previous?: { fetchedAtMs: number }) =>
		await clock.run(fetch.fetch(ACCOUNT, sobot.send, previous?.fetchedAtMs));
	const getNew = async () => await get({ fetchedAtMs: Infinity });
	return { clock, fetch, sobot, get, getNew };
}

test('asks once for all concurrent callers', async () => {
	const { clock, fetch, sobot } = setUp();
	const all = Promise.all(
		Array.from(
			{ length: 50 },
			async (_, i) => await fetch.fetch(ACCOUNT, sobot.send, i % 2 ? undefined : Infinity),
		),
	);
	expect(new Set((await clock.run(all)).map(({ value }) => value))).toEqual(new Set(['t1']));
	expect(sobot.calls).toBe(1);
});

test('asks again to replace the token that it gave', async () => {
	const { get } = setUp();
	expect((await get(await get())).value).toBe('t2');
});

test('asks again after a failure', async () => {
	const { sobot, get } = setUp();
	sobot.answers = [failure('900003')];
	await expect(get()).rejects.toThrow('did not accept the signature (900003)');
	expect((await get()).value).toBe('t2');
});

test('returns the newest token to callers holding an older one or racing with the fetch', async () => {
	const { clock, get } = setUp();
	const first = await get();
	await clock.advance(60_000);
	const second = await get(first);
	await clock.advance(5000);
	expect(await get(first)).toEqual(second);
	expect(await get()).toEqual(second);
	await clock.advance(6000);
	expect((await get()).value).toBe('t3');
});

test('does not return a token that is older than the previous one', async () => {
	const { clock, get } = setUp();
	await get();
	await clock.advance(1000);
	expect((await get({ fetchedAtMs: clock.epochMs() })).value).toBe('t2');
});

test('does not return a token that has expired', async () => {
	const { clock, get } = setUp();
	await get();
	await clock.advance(25 * HOUR_MS);
	expect((await get({ fetchedAtMs: 0 })).value).toBe('t2');
});

test('always asks for a new token when told to, however young the last one is', async () => {
	const { get, getNew } = setUp();
	await get();
	expect((await getNew()).value).toBe('t2');
	expect((await getNew()).value).toBe('t3');
});

describe('the wall clock jumps', () => {
	test('back: a token of the future is not handed out as new', async () => {
		const { clock, get } = setUp();
		await get();
		clock.wallOffsetMs = -HOUR_MS;
		await clock.advance(HOUR_MS / 2);
		expect((await get()).value).toBe('t2');
	});

	test.each([HOUR_MS, -HOUR_MS])('by %i ms: it costs one more request at most', async (jumpMs) => {
		const { clock, sobot, get } = setUp();
		const first = await get();
		clock.wallOffsetMs = jumpMs;
		for (let i = 0; i < 10; i++) await get();
		expect(sobot.calls).toBeLessThanOrEqual(2);
		const last = await get();
		expect((await get(last)).value).not.toBe(last.value);
		expect((await get(last)).value).not.toBe(first.value);
	});

	test('in the middle of a round of tries: the round ends in its time', async () => {
		const { clock, fetch } = setUp();
		const send = async () => {
			clock.wallOffsetMs -= HOUR_MS;
			return failure('999999');
		};
		await expect(clock.run(fetch.fetch(ACCOUNT, send), 10_000)).rejects.toThrow('999999');
	});
});

describe('a transient failure', () => {
	test.each([
		['999999', () => failure('999999')],
		['HTTP 502 with an HTML page', () => ({ statusCode: 502, body: '<html>' })],
		[
			'a broken connection',
			() => {
				throw Object.assign(new Error('x'), { code: 'ECONNRESET' });
			},
		],
		[
			'an unreachable host',
			() => {
				throw Object.assign(new Error('x'), { code: 'ECONNREFUSED', syscall: 'connect' });
			},
		],
	])('%s is tried again after growing pauses, for 8 s at most', async (_, fail) => {
		const { clock, fetch } = setUp();
		const startMs = clock.nowMs();
		const askedAtMs: number[] = [];
		const send = async () => {
			askedAtMs.push(clock.nowMs() - startMs);
			return fail();
		};
		clock.chance = 0;
		await expect(clock.run(fetch.fetch(ACCOUNT, send))).rejects.toMatchObject({ transient: true });
		expect(askedAtMs).toEqual([0, 250, 750, 1750, 3750, 7750]);
	});

	test('of 3 s is outlasted even with the shortest pauses', async () => {
		const { clock, fetch } = setUp();
		clock.chance = 0.999_999;
		const startMs = clock.nowMs();
		const send = async () => (clock.nowMs() - startMs < 3000 ? failure('999999') : success('t1'));
		expect((await clock.run(fetch.fetch(ACCOUNT, send))).value).toBe('t1');
	});

	test('that takes 10 s each time ends the round within 30 s', async () => {
		const { clock, fetch } = setUp();
		const startMs = clock.nowMs();
		const send = async () => {
			await clock.sleep(10_000);
			throw Object.assign(new Error('timeout'), { code: 'ECONNABORTED' });
		};
		await expect(clock.run(fetch.fetch(ACCOUNT, send))).rejects.toMatchObject({ transient: true });
		expect(clock.nowMs() - startMs).toBeLessThanOrEqual(30_000);
	});
});

test.each(['900003', '900004'])('%s is permanent: it is not tried again', async (code) => {
	const { sobot, get } = setUp();
	sobot.answers = [failure(code)];
	await expect(get()).rejects.toMatchObject({ retCode: code, transient: false });
	expect(sobot.calls).toBe(1);
});

test('an answer that never ends holds nobody up for more than 30 s, and the next fetch is a new one', async () => {
	const { clock, fetch, sobot, get } = setUp();
	const startedMs = clock.nowMs();
	jest.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
		const controller = new AbortController();
		void clock.sleep(ms).then(() => controller.abort());
		return controller.signal;
	});
	const hanging = fetch.fetch(
		ACCOUNT,
		async ({ abortSignal }) =>
			await new Promise((_, reject) => abortSignal.addEventListener('abort', () => reject(new Error()))),
	);
	await expect(clock.run(hanging)).rejects.toMatchObject({ name: 'TokenError', transient: true });
	expect(clock.nowMs() - startedMs).toBeLessThanOrEqual(30_000);
	jest.restoreAllMocks();
	expect((await get()).value).toBe('t1');
	expect(sobot.calls).toBe(1);
});
