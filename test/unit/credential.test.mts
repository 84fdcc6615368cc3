import {
	fieldsFromToken,
	readAccount,
	tokenFromFields,
	typedExpressions,
} from '../../nodes/sobot/account/credential';

const FIELDS = { region: 'custom', baseUrl: 'https://sobot.example.com/', appId: ' app ', appKey: 'key\n' };
const ACCOUNT = { baseUrl: 'https://sobot.example.com', appId: 'app', appKey: 'key' };
const TOKEN = { value: 't'.repeat(32), fetchedAtMs: 1_700_000_000_000, expiresAtMs: 1_700_086_400_000 };
const STORED = { ...FIELDS, ...fieldsFromToken(TOKEN, ACCOUNT) };

describe('the account', () => {
	test.each([
		['sg', 'https://sg.sobot.io'],
		['us', 'https://us.sobot.com'],
		['cn', 'https://www.soboten.com'],
		['cnAlibaba', 'https://www.sobot.com'],
	])('in region %s is at %s, whatever Base URL is stored', (region, baseUrl) => {
		expect(readAccount({ ...FIELDS, region })).toEqual({ account: { ...ACCOUNT, baseUrl } });
	});

	test('is read without the blanks around its values', () => {
		expect(readAccount(FIELDS)).toEqual({ account: ACCOUNT });
	});

	test.each(['https://sobot.example.com/sobot', 'http://127.0.0.1:19050'])('may be at %s', (baseUrl) => {
		expect(readAccount({ ...FIELDS, baseUrl })).toEqual({ account: { ...ACCOUNT, baseUrl } });
	});

	const MORE = "'Base URL' contains more than the address of the server.";
	const NO_URL = "'Base URL' does not start with https:// or http://.";
	const START = ' Enter only the first part of the address, such as https://sobot.example.com.';
	test.each([
		['a page of the console', { baseUrl: 'https://sobot.example.com/console/#/login' }, MORE + START],
		['the console', { baseUrl: 'https://sobot.example.com/console' }, MORE + START],
		['the API', { baseUrl: 'https://sobot.example.com/api/' }, MORE + START],
		['a query', { baseUrl: 'https://sobot.example.com?x=1' }, MORE + START],
		['a user and password', { baseUrl: 'https://me:pw@sobot.example.com' }, MORE + START],
		['no scheme', { baseUrl: 'sobot.example.com' }, NO_URL + START],
		['another scheme', { baseUrl: 'ftp://sobot.example.com' }, NO_URL + START],
		['one slash', { baseUrl: 'https:/sobot.example.com' }, NO_URL + START],
		[
			'a port that does not exist',
			{ baseUrl: 'http://127.0.0.1:99999' },
			"'Base URL' has the port 99999. Enter one from 1 to 65535.",
		],
		['a port that does not exist, and a path', { baseUrl: 'http://a:65536/sobot' }, 'has the port 65536.'],
		['a port of letters', { baseUrl: 'http://a:https' }, "'Base URL' is not a valid address." + START],
		[
			'a blank within',
			{ baseUrl: 'https://sobot example.com' },
			"'Base URL' is not a valid address." + START,
		],
		['no host', { baseUrl: 'https://' }, "'Base URL' is not a valid address." + START],
		['no base URL', { baseUrl: ' ' }, "'Base URL' is empty. Enter it in the Sobot API credential."],
		['an unknown region', { region: 'eu' }, `'Region' has no value "eu". Choose one from the list.`],
		['a region of Object.prototype', { region: 'constructor' }, `'Region' has no value "constructor".`],
		['no App ID', { appId: '' }, "'App ID' is empty. Enter it in the Sobot API credential."],
		['no App Key', { appKey: ' ' }, "'App Key' is empty. Enter it in the Sobot API credential."],
		[
			'an App ID whose expression is empty',
			{ appId: '', expressions: '{"appId":"={{ $json.app }}"}' },
			"The expression in 'App ID' results in no text. Check it in the Sobot API credential.",
		],
		[
			'an App Key that n8n could not resolve',
			{ appKey: undefined, expressions: '{"appKey":"={{ $env.KEY }}"}' },
			"The expression in 'App Key' results in no text. Check it in the Sobot API credential. n8n allows $env only if its own environment variable N8N_BLOCK_ENV_ACCESS_IN_NODE is false.",
		],
		// n8n 2 does not tell that it is an expression. It must not be taken for Singapore.
		...[undefined, null].map((region): [string, object, string] => [
			`a region whose expression gives ${region}`,
			{ region },
			"The expression in 'Region' results in no text.",
		]),
		[
			'a Base URL whose expression fails',
			{ baseUrl: undefined },
			"The expression in 'Base URL' results in no text. Check it in the Sobot API credential. n8n allows $env only",
		],
	])('with %s is refused with a reason', (_, more, reason) => {
		expect(readAccount({ ...FIELDS, ...more })).toEqual({
			reason: expect.stringContaining(reason) as string,
		});
	});
});

describe('a stored token', () => {
	test('is read as it was stored, and stored as text alone', () => {
		expect(tokenFromFields(STORED)).toEqual(TOKEN);
		expect(Object.values(STORED).map((value) => typeof value)).toEqual(
			Object.values(STORED).map(() => 'string'),
		);
	});

	test.each([
		['another Base URL', { baseUrl: 'https://other.example.com' }],
		['another region', { region: 'sg' }],
		['another App ID', { appId: 'app2' }],
		['another App Key', { appKey: 'key2' }],
		['no account', { tokenAccount: '' }],
		['an incomplete account', { appKey: '' }],
	])('is none for %s', (_, more) => {
		expect(tokenFromFields({ ...STORED, ...more })).toBeUndefined();
	});

	test('is none if nothing is stored', () => {
		expect(tokenFromFields({ ...STORED, token: '' })).toBeUndefined();
	});

	test('does not reveal the App Key', () => {
		expect(JSON.stringify(fieldsFromToken(TOKEN, { ...ACCOUNT, appKey: 'a-long-key' }))).not.toContain(
			'a-long-key',
		);
	});
});

test.each([
	['expressions', '{"appId":"={{ $json.app }}"}', { appId: '={{ $json.app }}' }],
	['no expressions', '{}', {}],
	['a field that n8n has not resolved', '={{ $self }}', {}],
	['nothing', undefined, {}],
])('fields as typed, from %s', (_, expressions, typed) => {
	expect(typedExpressions({ expressions })).toEqual(typed);
});
