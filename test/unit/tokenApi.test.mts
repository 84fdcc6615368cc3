import { readToken, readTokenFailure, tokenRequest } from '../../nodes/sobot/tokenApi';

const NOW_MS = 1_569_397_773_999;
const VALUE = '4ac37cb2e9c740dba4b75a34d5358802';
const answer = (body: unknown, statusCode = 200) => ({
	statusCode,
	body: typeof body === 'string' ? body : JSON.stringify(body),
});
const success = (item: unknown) => answer({ item, ret_code: '000000', ret_msg: 'success' });
const errorOf = (reading: ReturnType<typeof readToken>) => {
	if ('token' in reading) throw new Error('There is a token.');
	const { message, advice, retCode, passing } = reading.error;
	return { message, advice, retCode, passing };
};

test('asks with whole seconds as text and the published signature', () => {
	const request = tokenRequest({ baseUrl: 'https://sg.sobot.io', appId: '1', appKey: '2' }, NOW_MS);
	expect(request.url).toBe('https://sg.sobot.io/api/get_token');
	expect(request.qs).toEqual({
		appid: '1',
		create_time: '1569397773',
		sign: '258eec3118705112b2c53dc8043d4d34',
	});
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
	['zero', { expires_in: '0' }, 86_400],
])('reads a lifetime that is %s', (_, lifetime, seconds) => {
	expect(readToken(success({ token: VALUE, ...lifetime }), NOW_MS)).toEqual({
		token: { value: VALUE, fetchedAtMs: NOW_MS, expiresAtMs: NOW_MS + seconds * 1000 },
	});
});

test('takes a failure that comes with HTTP 200 for a failure, and hints at ID, key and clock', () => {
	expect(errorOf(readToken(answer({ ret_code: '900003', ret_msg: 'no' }), NOW_MS))).toEqual({
		message: 'Sobot did not accept the signature (900003).',
		advice: "Check App ID and App Key in the Sobot API credential, and that this machine's clock is right.",
		retCode: '900003',
		passing: false,
	});
});

test.each([
	['900004', answer({ ret_code: '900004' }), '900004', false],
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
])('gives no token for %s', (_, given, retCode, passing) => {
	expect(errorOf(readToken(given, NOW_MS))).toEqual(expect.objectContaining({ retCode, passing }));
});

test.each([
	['ECONNREFUSED', true, 'No token could be fetched. The connection to Sobot was refused.'],
	['ECONNRESET', true, 'No token could be fetched. The connection to Sobot failed.'],
	[
		'CERT_HAS_EXPIRED',
		false,
		"No token could be fetched. Sobot's TLS certificate was not accepted (CERT_HAS_EXPIRED).",
	],
])('names a connection that failed with %s', (code, passing, message) => {
	const { message: said, passing: passes } = readTokenFailure(Object.assign(new Error('socket'), { code }));
	expect({ message: said, passing: passes }).toEqual({ message, passing });
});
