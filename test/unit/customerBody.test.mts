import fc from 'fast-check';
import {
	bodyFromFields,
	bodyFromItem,
	bodyFromJson,
	isTemplate,
	reasonAgainstRounded,
} from '../../nodes/SobotRuleEngine/canvas/customerBody';
import { roundedNumber, topLevelFields } from '../../nodes/SobotRuleEngine/canvas/jsonText';

const FIELD = 'Contact_id';
const defined = (more: object = {}) =>
	bodyFromFields({ contactIdField: FIELD, contactId: '1', nick: 'N', additional: [], ...more });
const reason = (reading: object) => ('reason' in reading ? String(reading.reason) : '');

describe('the outermost fields in the text of a JSON object', () => {
	test('are found as JSON.parse finds them, with the exact text of their values', () => {
		const object = fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true });
		fc.assert(
			fc.property(object, fc.constantFrom(undefined, 1, '\t'), (json, indent) => {
				const text = JSON.stringify(json, null, indent);
				const found = topLevelFields(text).map(({ name, start, end }) => [
					name,
					JSON.parse(text.slice(start, end)) as unknown,
				]);
				expect(found).toEqual(Object.entries(JSON.parse(text) as object));
			}),
		);
	});

	test('show a field that appears twice, and one inside another field does not count', () => {
		const names = topLevelFields('{"a":{"a":1,"b":[{"a":2}]},"a":"}","b":"\\"a\\":"}').map(
			({ name }) => name,
		);
		expect(names).toEqual(['a', 'a', 'b']);
	});

	test('are found around a value of 20 million characters', () => {
		const text = JSON.stringify({ a: 'x\n'.repeat(10_000_000), b: 1 });
		expect(topLevelFields(text).map(({ name }) => name)).toEqual(['a', 'b']);
	});
});

describe('a number that JavaScript has rounded', () => {
	const ROUNDED = Number('1234567890123456789');

	test('is found wherever it is, and nothing else is taken for one', () => {
		const json = fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true });
		fc.assert(
			fc.property(json, fc.string(), (object, name) => {
				const text = JSON.stringify({ ...object, last: { [name]: [0, ROUNDED] } });
				const numbers = (value: unknown): number[] =>
					typeof value === 'object' && value !== null
						? Object.values(value).flatMap(numbers)
						: typeof value === 'number'
							? [value]
							: [];
				const [first] = numbers(JSON.parse(text)).filter(
					(value) => Number.isInteger(value) && !Number.isSafeInteger(value),
				);
				expect(roundedNumber(text)?.digits).toBe(String(first));
				if (first === ROUNDED) expect(roundedNumber(text)?.path).toBe(`last.${name}[1]`);
			}),
		);
	});

	test.each([
		['{"a":1,"order":{"ids":[[1],{"x":9007199254740992}]}}', 'order.ids[1].x', '9007199254740992'],
		['{"a":"}","b":-1e+21}', 'b', '-1e+21'],
	])('in %s', (text, path, digits) => {
		expect(roundedNumber(text)).toEqual({ path, digits });
	});

	test.each([
		'{"a":9007199254740991,"b":-9007199254740991}',
		'{"a":"1234567890123456800"}',
		'{"1234567890123456800":1}',
		'{"a":0.1234567890123456,"b":1234567890.5,"c":1e-7}',
		// typed with all its digits, which are sent as they are
		'{"a":1234567890123456789,"b":1e21}',
	])('is not in %s', (text) => {
		expect(roundedNumber(text)).toBeUndefined();
	});

	test.each([
		['a field', defined({ additional: [{ name: 'order', value: ROUNDED }] }), 'order'],
		[
			'a field of a field',
			defined({ additional: [{ name: 'a', value: { ids: [1, ROUNDED] } }] }),
			'a.ids[1]',
		],
		['an item', bodyFromItem({ Contact_id: '1', list: [{ id: ROUNDED }] }, FIELD), 'list[0].id'],
		['an object', bodyFromJson({ Contact_id: '1', id: ROUNDED }, FIELD), 'id'],
		['JSON', bodyFromJson(`{"Contact_id":"1","a":[${ROUNDED}]}`, FIELD), 'a[0]'],
	])('is refused in %s, beside the customer', (_, reading, path) => {
		expect(reading).toEqual({
			reason: expect.stringContaining(
				`The field "${path}" is the number 1234567890123456800, which is too long`,
			) as string,
			contactId: '1',
		});
	});

	test('is refused as a contact ID or nickname in JSON', () => {
		expect(reason(bodyFromJson(`{"Contact_id":${ROUNDED}}`, FIELD))).toContain('"Contact_id" is the number');
		expect(reason(bodyFromJson(`{"Contact_id":1,"nick":${ROUNDED}}`, FIELD))).toContain(
			'"nick" is the number',
		);
	});
});

