import { accountKey, type Account } from '../../nodes/sobot/account/account';
import { rateLimiterOf, sessionOf } from '../../nodes/sobot/shared';

const account: Account = { baseUrl: 'http://sobot.test', appId: 'app', appKey: 'key' };
const others: Account[] = [
	{ ...account, appKey: 'other' },
	{ ...account, appId: 'other' },
	{ ...account, baseUrl: 'http://other.test' },
];

test('an account has one session, and another for each other host, App ID or App Key', () => {
	expect(sessionOf({ ...account })).toBe(sessionOf(account));
	for (const other of others) expect(sessionOf(other)).not.toBe(sessionOf(account));
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
