import { RETURN_CODES, type Outcome } from '../../nodes/sobot/returnCodes';
import { judgeAnswer, judgeError } from '../../nodes/sobot/verdict';

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
	['a certificate that is not trusted', failed('DEPTH_ZERO_SELF_SIGNED_CERT')],
	['a header with a character that is not allowed', failed('ERR_INVALID_CHAR')],
	[
		"an address that n8n's SSRF protection blocks",
		Object.assign(new Error(), { name: 'SsrfBlockedIpError' }),
	],
])('does not try again what fails before anything is sent: %s', (_, cause) => {
	const verdict = judgeError(cause);
	expect(verdict.outcome).toBe('refused');
	expect(verdict.advice).toContain('Nothing was sent.');
});

test('does not know what became of a call that failed with something else altogether', () => {
	expect(judgeError('gone').outcome).toBe('unknown');
	expect(judgeError(undefined).outcome).toBe('unknown');
});
