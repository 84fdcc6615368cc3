import { readSobotAnswer, redactSecrets } from '../../nodes/sobot/outcome/answer';

const SECRET = 'Zm9v/YmFy+Q==';

test.each([
	['as it is', SECRET],
	['as in a URL', encodeURIComponent(SECRET)],
	['with the slashes of PHP', SECRET.replaceAll('/', '\\/')],
])('hides a secret that is echoed %s', (_, echoed) => {
	const body = `{"ret_code":"777","ret_msg":"bad header secret=${echoed}"}`;
	const hidden = redactSecrets(body, ['another', SECRET]);
	expect(readSobotAnswer(hidden)?.retMsg).toBe('bad header secret=(hidden)');
});

test('a short secret changes no return code, and an empty one nothing', () => {
	const body = '{"ret_code":"000000","ret_msg":"000"}';
	expect(readSobotAnswer(redactSecrets(body, ['000', '']))).toMatchObject({
		retCode: '000000',
		retMsg: '(hidden)',
	});
});

test.each([['<html>Zm9v</html>'], [''], [undefined], ['[1]']])('leaves %j as it is', (body) => {
	expect(redactSecrets(body, ['Zm9v'])).toBe(body);
});
