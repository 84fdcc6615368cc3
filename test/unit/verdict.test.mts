import { RETURN_CODES, type Outcome } from '../../nodes/sobot/outcome/returnCodes';
import { judgeAnswer, judgeError } from '../../nodes/sobot/outcome/verdict';

const answer = (body: unknown, statusCode = 200) => ({
	statusCode,
	body: typeof body === 'string' ? body : JSON.stringify(body),
});
const failed = (code: string, syscall?: string) =>
	Object.assign(new Error('request failed'), { code, ...(syscall ? { syscall } : {}) });

// Every row of the document's table, with its HTTP status there.
const DOCUMENTED: Array<[httpStatus: number, code: string, outcome: Outcome]> = [
	[200, '000000', 'accepted'],
	[200, '700046', 'refused'],
	[200, '900001', 'tokenRefused'],
	[200, '900002', 'tokenRefused'],
	[200, '900003', 'refused'],
	[200, '900004', 'refused'],
	[200, '999999', 'unknown'],
	[400, '910021', 'refused'],
	[400, '910022', 'canvasOrToken'],
	[400, '910023', 'refused'],
	[400, '910024', 'overLimit'],
	[400, '910025', 'refused'],
	[400, '910026', 'refused'],
];

test.each(DOCUMENTED)('takes HTTP %i with %s for %s', (status, code, outcome) => {
	expect(judgeAnswer(answer({ ret_code: code }, status))).toEqual(
		expect.objectContaining({ outcome, retCode: code }),
	);
});

test('has own words and advice for each failing code', () => {
	expect(Object.keys(RETURN_CODES).sort()).toEqual(DOCUMENTED.map(([, code]) => code).sort());
	const failing = Object.entries(RETURN_CODES).filter(([code]) => code !== '000000');
	expect(new Set(failing.map(([, { message }]) => message)).size).toBe(failing.length);
	expect(failing.filter(([, { advice }]) => advice === '')).toEqual([]);
});

test('says what happened with the code, and then what to do', () => {
	expect(judgeAnswer(answer({ ret_code: '910025' }, 400))).toEqual({
		outcome: 'refused',
		retCode: '910025',
		message: 'This canvas is not activated in Sobot (910025).',
		advice: 'Activate the canvas in Sobot, then send this customer again.',
	});
});

test.each([
	['a code that is not documented', answer({ ret_code: '123456', ret_msg: 'odd' }), '123456'],
	['HTTP 500 with success in it', answer({ ret_code: '000000' }, 500), '000000'],
	['HTTP 503 with a refusal in it', answer({ ret_code: '910024' }, 503), '910024'],
	['an HTML page with HTTP 200', answer('<html>hi</html>'), null],
	['an HTML page with HTTP 502', answer('<html>bad gateway</html>', 502), null],
	['HTTP 403, perhaps of a proxy', answer('<html>forbidden</html>', 403), null],
	['HTTP 503, perhaps of a proxy', answer('', 503), null],
	['a redirect', answer('', 302), null],
	['success with HTTP 302', answer({ ret_code: '000000' }, 302), '000000'],
	['success with HTTP 400', answer({ ret_code: '000000' }, 400), '000000'],
	['a code that every JavaScript object has', answer({ ret_code: 'constructor' }), 'constructor'],
	['an empty body', answer(''), null],
	['JSON that is not an object', answer('"000000"'), null],
	['an object without a code', answer({ ok: true }), null],
	['999999', answer({ ret_code: '999999' }), '999999'],
])('does not know what became of a call that was answered with %s', (_, given, retCode) => {
	const verdict = judgeAnswer(given);
	expect(verdict).toEqual(expect.objectContaining({ outcome: 'unknown', retCode }));
	expect(verdict.message).toContain('Sobot may or may not have put this customer on the canvas');
});

test.each([
	['ECONNREFUSED', undefined],
	['ENOTFOUND', 'getaddrinfo'],
	['EAI_AGAIN', 'getaddrinfo'],
	['ETIMEDOUT', 'connect'],
	['EHOSTUNREACH', 'connect'],
	['ENETUNREACH', 'connect'],
	['ECONNRESET', 'connect'],
	['EMFILE', 'connect'],
	['EADDRNOTAVAIL', 'connect'],
	['EANYTHING', 'connect'],
	['EANYTHING', 'getaddrinfo'],
])('knows that nothing was sent after an error with the code %s and the system call %s', (code, syscall) => {
	expect(judgeError(failed(code, syscall))).toEqual(
		expect.objectContaining({ outcome: 'unreachable', retCode: null }),
	);
});

