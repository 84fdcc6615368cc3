import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { deliveryKeyOf, isNestedTooDeep, parsePush } from '../../nodes/SobotWebhookApp/parsePush';

/** The example in Sobot's document. */
const EXAMPLE = {
	id: '123',
	pid: '456',
	nick: 'John',
	uname: 'John Doe',
	email: '15612661266@163.com;15612661267@163.com',
	tel: '1234567890',
	qq: '123456',
	remark: 'This is a remark',
	is_vip: '0',
	vip_level: 'Gold',
	user_label: '581dfa5ff16644619d8a7e1a45632a79,33d090699539491d9a0cc75f896453bc',
	face: 'https://example.com/avatar.jpg',
	ex_fields: {
		'7dcf2982a3bc4afaa5351500b8e2e21c': '622453954796438,698821015202242',
		'899f53ad57fd45beaab0628981d87e2b': '2024-03-26',
	},
};

test("simplifies the document's own example", () => {
	expect(parsePush(EXAMPLE)).toEqual({
		customerId: '123',
		companyId: '456',
		nickname: 'John',
		realName: 'John Doe',
		emails: ['15612661266@163.com', '15612661267@163.com'],
		phones: ['1234567890'],
		qq: '123456',
		remark: 'This is a remark',
		isVip: false,
		vipLevel: 'Gold',
		labelIds: ['581dfa5ff16644619d8a7e1a45632a79', '33d090699539491d9a0cc75f896453bc'],
		avatarUrl: 'https://example.com/avatar.jpg',
		customFields: EXAMPLE.ex_fields,
		deliveryKey: deliveryKeyOf(EXAMPLE),
	});
});

test('leaves out what Sobot left out; a list is then empty', () => {
	expect(parsePush({})).toEqual({
		emails: [],
		phones: [],
		labelIds: [],
		deliveryKey: '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
	});
});

test('takes separators in odd places, numbers for text, and leaves out what has no meaning', () => {
	const push = parsePush({
		id: 5,
		email: ';;a@b.c; ;',
		tel: 123,
		user_label: [1],
		nick: null,
		uname: {},
		is_vip: 1,
		ex_fields: [],
	});
	expect(push).toEqual({
		customerId: '5',
		emails: ['a@b.c'],
		phones: ['123'],
		labelIds: [],
		isVip: true,
		deliveryKey: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
	});
});

test.each([
	['1', true],
	['0', false],
	[1, true],
	[0, false],
	['yes', undefined],
	[true, undefined],
	['', undefined],
])('reads is_vip %j as %j', (given, vip) => {
	expect(parsePush({ is_vip: given }).isVip).toBe(vip);
});

// As JSON, since that is how they come.
test.each<[string, string, Record<string, unknown>]>([
	['nulls for everything', '{"id":null,"email":null,"is_vip":null,"ex_fields":null,"user_label":null}', {}],
	[
		'numbers for texts',
		'{"id":123,"tel":1234567890,"is_vip":1}',
		{ customerId: '123', phones: ['1234567890'], isVip: true },
	],
	['objects for texts', '{"id":{},"nick":{"a":1},"email":{},"face":{}}', {}],
	['arrays for texts', '{"id":["1"],"email":["a@b.c"],"user_label":["l"]}', {}],
	['booleans for texts', '{"id":true,"is_vip":true,"nick":false}', {}],
	['a text for the custom fields', '{"ex_fields":"x"}', {}],
	['an array for the custom fields', '{"ex_fields":["x"]}', {}],
	['empty custom fields', '{"ex_fields":{}}', { customFields: {} }],
	[
		'custom fields that are not text',
		'{"ex_fields":{"a":1,"b":null,"c":[1],"d":{"e":"f"}}}',
		{ customFields: { a: 1, b: null, c: [1], d: { e: 'f' } } },
	],
	['empty texts', '{"id":"","nick":"","email":"","is_vip":""}', { customerId: '', nickname: '' }],
	[
		'separators in odd places',
		'{"email":";;a@b.c; ;","tel":" 1 ;2;","user_label":",a,,b,"}',
		{ emails: ['a@b.c'], phones: ['1', '2'], labelIds: ['a', 'b'] },
	],
	['a list of separators only', '{"email":";;;"}', {}],
	['is_vip that is neither 0 nor 1', '{"is_vip":"yes"}', {}],
	['is_vip with spaces', '{"is_vip":" 0 "}', { isVip: false }],
	[
		'a long list',
		JSON.stringify({ email: 'a@b.c;'.repeat(20_000) }),
		{ emails: Array<string>(20_000).fill('a@b.c') },
	],
])('simplifies %s', (_, body, expected) => {
	expect(parsePush(JSON.parse(body) as Record<string, unknown>)).toEqual({
		emails: [],
		phones: [],
		labelIds: [],
		deliveryKey: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
		...expected,
	});
});

