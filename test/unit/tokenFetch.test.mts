import { TokenError } from '../../nodes/sobot/tokenApi';
import { fetchToken } from '../../nodes/sobot/tokenFetch';
import { SimulatedClock } from './clock.mts';

let accounts = 0;
/** An account that no other test has asked a token for: what was fetched is remembered for the whole process. */
const newAccount = () => ({ baseUrl: 'http://sobot.test', appId: `app-${accounts++}`, appKey: 'key' });
const success = (token: string, seconds = 86_400) => ({
	statusCode: 200,
	body: JSON.stringify({ item: { token, expires_in: String(seconds) }, ret_code: '000000' }),
});
const failure = (code: string) => ({ statusCode: 200, body: JSON.stringify({ ret_code: code }) });

test('asks once for all who ask together', async () => {
	const clock = new SimulatedClock();
	const account = newAccount();
	let calls = 0;
	const send = async () => {
		calls++;
		await clock.sleep(100);
		return success('t1');
	};
	const all = Promise.all(
		Array.from({ length: 50 }, async () => await fetchToken(account, undefined, send, clock)),
	);
	expect(new Set((await clock.run(all)).map(({ value }) => value))).toEqual(new Set(['t1']));
	expect(calls).toBe(1);
});

test('asks anew after a success, when the token that it gave no longer serves', async () => {
	const clock = new SimulatedClock();
	const account = newAccount();
	let calls = 0;
	const send = async () => success(`t${++calls}`);
	const first = await fetchToken(account, undefined, send, clock);
	await clock.advance(1000);
	expect((await fetchToken(account, first, send, clock)).value).toBe('t2');
});

test('asks anew after a failure', async () => {
	const clock = new SimulatedClock();
	const account = newAccount();
	const answers = [failure('900003'), success('t1')];
	const send = async () => answers.shift() ?? failure('999999');
	await expect(fetchToken(account, undefined, send, clock)).rejects.toThrow(
		'did not accept the signature (900003)',
	);
	expect((await fetchToken(account, undefined, send, clock)).value).toBe('t1');
});

test('gives its newest token to who still has an older one, and to who was racing with the fetch', async () => {
	const clock = new SimulatedClock();
	const account = newAccount();
	let calls = 0;
	const send = async () => success(`t${++calls}`);
	const first = await fetchToken(account, undefined, send, clock);
	await clock.advance(60_000);
	const second = await fetchToken(account, first, send, clock);
	await clock.advance(5000);
	expect(await fetchToken(account, first, send, clock)).toEqual(second);
	expect(await fetchToken(account, undefined, send, clock)).toEqual(second);
	await clock.advance(6000);
	expect((await fetchToken(account, undefined, send, clock)).value).toBe('t3');
});

test('does not give a token that is older than the one that no longer serves', async () => {
	const clock = new SimulatedClock();
	const account = newAccount();
	let calls = 0;
	const send = async () => success(`t${++calls}`);
	await fetchToken(account, undefined, send, clock);
	await clock.advance(1000);
	const fromElsewhere = { value: 'x', fetchedAtMs: clock.nowMs(), expiresAtMs: clock.nowMs() + 1e6 };
	expect((await fetchToken(account, fromElsewhere, send, clock)).value).toBe('t2');
});

test.each([
	['999999', () => failure('999999')],
	['HTTP 502 with an HTML page', () => ({ statusCode: 502, body: '<html>' })],
	[
		'a broken connection',
		() => {
			throw Object.assign(new Error('x'), { code: 'ECONNRESET' });
		},
	],
])('asks again after %s, with growing pauses, and gives up within 8 s', async (_, fail) => {
	const clock = new SimulatedClock();
	const startMs = clock.nowMs();
	const askedAtMs: number[] = [];
	const send = async () => {
		askedAtMs.push(clock.nowMs() - startMs);
		return fail();
	};
	clock.chance = 0;
	const given = fetchToken(newAccount(), undefined, send, clock);
	await expect(clock.run(given)).rejects.toBeInstanceOf(TokenError);
	expect(askedAtMs).toEqual([0, 250, 750, 1750, 3750, 7750]);
});

test('shortens the pauses at random by up to a half, and so still outlasts an outage of 3 s', async () => {
	const clock = new SimulatedClock();
	clock.chance = 0.999_999;
	const startMs = clock.nowMs();
	const send = async () => (clock.nowMs() - startMs < 3000 ? failure('999999') : success('t1'));
	expect((await clock.run(fetchToken(newAccount(), undefined, send, clock))).value).toBe('t1');
});

test.each(['900003', '900004'])('does not ask again after %s', async (code) => {
	let calls = 0;
	const send = async () => {
		calls++;
		return failure(code);
	};
	await expect(fetchToken(newAccount(), undefined, send, new SimulatedClock())).rejects.toThrow(code);
	expect(calls).toBe(1);
});
