import { readToken, readRequestFailure, tokenRequest } from '../../nodes/sobot/token/tokenApi';

const NOW_MS = 1_569_397_773_999;
const VALUE = '4ac37cb2e9c740dba4b75a34d5358802';
const answer = (body: unknown, statusCode = 200) => ({
	statusCode,
	body: typeof body === 'string' ? body : JSON.stringify(body),
});
const success = (item: unknown) => answer({ item, ret_code: '000000', ret_msg: 'success' });
const errorOf = (reading: ReturnType<typeof readToken>) => {
	if ('token' in reading) throw new Error('There is a token.');
	const { message, advice, retCode, transient } = reading.error;
	return { message, advice, retCode, transient };
};

test('asks with whole seconds as text and the published signature', () => {
	const request = tokenRequest({ baseUrl: 'https://sg.sobot.io', appId: '1', appKey: '2' }, NOW_MS);
	expect(request.url).toBe('https://sg.sobot.io/api/get_token');
	expect(request.qs).toEqual({
		appid: '1',
		create_time: '1569397773',
		sign: '258eec3118705112b2c53dc8043d4d34',
	});
	expect(request.disableFollowRedirect).toBe(true);
});

test('signs what is not ASCII as UTF-8', () => {
	const request = tokenRequest({ baseUrl: 'https://sg.sobot.io', appId: '智齿', appKey: 'ключ' }, NOW_MS);
	expect(request.qs.sign).toBe('a498a9480d65ff0ee54ba92077277bf2');
});

test("reads the document's own example: padded token, lifetime as text", () => {
	expect(readToken(success({ token: ` ${VALUE} `, expires_in: '86400' }), NOW_MS)).toEqual({
		token: { value: VALUE, fetchedAtMs: NOW_MS, expiresAtMs: NOW_MS + 86_400_000 },
	});
});

test.each([
	['a number', { expires_in: 600 }, 600],
	["the prose's spelling", { expire_in: '600' }, 600],
	['more than the documented maximum', { expires_in: '999999' }, 86_400],
	['missing', {}, 86_400],
	['nonsense', { expires_in: 'soon' }, 86_400],
	["a client's spelling", { expire: '600' }, 600],
	['nonsense beside a number', { expires_in: 'soon', expire: 600 }, 600],
	['zero', { expires_in: '0' }, 86_400],
	['a second', { expires_in: 1 }, 2],
	['less', { expires_in: '0.001' }, 2],
	['negative', { expires_in: -600 }, 86_400],
	['a boolean', { expires_in: true }, 86_400],
	['a list', { expires_in: [600] }, 86_400],
	['blank', { expires_in: ' ' }, 86_400],
	['null', { expires_in: null }, 86_400],
])('reads a lifetime that is %s', (_, lifetime, seconds) => {
	expect(readToken(success({ token: VALUE, ...lifetime }), NOW_MS)).toEqual({
		token: { value: VALUE, fetchedAtMs: NOW_MS, expiresAtMs: NOW_MS + seconds * 1000 },
	});
});

test('takes a failure that comes with HTTP 200 for a failure, and hints at ID, key and clock', () => {
	expect(errorOf(readToken(answer({ ret_code: '900003', ret_msg: 'no' }), NOW_MS))).toEqual({
		message: 'Sobot did not accept the signature (900003).',
		advice:
			"Check 'App ID' and 'App Key' in the Sobot API credential, and that the clock of this machine is right.",
		retCode: '900003',
		transient: false,
	});
});

test.each([
	['900004', answer({ ret_code: '900004' }), '900004', false],
	["a name of JavaScript's own as code", answer({ ret_code: 'constructor' }), 'constructor', false],
	['a code that is not documented', answer({ ret_code: '123456', ret_msg: 'x' }), '123456', false],
	['999999', answer({ ret_code: '999999' }), '999999', true],
	['success without an item', answer({ ret_code: '000000' }), '000000', true],
	['success with a blank token', success({ token: '   ' }), '000000', true],
	['success with a token that is no text', success({ token: 5 }), '000000', true],
	['an HTML page', answer('<html>502</html>', 502), null, true],
	['an HTML page with HTTP 200', answer('<html>login</html>'), null, true],
	['an empty body', answer(''), null, true],
	['an array', answer([1]), null, true],
	['success with HTTP 503', answer({ ret_code: '000000', item: { token: VALUE } }, 503), '000000', true],
])('gives no token for %s', (_, given, retCode, transient) => {
	expect(errorOf(readToken(given, NOW_MS))).toEqual(expect.objectContaining({ retCode, transient }));
});

const ADDRESS = "Check 'Region' and 'Base URL' in the Sobot API credential and the network of this machine.";

test.each([
	['ECONNREFUSED', 'unreachable', 'The connection to Sobot was refused.', ADDRESS],
	['ECONNRESET', 'unreachable', 'The connection to Sobot broke.', ADDRESS],
	[
		'CERT_HAS_EXPIRED',
		'notSent',
		"Sobot's TLS certificate was not accepted (CERT_HAS_EXPIRED).",
		'NODE_EXTRA_CA_CERTS',
	],
	[
		'SsrfBlockedIpError',
		'notSent',
		"n8n's SSRF protection blocked the call to Sobot.",
		'N8N_SSRF_ALLOWED_HOSTNAMES',
	],
])('names a connection that failed with %s', (code, outcome, said, todo) => {
	const { message, advice, ...rest } = readRequestFailure(Object.assign(new Error('socket'), { code }));
	expect({ message, ...rest }).toMatchObject({
		message: `Could not fetch a token. ${said}`,
		outcome,
		transient: outcome === 'unreachable',
	});
	expect(advice).toContain(todo);
	// A token is not for a customer.
	expect(advice).not.toContain('Nothing was sent');
});

test("names a proxy's login, and does not try again", () => {
	const reading = readToken({ statusCode: 407, body: '' }, NOW_MS);
	expect(reading).toHaveProperty('error.outcome', 'unreachable');
	expect(errorOf(reading)).toEqual({
		message: 'Could not fetch a token. The proxy between n8n and Sobot did not accept the login (HTTP 407).',
		advice: expect.stringContaining('HTTPS_PROXY') as string,
		retCode: null,
		transient: false,
	});
});

test.each([
	['a refusal by Sobot', readToken(answer({ ret_code: '900003' }), NOW_MS), 'refused'],
	['a redirect', readToken(answer('', 302), NOW_MS), 'notSent'],
	['a code that may pass', readToken(answer({ ret_code: '999999' }), NOW_MS), 'unreachable'],
])('ends a customer that waits for the token: %s', (_, reading, outcome) => {
	expect(reading).toHaveProperty('error.outcome', outcome);
});

test.each([
	[301, answer('')],
	[302, answer('<html>moved</html>')],
	[307, success({ token: VALUE })],
	[308, answer({ ret_code: '999999' })],
])('names a Base URL that redirects with HTTP %i, and does not try again', (statusCode, { body }) => {
	expect(errorOf(readToken({ statusCode, body }, NOW_MS))).toEqual({
		message: `'Base URL' redirects to another address (HTTP ${statusCode}).`,
		advice: expect.stringContaining('Enter the address that it redirects to') as string,
		retCode: null,
		transient: false,
	});
});
