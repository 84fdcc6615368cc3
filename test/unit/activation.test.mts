import { localOrigin, misconfiguredOption } from '../../nodes/SobotWebhookApp/activation';

const names = (...rows: Array<[string, string]>) => ({
	customFieldNames: { field: rows.map(([id, name]) => ({ id, name })) },
});

test.each([
	{},
	{ companyIds: '456，789; a-b_C' },
	{ companyIds: 456 },
	{ ipAllowlist: '203.0.113.7、2001:db8::/32' },
	names(['aaa', 'one'], ['bbb', 'two'], ['', '']),
	names(['aaa', 'aaa']),
	{ customFieldNames: {} },
	{ customFieldNames: null },
])('the options %j can be used', (options) => {
	expect(misconfiguredOption(options)).toBeUndefined();
});

test.each([
	[{ companyIds: "'456'" }, "'Company IDs' contains invalid entries: '456'"],
	[{ companyIds: '456, #789 7.9' }, "'Company IDs' contains invalid entries: #789, 7.9"],
	[{ companyIds: '' }, "'Company IDs' is empty. Without an ID, no push would be accepted."],
	[{ companyIds: undefined }, "'Company IDs' is empty. Without an ID, no push would be accepted."],
	[{ ipAllowlist: 'example.com, ::1' }, "'IP Allowlist' contains invalid entries: example.com"],
	[{ ipAllowlist: ' , ' }, "'IP Allowlist' is empty. Without an address, every push would be refused."],
	[names(['aaa', 'x'], ['aaa', 'y']), "'Custom Field Names' has two rows for one field ID: aaa"],
	[names(['aaa', 'phone'], ['bbb', ' phone']), "'Custom Field Names' has two fields with one name: phone"],
	[
		names(['aaa', 'bbb'], ['bbb', 'x']),
		"'Custom Field Names' has a name that is the ID of another field: bbb",
	],
	[names(['aaa', '']), "'Custom Field Names' has a row with only a field ID: aaa"],
	[names(['', 'x']), "'Custom Field Names' has a row with only a name: x"],
	[names(['a#', 'x']), "'Custom Field Names' contains an invalid field ID: a#"],
])('the options %j are refused: %s', (options, message) => {
	expect(misconfiguredOption(options)?.message).toBe(message);
	expect(misconfiguredOption(options)?.description).toMatch(/\.$/);
});

test.each([
	['http://localhost:5678/webhook/a', 'http://localhost:5678'],
	['https://n8n.localhost/webhook/a', 'https://n8n.localhost'],
	['http://127.0.0.1:5678/', 'http://127.0.0.1:5678'],
	['http://[::1]:5678/', 'http://[::1]:5678'],
	['http://0.0.0.0/', 'http://0.0.0.0'],
	['https://n8n.example.com/webhook/localhost', undefined],
	['https://localhost.example.com/', undefined],
	['https://127.example.com/', undefined],
	[undefined, undefined],
])('the local origin of the URL %s is %s', (url, origin) => {
	expect(localOrigin(url)).toBe(origin);
});
