import { misconfiguredOption } from '../../nodes/SobotWebhookApp/activation';

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
	[{ companyIds: '' }, "'Company IDs' is empty, so no push would be accepted."],
	[{ companyIds: undefined }, "'Company IDs' is empty, so no push would be accepted."],
	[{ ipAllowlist: 'example.com, ::1' }, "'IP Allowlist' contains invalid entries: example.com"],
	[{ ipAllowlist: ' , ' }, "'IP Allowlist' is empty, so no push would be accepted."],
	[names(['aaa', 'x'], ['aaa', 'y']), `'Custom Field Names' has two rows with "aaa".`],
	[names(['aaa', 'phone'], ['bbb', ' phone']), `'Custom Field Names' has two rows with "phone".`],
	[names(['aaa', 'bbb'], ['bbb', 'x']), `'Custom Field Names' has two rows with "bbb".`],
	[names(['aaa', '']), `'Custom Field Names' has a row with the field ID "aaa" and the name "".`],
	[names(['', 'x']), `'Custom Field Names' has a row with the field ID "" and the name "x".`],
	[names(['a#', 'x']), `'Custom Field Names' has a row with the field ID "a#" and the name "x".`],
])('the options %j are refused: %s', (options, message) => {
	expect(misconfiguredOption(options)?.message).toBe(message);
	expect(misconfiguredOption(options)?.description).toMatch(/\.$/);
});