test("gives custom fields the builder's names", () => {
	const names = new Map([['899f53ad57fd45beaab0628981d87e2b', 'birthday']]);
	expect(parsePush(EXAMPLE, names).customFields).toEqual({
		'7dcf2982a3bc4afaa5351500b8e2e21c': '622453954796438,698821015202242',
		birthday: '2024-03-26',
	});
});

test('a name that another field of the push has already does not overwrite that field', () => {
	const names = new Map([['aaa', 'bbb']]);
	expect(parsePush({ ex_fields: { aaa: '1', bbb: '2' } }, names).customFields).toEqual({
		aaa: '1',
		bbb: '2',
	});
	expect(parsePush({ ex_fields: { aaa: '1' } }, names).customFields).toEqual({ bbb: '1' });
	expect(parsePush({ ex_fields: { aaa: '1' } }, new Map([['aaa', '']])).customFields).toEqual({ aaa: '1' });
});

test('the delivery key is the same for a redelivery, however its keys are ordered, and another for another push', () => {
	const reordered = Object.fromEntries(Object.entries(EXAMPLE).reverse());
	expect(deliveryKeyOf(reordered)).toBe(deliveryKeyOf(EXAMPLE));
	expect(deliveryKeyOf({ ...EXAMPLE, remark: 'Another' })).not.toBe(deliveryKeyOf(EXAMPLE));
	expect(deliveryKeyOf({ a: [1, 2] })).not.toBe(deliveryKeyOf({ a: [2, 1] }));
});

test('the delivery key is the SHA-256 of the JSON with sorted keys, whatever JSON comes', () => {
	const sorted = (value: unknown): unknown =>
		Array.isArray(value)
			? value.map(sorted)
			: typeof value === 'object' && value !== null
				? Object.fromEntries(
						Object.entries(value)
							.sort(([a], [b]) => (a < b ? -1 : 1))
							.map(([key, inner]) => [key, sorted(inner)]),
					)
				: value;
	// Objects put keys that look like array indexes first, whatever was asked for.
	const key = fc.string().filter((text) => !/^\d+$/.test(text));
	const { tree } = fc.letrec((tie) => ({
		tree: fc.oneof(
			{ maxDepth: 4 },
			fc.jsonValue({ maxDepth: 0 }),
			fc.array(tie('tree')),
			fc.dictionary(key, tie('tree')),
		),
	}));
	fc.assert(
		fc.property(fc.dictionary(key, tree), (body) => {
			const expected = createHash('sha256')
				.update(JSON.stringify(sorted(body)))
				.digest('hex');
			expect(deliveryKeyOf(body)).toBe(expected);
		}),
	);
});

test.each([
	[2, false],
	[1000, false],
	[1001, true],
	[200_000, true],
])('nested %i deep: too deep for n8n? %j', (deep, isTooDeep) => {
	for (const [opening, closing] of [
		['{"a":', '}'],
		['[', ']'],
	] as const) {
		const body = JSON.parse(`{"a":${opening.repeat(deep - 1)}1${closing.repeat(deep - 1)}}`) as Record<
			string,
			unknown
		>;
		expect(isNestedTooDeep(body)).toBe(isTooDeep);
		if (!isTooDeep) expect(parsePush(body).deliveryKey).toMatch(/^[0-9a-f]{64}$/);
	}
});

test('does not pollute any prototype', () => {
	const body = JSON.parse(
		'{"__proto__":{"x":1},"ex_fields":{"__proto__":"polluted","constructor":"c"}}',
	) as Record<string, unknown>;
	const push = parsePush(body, new Map([['constructor', '__proto__']]));
	expect(({} as Record<string, unknown>).x).toBeUndefined();
	expect(Object.getPrototypeOf(push.customFields)).toBe(Object.prototype);
});

test('never throws and never invents, whatever JSON comes', () => {
	fc.assert(
		fc.property(
			fc.dictionary(fc.oneof(fc.constantFrom(...Object.keys(EXAMPLE)), fc.string()), fc.jsonValue()),
			(body) => {
				const before = JSON.stringify(body);
				const { emails, phones, labelIds, deliveryKey, isVip, customFields, ...texts } = parsePush(body);
				expect(JSON.stringify(body)).toBe(before);
				expect(deliveryKey).toMatch(/^[0-9a-f]{64}$/);
				expect([true, false, undefined]).toContain(isVip);
				const given = new Set(
					Object.values(body)
						.filter((value) => ['string', 'number'].includes(typeof value))
						.map(String),
				);
				for (const value of Object.values(texts)) expect(given.has(String(value))).toBe(true);
				for (const [list, field] of [
					[emails, 'email'],
					[phones, 'tel'],
					[labelIds, 'user_label'],
				] as const) {
					for (const entry of list) expect(String(body[field] as string)).toContain(entry);
				}
				if (customFields) expect(customFields).toEqual(body.ex_fields);
			},
		),
	);
});
