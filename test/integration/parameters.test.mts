// Parameters are read without n8n where that makes no difference, and only there.
import fc from 'fast-check';
import type { IExecuteFunctions, INodeExecutionData, INodeParameters } from 'n8n-workflow';
import { Parameters } from '../../nodes/SobotRuleEngine/n8n/parameters';
import { canvas, people } from './customers.mts';
import { cases } from './expressionCases.mts';
import { contextOf } from './runAction.mts';
import { StoredCredentials } from './storedCredentials.mts';

const credentials = new StoredCredentials();

/** How the action reads its parameters. */
const READINGS: ReadonlyArray<[name: string, fallback?: unknown]> = [
	['contactId'],
	['additionalFields.field', []],
	['options', {}],
	['canvas', ''],
	['nick'],
];

/** What comes of a reading: a value, or the text of what was thrown. */
function outcomeOf(read: () => unknown): unknown {
	try {
		return { value: read() };
	} catch (thrown) {
		return { thrown: String(thrown) };
	}
}

/** All that the action reads for these items, item by item. */
function readAll(
	count: number,
	read: (name: string, index: number, fallback?: unknown) => unknown,
): unknown[] {
	return Array.from({ length: count }, (_, index) =>
		READINGS.map(([name, fallback]) => outcomeOf(() => read(name, index, fallback))),
	);
}

/** The node's context, and which parameters n8n has resolved for which items. */
function watch(parameters: INodeParameters, items: INodeExecutionData[] = people('1', '2', '3')) {
	const context = contextOf({ items, parameters, credentials });
	const resolved: string[] = [];
	const read = context.getNodeParameter;
	const watched: IExecuteFunctions['getNodeParameter'] = (
		name: string,
		index: number,
		fallback?: unknown,
		options?: { rawExpressions?: boolean },
	) => {
		if (!options?.rawExpressions) resolved.push(`${name} ${index}`);
		return read(name, index, fallback, options) as never;
	};
	return { parameters: new Parameters(Object.assign(context, { getNodeParameter: watched })), resolved };
}

test('no expression and no item makes a difference', () => {
	fc.assert(
		fc.property(cases, ({ parameters, items }) => {
			const context = contextOf({ items, parameters, credentials });
			const ours = new Parameters(context);
			const count = items.length;
			expect(readAll(count, (...reading) => ours.at(...reading))).toStrictEqual(
				readAll(count, (name, index, fallback) => context.getNodeParameter(name, index, fallback)),
			);
		}),
		{ numRuns: Number(process.env.EXPRESSIONS ?? 100) },
	);
});

test.each([
	['a dragged column', '={{ $json.name }}'],
	['a column whose name is no JavaScript name', "={{ $json['Order (EUR)'] }}"],
	['a Chinese column', '={{ $json.客户ID }}'],
	['a Chinese column in quotes', '={{ $json["客户ID"] }}'],
	['a nested column', "={{ $json.customer['full name'] }}"],
	['no blanks', '={{$json.name}}'],
	['fixed text', 'Jane'],
])('n8n resolves %s for the first item only', (_, nick) => {
	const items = ['a', 'b', 'c'].map((name) => ({
		json: { name, 'Order (EUR)': name, 客户ID: name, customer: { 'full name': name } },
	}));
	const { parameters, resolved } = watch({ nick }, items);
	const names = items.map((_item, index) => parameters.at('nick', index));
	expect(names).toEqual(nick === 'Jane' ? ['Jane', 'Jane', 'Jane'] : ['a', 'b', 'c']);
	expect(resolved).toEqual(['nick 0']);
});

test('n8n resolves a column for each item whose value is not text, a number or a boolean', () => {
	const items = ['a', 5, true, null, { b: 'c' }].map((id) => ({ json: { id } }));
	const { parameters, resolved } = watch({ contactId: '={{ $json.id }}' }, items);
	expect(items.map((_item, index) => parameters.at('contactId', index))).toEqual([
		'a',
		5,
		true,
		null,
		{ b: 'c' },
	]);
	expect(resolved).toEqual(['contactId 0', 'contactId 3', 'contactId 4']);
});

test('n8n resolves everything if it reads a field in another way', () => {
	const { parameters, resolved } = watch({ contactId: '={{ $json.id }}' });
	const context = contextOf({ items: people('1', '2'), parameters: {}, credentials });
	// As where `$json` stands for something else than the input item.
	const other = new Parameters(
		Object.assign(context, {
			getNodeParameter: (
				_name: string,
				index: number,
				_fallback: unknown,
				options?: { rawExpressions?: boolean },
			) => (options?.rawExpressions ? '={{ $json.id }}' : `other ${index}`),
		}),
	);
	expect([0, 1].map((index) => other.at('contactId', index))).toEqual(['other 0', 'other 1']);
	expect([0, 1].map((index) => parameters.at('contactId', index))).toEqual(['1', '2']);
	expect(resolved).toEqual(['contactId 0']);
});

test('rows and objects with columns are read once through n8n, but with another expression for each item', () => {
	const field = [
		{ name: 'order', value: '={{ $json.id }}' },
		{ name: 'fixed', value: 'x' },
		{ name: 'year', value: '={{ $now.year }}' },
	];
	const { parameters, resolved } = watch({
		additionalFields: { field },
		options: { sendOncePer: '={{ $json.id }}', timeout: 5 },
		canvas: canvas('={{ $json.name }}'),
	});
	const year = new Date().getFullYear();
	for (const [index, id] of ['1', '2', '3'].entries()) {
		expect(parameters.at('additionalFields.field', index, [])).toEqual([
			{ name: 'order', value: id },
			{ name: 'fixed', value: 'x' },
			{ name: 'year', value: year },
		]);
		expect(parameters.at('options', index, {})).toEqual({ sendOncePer: id, timeout: 5 });
		expect(parameters.at('canvas', index, '')).toHaveProperty('value', `N ${id}`);
	}
	expect(resolved).toEqual([
		'additionalFields.field 0',
		'options 0',
		'canvas 0',
		'additionalFields.field 1',
		'additionalFields.field 2',
	]);
});

test('of several rows that n8n cannot read, the error is that of the whole collection', () => {
	const field = [{ name: '=valueOf' }, { name: '={{ $json.valueOf }}' }];
	const context = contextOf({ items: people('1'), parameters: { additionalFields: { field } }, credentials });
	const ours = outcomeOf(() => new Parameters(context).at('additionalFields.field', 0, []));
	expect(ours).toHaveProperty('thrown');
	expect(ours).toEqual(outcomeOf(() => context.getNodeParameter('additionalFields.field', 0, [])));
});
