import { isAllowedAddress, isRange, splitList } from '../../nodes/SobotWebhookApp/addressList';

test.each([
	['203.0.113.7', '203.0.113.7', true],
	['203.0.113.8', '203.0.113.7', false],
	['203.0.113.8', '203.0.113.0/24', true],
	['203.0.114.8', '203.0.113.0/24', false],
	['10.1.2.3', '10.0.0.0/8', true],
	['198.51.100.1', '0.0.0.0/0', true],
	['203.0.113.7', '203.0.113.7/32', true],
	['203.0.113.6', '203.0.113.7/31', true],
	['2001:db8::1', '2001:db8::/32', true],
	['2001:DB8:0:0:0:0:0:1', '2001:db8::1', true],
	['2001:db9::1', '2001:db8::/32', false],
	['::1', '::1', true],
	['fe80::1%eth0', 'fe80::/10', true],
	['::ffff:203.0.113.7', '203.0.113.0/24', true],
	['::ffff:cb00:7107', '203.0.113.7', true],
	['203.0.113.7', '::ffff:203.0.113.0/120', true],
	['203.0.113.7', '::ffff:0:0/96', true],
	['203.0.113.7', '::/0', false],
	['2001:db8::1', '0.0.0.0/0', false],
	['', '0.0.0.0/0', false],
	['not an address', '::/0', false],
	['203.0.113.7', 'nonsense', false],
])('%s against %s: %s', (address, range, allowed) => {
	expect(isAllowedAddress(address, [range])).toBe(allowed);
});

test.each([
	'1.2.3',
	'1.2.3.4.5',
	'1.2.3.256',
	'01.2.3.4',
	'1.2.3.4/33',
	'1.2.3.4/',
	'1.2.3.4/a',
	'::1/129',
	':::',
	'1::2::3',
	'12345::',
	'::ffff:1.2.3',
	'1:2:3:4:5:6:7:8:9',
	'1.2.3.4/8/8',
	'',
])('%s is no range', (text) => expect(isRange(text)).toBe(false));

test('splits what people type', () => {
	expect(splitList(' 1.2.3.4,, ::1 ,')).toEqual(['1.2.3.4', '::1']);
	expect(splitList('')).toEqual([]);
});
