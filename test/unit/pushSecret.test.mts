import { reasonAgainstSecret } from '../../nodes/SobotWebhookApp/pushSecret';

const QUERY = { method: 'query', parameterName: 'key', secret: 'aB3-_.~aB3-_.~aB' };
const HEADER = { method: 'header', headerName: 'x-sobot-key', secret: 'a b+/=a b+/=a b+' };
const BASIC = { method: 'basic', user: 'sobot', secret: 'пa:ssпa:ssпa:ssп' };

test.each([QUERY, { ...QUERY, secret: ' s3crets3crets3cre\n', parameterName: ' key ' }, HEADER, BASIC])(
	'the form of %j can work',
	(fields) => {
		expect(reasonAgainstSecret(fields)).toBeUndefined();
	},
);

test.each([
	[{ ...QUERY, secret: '' }, "'Secret' is empty. Make one up."],
	[{ ...QUERY, secret: ' ' }, "'Secret' is empty."],
	[{ ...QUERY, secret: undefined }, "'Secret' is empty."],
	[{ ...QUERY, secret: 42 }, "'Secret' is empty."],
	[{ ...BASIC, secret: '' }, "'Password' is empty."],
	[{ ...QUERY, secret: 'a+b' }, "'Secret' contains characters that would change in a URL."],
	[{ ...QUERY, secret: 'my secret & more#1?/' }, "'Secret' contains characters that would change in a URL."],
	[{ ...QUERY, secret: 'a%20' }, "'Secret' contains characters that would change in a URL."],
	[{ ...QUERY, secret: '密码' }, "'Secret' contains characters that would change in a URL."],
	[{ ...QUERY, parameterName: ' ' }, "'Parameter Name' is empty or contains"],
	[{ ...QUERY, parameterName: '?key=' }, "'Parameter Name' is empty or contains"],
	[{ ...QUERY, parameterName: 'key[a]' }, "'Parameter Name' is empty or contains"],
	[{ ...QUERY, parameterName: 'constructor' }, "'Parameter Name' is empty or contains"],
	[{ ...HEADER, headerName: 'x y' }, "'Header Name' is not a valid HTTP header name."],
	[{ ...HEADER, secret: 'sécret' }, "'Secret' contains characters that are not allowed in a header."],
	[{ ...BASIC, user: 'a:b' }, "'User' is empty or contains a colon."],
	[{ ...BASIC, user: '' }, "'User' is empty or contains a colon."],
	[{ ...QUERY, secret: 'x' }, "'Secret' is shorter than 16 characters, so it can be guessed."],
	[{ ...HEADER, secret: ' 123456789012345 ' }, "'Secret' is shorter than 16 characters"],
	[{ ...BASIC, secret: '🔑'.repeat(15) }, "'Password' is shorter than 16 characters"],
	[{ ...QUERY, method: 'digest' }, "'Method' has an unknown value"],
])('the form of %j cannot', (fields, reason) => {
	const found = reasonAgainstSecret(fields) ?? '';
	expect(found.slice(0, reason.length)).toBe(reason);
});

test('says what to use instead', () => {
	expect(reasonAgainstSecret({ ...QUERY, secret: 'a+b' })).toBe(
		"'Secret' contains characters that would change in a URL. Use only letters, digits and - . _ ~. For example, let a password manager create 32 letters and digits.",
	);
});