test.each([
	['ECONNABORTED', undefined],
	['ERR_CANCELED', undefined],
	['ETIMEDOUT', undefined],
	['ETIMEDOUT', 'read'],
	['EHOSTUNREACH', 'read'],
	['ECONNRESET', 'read'],
	['ECONNRESET', undefined],
	['EPIPE', 'write'],
	['EPROTO', 'write'],
	['ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC', undefined],
	['ERR_BAD_RESPONSE', undefined],
])(
	'does not know what became of a call after an error with the code %s and the system call %s',
	(code, syscall) => {
		const verdict = judgeError(failed(code, syscall));
		expect(verdict.outcome).toBe('unknown');
		expect(verdict.message).toContain('Sobot may or may not have put this customer on the canvas');
	},
);

test('finds the socket error beneath the HTTP client, and among the addresses that were tried', () => {
	const wrapped = new Error('client', { cause: failed('ETIMEDOUT', 'connect') });
	expect(judgeError(wrapped).outcome).toBe('unreachable');
	const tried = new AggregateError([failed('ECONNREFUSED', 'connect')], 'all failed');
	expect(judgeError(tried).outcome).toBe('unreachable');
});

test('knows that nothing was sent if the connection broke during the TLS handshake', () => {
	const words = 'Client network socket disconnected before secure TLS connection was established';
	expect(judgeError(Object.assign(new Error(words), { code: 'ECONNRESET' })).outcome).toBe('unreachable');
});

test.each([
	['', 'without a body'],
	['<html>login</html>', 'with a page'],
	['{"ret_code":"000000"}', 'with something of Sobot in it'],
])('knows that a proxy has passed nothing on if it answers with HTTP 407 and %j', (body) => {
	expect(judgeAnswer(answer(body, 407))).toEqual({
		outcome: 'unreachable',
		retCode: null,
		message: 'The proxy between n8n and Sobot did not accept the login (HTTP 407).',
		advice: expect.stringMatching(/^Nothing was sent\. .*HTTPS_PROXY/) as string,
	});
});

describe('knows that a proxy has passed nothing on if it ends before the request had a connection', () => {
	// As both n8n versions report it: the HTTP client's error carries its request.
	const before = (more: object) => Object.assign(new Error('ended'), { request: { socket: null } }, more);
	test.each([
		['closed', before({ message: 'Proxy connection ended before receiving CONNECT response' })],
		['reset', before({ code: 'ECONNRESET', cause: failed('ECONNRESET', 'read') })],
		['silent', before({ code: 'ECONNABORTED', message: 'timeout of 30000ms exceeded' })],
		['silent until the request is aborted', before({ code: 'ERR_CANCELED', message: 'canceled' })],
	])('%s', (_, error) => {
		expect(judgeError(error)).toEqual({
			outcome: 'unreachable',
			retCode: null,
			message: 'The proxy between n8n and Sobot made no connection.',
			advice: expect.stringMatching(/^Nothing was sent\. .*HTTPS_PROXY/) as string,
		});
	});

	test('but not once it had one', () => {
		const after = Object.assign(failed('ECONNRESET', 'read'), { request: { socket: {} } });
		expect(judgeError(after).outcome).toBe('unknown');
	});
});

test.each<[string, Error, string, string]>([
	[
		'a certificate that is not trusted',
		failed('DEPTH_ZERO_SELF_SIGNED_CERT'),
		"Sobot's TLS certificate was not accepted (DEPTH_ZERO_SELF_SIGNED_CERT).",
		'NODE_EXTRA_CA_CERTS',
	],
	[
		'a header with a character that is not allowed',
		failed('ERR_INVALID_CHAR'),
		'The request to Sobot could not be made (ERR_INVALID_CHAR).',
		"'Base URL'",
	],
	...['SsrfBlockedIpError', 'SsrfBlockedHostnameError'].map((name): [string, Error, string, string] => [
		`an address that n8n blocks with ${name}`,
		// As axios wraps it.
		Object.assign(new Error('x'), { cause: Object.assign(new Error(), { name }) }),
		"n8n's SSRF protection blocked the call to Sobot.",
		'N8N_SSRF_ALLOWED_HOSTNAMES, or its addresses to N8N_SSRF_ALLOWED_IP_RANGES',
	]),
])('does not try again what fails before anything is sent: %s', (_, cause, message, advice) => {
	expect(judgeError(cause)).toEqual({
		outcome: 'notSent',
		retCode: null,
		message,
		advice: expect.stringMatching(/^Nothing was sent\. /) as string,
	});
	expect(judgeError(cause).advice).toContain(advice);
});

test('does not know what became of a call that failed with something else altogether', () => {
	expect(judgeError('gone').outcome).toBe('unknown');
	expect(judgeError(undefined).outcome).toBe('unknown');
});