describe.each<[string, (contactId: string, nick?: string) => object]>([
	['Define Below', (contactId, nick = 'N') => defined({ contactId, nick })],
	['Map Automatically', (contactId, nick) => bodyFromItem({ Contact_id: contactId, nick }, FIELD)],
	['JSON', (contactId, nick) => bodyFromJson(JSON.stringify({ Contact_id: contactId, nick }), FIELD)],
	['JSON from an expression', (contactId, nick) => bodyFromJson({ Contact_id: contactId, nick }, FIELD)],
])('%s', (_, body) => {
	test.each([
		['4.40981E+17', 'is 4.40981E+17: a spreadsheet has shortened it'],
		['C1\u200b', 'contains the hidden character U+200B'],
		['undefined', 'stands for a missing value'],
	])('refuses the spoiled contact ID %j', (contactId, words) => {
		expect(reason(body(contactId))).toMatch(/^('Contact ID'|The field "Contact_id") /);
		expect(reason(body(contactId))).toContain(words);
	});

	test('sends an ID of letters and digits, and a name with joiners', () => {
		const reading = body("O'Brien#12E4", 'می\u200cخواهم 👩\u200d💻');
		expect(reading).toMatchObject({ contactId: "O'Brien#12E4" });
	});

	test('refuses a nickname that was cut within a character, beside the customer', () => {
		expect(body('1', 'Jane\ud83d')).toEqual({
			reason: expect.stringContaining('contains half a character (U+D83D)') as string,
			contactId: '1',
		});
	});

	test('sends the contact ID and the nickname without the blanks around them', () => {
		const reading = body(' 1\n', '\tJane ');
		expect(reading).toEqual({ body: '{"Contact_id":"1","nick":"Jane"}', contactId: '1' });
	});
});

describe('Define Below', () => {
	test('sends numbers as text', () => {
		expect(defined({ contactId: 22, nick: 7 })).toEqual({
			body: '{"Contact_id":"22","nick":"7"}',
			contactId: '22',
		});
	});

	test.each([
		['an empty contact ID', { contactId: ' ' }, "'Contact ID' is empty or not text."],
		['a contact ID that is an object', { contactId: {} }, "'Contact ID' is empty or not text."],
		['a contact ID that is not a number', { contactId: NaN }, "'Contact ID' is empty or not text."],
		['no nickname', { nick: undefined }, "'Nickname' is empty or not text."],
		['a number that is too long', { contactId: 2 ** 60 }, 'too long to keep all its digits'],
		['an expression that n8n took for text', { contactId: '{{ $json.id }}' }, 'from Fixed to Expression'],
		['a nickname that is still a template', { nick: 'Hi {{\n$json.name }}' }, 'from Fixed to Expression'],
		[
			'a template in a field',
			{ additional: [{ name: 'a', value: '{{ $json.x }}' }] },
			'from Fixed to Expression',
		],
		[
			'a field without a value',
			{ additional: [{ name: 'a', value: undefined }] },
			'has no value for this item',
		],
		['a field that is no number', { additional: [{ name: 'a', value: NaN }] }, 'has no value for this item'],
		[
			'a field without a name',
			{ additional: [{ name: ' ', value: 1 }] },
			"A field in 'Data for the Canvas' has no name",
		],
		['a field twice', { additional: [{ name: 'nick', value: 1 }] }, 'The field "nick" appears twice'],
		['a circular reference', { additional: [{ name: 'a', value: circular() }] }, 'circular reference'],
	])('refuses %s', (_, more, words) => {
		expect(reason(defined(more))).toContain(words);
	});

	test('names the customer beside what is wrong, as soon as they are known', () => {
		expect(defined({ additional: [{ name: '', value: 1 }] })).toMatchObject({ contactId: '1' });
	});
});

