import { accountKey, type Account } from '../../nodes/sobot/account/account';
import { fetchNewToken, fetchToken, rateLimiterOf, sessionOf } from '../../nodes/sobot/shared';

const account: Account = { baseUrl: 'http://sobot.test', appId: 'app', appKey: 'key' };
const others: Account[] = [
	{ ...account, appKey: 'other' },
	{ ...account, appId: 'other' },
	{ ...account, baseUrl: 'http://other.test' },
];
const answer = (body: object) => async () => ({ statusCode: 200, body: JSON.stringify(body) });
const token = (value: string) => answer({ ret_code: '000000', item: { token: value } });

test('an account has one session, and another for each other host, App ID or App Key', () => {
	expect(sessionOf({ ...account })).toBe(sessionOf(account));
	for (const other of others) expect(sessionOf(other)).not.toBe(sessionOf(account));
});

test('an account has one fetch, and a new token only when asked for', async () => {
	expect((await fetchToken(account, undefined, token('one'))).value).toBe('one');
	expect((await fetchToken(account, undefined, token('two'))).value).toBe('one');
	expect((await fetchNewToken(account, token('three'))).value).toBe('three');
	for (const [index, other] of others.entries()) {
		expect((await fetchToken(other, undefined, token(`other-${index}`))).value).toBe(`other-${index}`);
	}
});

test('a trigger ID has one rate limiter at one host, for all executions that call it', () => {
	const rateLimiter = rateLimiterOf('https://a.test', '1');
	expect(rateLimiterOf('https://a.test/', '1')).toBe(rateLimiter);
	expect(rateLimiterOf('https://a.test', '2')).not.toBe(rateLimiter);
	expect(rateLimiterOf('https://b.test', '1')).not.toBe(rateLimiter);
});

test('the key of an account does not hold its App Key', () => {
	expect(accountKey({ ...account, appKey: 'a-very-secret-key' })).toMatch(/^[0-9a-f]{64}$/);
});
