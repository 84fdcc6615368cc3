import { refusalOf, type Caller } from '../../nodes/SobotWebhookApp/admission';
import { readPushSecret, type PushSecret } from '../../nodes/SobotWebhookApp/pushSecret';

const SECRET: PushSecret = {
	method: 'query',
	parameterName: 'key',
	headerName: 'x-sobot-key',
	user: 'sobot',
	secret: 's3cret',
};
const caller = (more: Partial<Caller> = {}): Caller => ({
	query: {},
	rawHeaders: [],
	address: '203.0.113.7',
	...more,
});
const header = (...rawHeaders: string[]) => caller({ rawHeaders });
const basic = (userAndPassword: string) =>
	header('Authorization', `Basic ${Buffer.from(userAndPassword).toString('base64')}`);
const statusOf = (from: Caller, secret?: PushSecret, ipAllowlist?: string[]) =>
	refusalOf(from, { secret, ipAllowlist })?.status ?? 200;

test('lets anybody push where nothing protects the trigger', () => {
	expect(statusOf(caller())).toBe(200);
});

describe('query', () => {
	test.each<[string, Record<string, unknown>, number]>([
		['right', { key: 's3cret' }, 200],
		['missing', {}, 401],
		['empty', { key: '' }, 401],
		['wrong', { key: 'secret' }, 401],
		['longer', { key: 's3cret!' }, 401],
		['in other case', { key: 'S3CRET' }, 401],
		['under another name', { Key: 's3cret' }, 401],
		['doubled', { key: ['s3cret', 's3cret'] }, 401],
		['an object', { key: { a: 's3cret' } }, 401],
	])('%s', (_, query, status) => {
		expect(statusOf(caller({ query }), SECRET)).toBe(status);
	});

	test('under another name, and never one that every object has', () => {
		expect(statusOf(caller({ query: { token: 's3cret' } }), { ...SECRET, parameterName: 'token' })).toBe(200);
		expect(statusOf(caller(), { ...SECRET, parameterName: 'constructor' })).toBe(401);
	});
});

describe('header', () => {
	const secret: PushSecret = { ...SECRET, method: 'header' };
	test.each([
		['right', header('x-sobot-key', 's3cret'), 200],
		['right in other case of its name', header('X-Sobot-Key', 's3cret'), 200],
		['missing', header('host', 'x'), 401],
		['wrong', header('x-sobot-key', 'nope'), 401],
		['doubled', header('x-sobot-key', 's3cret', 'X-Sobot-Key', 's3cret'), 401],
		['only as a value', header('x-other', 'x-sobot-key'), 401],
		['in the query', caller({ query: { key: 's3cret' } }), 401],
	])('%s', (_, from, status) => {
		expect(statusOf(from, secret)).toBe(status);
	});
});

describe('basic', () => {
	const secret: PushSecret = { ...SECRET, method: 'basic' };
	test.each([
		['right', basic('sobot:s3cret'), 200],
		[
			'with the scheme in lower case',
			header('authorization', `basic ${Buffer.from('sobot:s3cret').toString('base64')}`),
			200,
		],
		['missing', header(), 401],
		['wrong password', basic('sobot:nope'), 401],
		['wrong user', basic('other:s3cret'), 401],
		['no colon', basic('sobots3cret'), 401],
		['not Base64', header('Authorization', 'Basic ???'), 401],
		['another scheme', header('Authorization', 'Bearer s3cret'), 401],
		[
			'doubled',
			header('Authorization', 'Basic c29ib3Q6czNjcmV0', 'authorization', 'Basic c29ib3Q6czNjcmV0'),
			401,
		],
	])('%s', (_, from, status) => {
		expect(statusOf(from, secret)).toBe(status);
	});

	test('a password with a colon and beyond ASCII', () => {
		expect(statusOf(basic('sobot:пa:ss'), { ...secret, secret: 'пa:ss' })).toBe(200);
	});

	test('is asked for with WWW-Authenticate', () => {
		expect(refusalOf(caller(), { secret })).toEqual({
			status: 401,
			headers: { 'WWW-Authenticate': 'Basic realm="Sobot Webhook App", charset="UTF-8"' },
			reason: 'basic authentication is missing',
		});
	});
});

describe('a secret that is empty or not text lets nobody in', () => {
	test.each([undefined, null, '', ' ', 0, 42, true, {}, ['s3cret']])('%j', (secret) => {
		for (const method of ['query', 'header', 'basic']) {
			const user = 'sobot';
			for (const shown of ['', ' ', 'undefined', 'null', '42', 'true', '[object Object]', 's3cret']) {
				const from = caller({
					query: { key: shown },
					rawHeaders: ['x-sobot-key', shown, ...basic(`${user}:${shown}`).rawHeaders],
				});
				const expected = readPushSecret({ ...SECRET, method, secret, user });
				expect(statusOf(from, expected)).toBe(401);
			}
		}
	});
});

test.each([undefined, 'other', 5])('the method %j lets nobody in', (method) => {
	expect(statusOf(caller({ query: { key: 's3cret' } }), readPushSecret({ ...SECRET, method }))).toBe(401);
});

test('blanks around the fields of a credential do not count', () => {
	const secret = readPushSecret({ ...SECRET, parameterName: ' key', secret: 's3cret\n' });
	expect(statusOf(caller({ query: { key: 's3cret' } }), secret)).toBe(200);
});

test('an address that is not allowed gets 403, whatever its secret', () => {
	expect(statusOf(caller({ query: { key: 's3cret' } }), SECRET, ['198.51.100.0/24'])).toBe(403);
	expect(statusOf(caller({ query: { key: 's3cret' } }), SECRET, ['203.0.113.0/24'])).toBe(200);
	expect(statusOf(caller(), SECRET, ['203.0.113.0/24'])).toBe(401);
	expect(statusOf(caller(), undefined, ['nonsense'])).toBe(403);
});

test('an empty allowlist lets nobody in', () => {
	expect(statusOf(caller(), undefined, [])).toBe(403);
	expect(statusOf(caller({ query: { key: 's3cret' } }), SECRET, [])).toBe(403);
});

test.each<[string, Caller, PushSecret, string]>([
	['query, missing', caller(), SECRET, 'the query parameter "key" is missing'],
	['query, wrong', caller({ query: { key: 'x' } }), SECRET, 'the query parameter "key" does not match'],
	['header, missing', caller(), { ...SECRET, method: 'header' }, 'the header "x-sobot-key" is missing'],
	['basic, wrong', basic('a:b'), { ...SECRET, method: 'basic' }, 'basic authentication does not match'],
	['empty', caller(), { ...SECRET, secret: '' }, "the credential's 'Secret' is empty"],
])('the reason of a refusal, for the log: %s', (_, from, secret, reason) => {
	const refusal = refusalOf(from, { secret });
	expect(refusal?.reason).toBe(reason);
	expect(JSON.stringify(refusal)).not.toContain('s3cret');
});

test('the reason of a refused address names it', () => {
	expect(refusalOf(caller(), { ipAllowlist: ['198.51.100.0/24'] })?.reason).toBe(
		"its address, 203.0.113.7, is not in 'IP Allowlist'",
	);
});
