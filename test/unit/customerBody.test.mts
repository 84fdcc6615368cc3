import fc from 'fast-check';
import {
	bodyFromFields,
	bodyFromItem,
	bodyFromJson,
	isTemplate,
} from '../../nodes/SobotRuleEngine/canvas/customerBody';
import { topLevelFields } from '../../nodes/SobotRuleEngine/canvas/jsonText';

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
		['a field without a name', { additional: [{ name: ' ', value: 1 }] }, 'An additional field has no name'],
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
