// Random expressions, as the editor and people write them, and random items for them: what looks like a column of the
// input and is none, and the other way round.
import fc from 'fast-check';
import type { INodeExecutionData, INodeParameters } from 'n8n-workflow';

export interface Case {
	parameters: INodeParameters;
	items: INodeExecutionData[];
}

/** Names of fields: ordinary ones, and those that JavaScript or n8n treat in a way of their own. */
const NAMES = [
	...['id', 'name', 'Order No', '客户ID', '昵称', 'é', 'e\u0301', '_x', '$x', 'x$', '1', '1st', '𠮷'],
	...[
		'a.b',
		"it's",
		'say "x"',
		'`x`',
		'a-b',
		'a[0]',
		'(EUR)',
		'x}}y',
		'x{{y',
		'a\\b',
		'a\nb',
		'a\u2028b',
		' ',
		'',
	],
	...['__proto__', 'constructor', 'a.constructor', 'constructorName', 'prototype', 'toString', 'valueOf'],
	...['hasOwnProperty', '__lookupGetter__', 'getPrototypeOf', 'mainModule', 'binding', '_load', 'toJSON'],
	...['length', 'first', 'isEmpty', 'extend', 'json', 'isProxy', 'then', '__isError', 'if', 'this', '$json'],
];

const name = fc.oneof({ arbitrary: fc.constantFrom(...NAMES), weight: 5 }, fc.string({ unit: 'binary' }));