describe('Map Automatically', () => {
	test('sends the item as it is, the contact ID and the nickname as text', () => {
		const reading = bodyFromItem({ Contact_id: 5, nick: 6, list: [1], none: null }, FIELD);
		expect(reading).toEqual({ body: '{"Contact_id":"5","nick":"6","list":[1],"none":null}', contactId: '5' });
	});

	test('leaves a missing nickname out', () => {
		expect(bodyFromItem({ Contact_id: '5' }, FIELD)).toEqual({ body: '{"Contact_id":"5"}', contactId: '5' });
	});

	test.each([
		[{}, 'The input item is empty'],
		[undefined, 'The input item is empty'],
		[{ id: '5' }, 'The field "Contact_id" is missing'],
		[{ Contact_id: null }, 'The field "Contact_id" is empty or not text'],
		[{ Contact_id: '5', nick: '{{ x }}' }, 'The field "nick" is still the text'],
	])('refuses %j', (json, words) => {
		expect(reason(bodyFromItem(json, FIELD))).toContain(words);
	});

	test('uses the name of the customer source field that was entered', () => {
		expect(bodyFromItem({ member_no: '5' }, 'member_no')).toMatchObject({ contactId: '5' });
	});
});

describe('JSON', () => {
	test('sends text as it was typed, with all digits', () => {
		const text = '{ "order": 1234567890123456789, "Contact_id": "9" }';
		expect(bodyFromJson(` ${text}\n`, FIELD)).toEqual({ body: text, contactId: '9' });
	});

	test('puts a contact ID and a nickname that are numbers in quotation marks, with all digits', () => {
		expect(bodyFromJson('{"nick": 12, "Contact_id" : 1234567890123456789 , "n": 3}', FIELD)).toEqual({
			body: '{"nick": "12", "Contact_id" : "1234567890123456789" , "n": 3}',
			contactId: '1234567890123456789',
		});
	});

	test('takes a number for what it is, however it was typed', () => {
		expect(bodyFromJson('{"Contact_id":1.2E1,"nick":7.0,"n":1.0}', FIELD)).toEqual({
			body: '{"Contact_id":"12","nick":"7","n":1.0}',
			contactId: '12',
		});
	});

	test('takes an object from an expression', () => {
		expect(bodyFromJson({ Contact_id: 9 }, FIELD)).toEqual({ body: '{"Contact_id":"9"}', contactId: '9' });
	});

	test.each([
		['{"a":', "'JSON Body' is not valid JSON"],
		['[1]', "'JSON Body' is not a JSON object"],
		['"x"', "'JSON Body' is not a JSON object"],
		['null', "'JSON Body' is not a JSON object"],
		['{}', "'JSON Body' is not a JSON object"],
		[undefined, "'JSON Body' is not a JSON object"],
		['{"nick":"x"}', 'The field "Contact_id" is missing'],
		['{"Contact_id":""}', 'The field "Contact_id" is empty or not text'],
		['{"Contact_id":"1","nick":"x","Contact_id":"2"}', 'The field "Contact_id" appears twice'],
	])('refuses %s', (entered, words) => {
		expect(reason(bodyFromJson(entered, FIELD))).toContain(words);
	});
});

function circular(): object {
	const self: Record<string, unknown> = {};
	self.self = self;
	return self;
}

test('a text of braces is searched in one pass', () => {
	const { cpuUsage } = process;
	const text = '{'.repeat(1_000_000);
	const before = cpuUsage();
	expect(isTemplate(text)).toBe(false);
	expect(isTemplate(`${text}}}`)).toBe(true);
	// A search that restarts at each brace takes minutes.
	expect(cpuUsage(before).user / 1000).toBeLessThan(1000);
});

test.each([
	['{{ $json.id }}', true],
	['a {{\n}} b', true],
	['{{ $json.id', false],
	['}} {{', false],
	['{ } { }', false],
	['{{}', false],
])('%j still holds an expression: %s', (text, isOne) => {
	expect(isTemplate(text)).toBe(isOne);
});

test('an item that contains itself is looked through once for rounded numbers', () => {
	const item: Record<string, unknown> = { id: 1234567890123456789 };
	item.self = item;
	expect(reasonAgainstRounded(item, '{"Contact_id":"1234567890123456780"}')).toBeUndefined();
	expect(reasonAgainstRounded(item, `{"Contact_id":"C${String(item.id)}"}`)).toContain('"id" of the input');
});