const quote = (text: string, mark: string) => mark + text.replaceAll(mark, `\\${mark}`) + mark;
const escaped = (text: string) =>
	text.replace(/^./, (first) => `\\u${first.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Expressions and other texts that name a field in some way. */
const FORMS: ReadonlyArray<(field: string) => string> = [
	(field) => `={{ $json.${field} }}`,
	(field) => `={{ $json['${field.replaceAll("'", "\\'")}'] }}`,
	(field) => `={{ $json[${quote(field, '"')}] }}`,
	(field) => `={{ $json.in.${field} }}`,
	(field) => `={{ $json.in['${field}'] }}`,
	(field) => `={{ $json["in"].in["${field}"] }}`,
	(field) => `={{$json.${field}}}`,
	(field) => `={{   $json[${quote(field, "'")}]   }}`,
	(field) => `={{ $json[${JSON.stringify(field)}] }}`,
	(field) => `={{ $json.${escaped(field)} }}`,
	(field) => `={{ $json["${escaped(field)}"] }}`,
	(field) => `={{ $json[ '${field}' ] }}`,
	(field) => `={{ $json [ '${field}' ] }}`,
	(field) => `={{ $json?.${field} }}`,
	(field) => `={{ $json. ${field} }}`,
	(field) => `={{\n$json.${field}\n}}`,
	(field) => `={{ $json.${field}; }}`,
	(field) => `={{ $json.${field} // }}`,
	(field) => `={{ ($json.${field}) }}`,
	(field) => `={{ $json.${field}.trim() }}`,
	(field) => `={{ $json.${field} }} `,
	(field) => `= {{ $json.${field} }}`,
	(field) => `={{ $json.${field} }}{{ $json.id }}`,
	(field) => `={{ $data.${field} }}`,
	(field) => `={{ $input.item.json.${field} }}`,
	(field) => `={{ $json.${field} }`,
	(field) => `{{ $json.${field} }}`,
	(field) => `=${field}`,
	(field) => field,
	() => '={{ $json }}',
	() => '={{ $now.year }}',
	() => '={{ missing }}',
	() => '={{ $json[0] }}',
	() => '={{ $parameter["&name"] }}',
	() => '=',
	() => '={{ }}',
];

const typed = (field: fc.Arbitrary<string>) =>
	fc
		.tuple(fc.oneof({ arbitrary: fc.nat(8), weight: 3 }, fc.nat(FORMS.length - 1)), field)
		.map(([form, one]) => FORMS[form]?.(one) ?? '');

const text = fc.oneof(
	fc.constantFrom(
		'',
		' ',
		' c-1 ',
		'={{ 1 }}',
		'{{ $json.id }}',
		'=',
		'\ud800',
		'null',
		'[Object]',
		'2027-01-01',
	),
	fc.string(),
	fc.string({ unit: 'binary' }),
);
const value = fc.oneof(
	{ arbitrary: text, weight: 8 },
	fc.constantFrom<unknown>(0, 7, NaN, true, null, undefined, new Date(0), { a: 1 }, ['x'], Symbol.iterator),
	fc.constant(() => 'called'),
);

/** How a field is there: as JSON has it, or in another way. */
const SHAPES: ReadonlyArray<(json: object, field: string, given: unknown) => void> = [
	(json, field, given) =>
		Object.defineProperty(json, field, {
			value: given,
			enumerable: true,
			writable: true,
			configurable: true,
		}),
	(json, field, given) =>
		Object.defineProperty(json, field, { get: () => given, enumerable: true, configurable: true }),
	(json, field, given) => Object.defineProperty(json, field, { value: given, configurable: true }),
	() => undefined,
];

function without(json: object, field: string): object {
	return Object.fromEntries(Object.entries(json).filter(([name]) => name !== field));
}

/** What the fields belong to. */
const HOLDERS: ReadonlyArray<(json: object) => unknown> = [
	(json) => json,
	(json) => Object.create(null, Object.getOwnPropertyDescriptors(json)) as unknown,
	(json) => Object.create(json) as unknown,
	(json) => Object.defineProperties(new (class Row {})(), Object.getOwnPropertyDescriptors(json)),
	(json) => Object.defineProperties([], Object.getOwnPropertyDescriptors(without(json, 'length'))),
	(json) => Object.defineProperties(new Date(0), Object.getOwnPropertyDescriptors(json)),
	(json) =>
		new Proxy(json, {
			get: (target, key) => (key === 'id' ? 'trapped' : (Reflect.get(target, key) as unknown)),
		}),
];

const mostly = <Of,>(of: readonly Of[]) =>
	fc.oneof({ arbitrary: fc.constant(of[0] as Of), weight: 8 }, fc.constantFrom(...of));

const holder = (
	fields: readonly string[],
	more: fc.Arbitrary<object> = fc.constant({}),
): fc.Arbitrary<unknown> =>
	fc
		.tuple(
			mostly(HOLDERS),
			fc.tuple(...fields.map((field) => fc.tuple(fc.constant(field), mostly(SHAPES), value))),
			more,
		)
		.map(([hold, all, json]) => {
			for (const [field, shape, given] of all) shape(json, field, given);
			return hold(json);
		});

const item = (fields: readonly string[]) => {
	const inner = holder(fields, fc.record({ in: holder(fields) }));
	return holder(fields, fc.record({ in: fc.oneof({ arbitrary: inner, weight: 5 }, value) })).map(
		(json) => ({ json }) as INodeExecutionData,
	);
};

/** Parameters of the action with items that have, or lack, the fields that they name. */
export const cases: fc.Arbitrary<Case> = fc.array(name, { minLength: 1, maxLength: 3 }).chain((fields) => {
	const one = typed(fc.constantFrom(...fields, 'id'));
	const rows = fc.array(fc.record({ name: one, value: fc.oneof(one, value) }, { requiredKeys: ['name'] }), {
		maxLength: 3,
	});
	return fc.record({
		parameters: fc.record({
			contactId: one,
			additionalFields: fc.record({ field: rows }) as fc.Arbitrary<INodeParameters>,
			options: fc.record({ sendOncePer: one, dryRun: fc.constant(true) }, { requiredKeys: [] }),
			canvas: fc.oneof(
				one,
				fc.record({ __rl: fc.constant(true), mode: fc.constantFrom('id', 'list'), value: one }),
			),
		}) as fc.Arbitrary<INodeParameters>,
		items: fc.array(item([...fields, 'id']), { minLength: 1, maxLength: 4 }),
	});
});
