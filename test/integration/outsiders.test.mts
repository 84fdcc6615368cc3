// What an attack from outside has found, through n8n-core: long numbers, and what spoils a customer's ID on its way.
import { shareAction } from './actionSetting.mts';
import { DEFINED, people } from './customers.mts';
import { push } from './pushToTrigger.mts';
import { StoredCredentials } from './storedCredentials.mts';

const setting = shareAction(() => new StoredCredentials());
const { run } = setting;

test.each([40_000])(
	'a push with %i zeros in a fraction, to a trigger without a secret, does not block n8n',
	async (zeros) => {
		const raw = `{"id":"1","a":0.1${'0'.repeat(zeros)}1}`;
		const start = performance.now();
		await push({ body: JSON.parse(raw) as unknown, rawBody: Buffer.from(raw) });
		expect(performance.now() - start).toBeLessThan(500);
	},
);

test("a long number in 'Send Once Per' is named as one", async () => {
	const { error } = await run({
		items: people('1'),
		parameters: { ...DEFINED, options: { sendOncePer: '={{ 1234567890123456789 }}' } },
	});
	expect(error?.message).toContain("'Send Once Per' is a number that is too long");
});

test('NaN among the data for the canvas is not sent as null', async () => {
	await run({
		items: people('1'),
		parameters: {
			...DEFINED,
			additionalFields: { field: [{ name: 'amount', value: '={{ Number("x") }}' }] },
		},
	});
	expect(setting.sandbox.triggerCalls).toEqual([]);
});

describe('a number that n8n has rounded is not sent as another ID, however the expression is written', () => {
	const ITEM = [{ json: JSON.parse('{"id":1234567890123456789,"name":"x"}') as { id: number } }];
	test.each([
		['alone (refused)', { ...DEFINED, contactId: '={{ $json.id }}' }],
		['with a blank behind it', { ...DEFINED, contactId: '={{ $json.id }} ' }],
		['as text', { ...DEFINED, contactId: '={{ $json.id.toString() }}' }],
		['behind a letter', { ...DEFINED, contactId: '=C{{ $json.id }}' }],
		[
			'in quotation marks within JSON',
			{ ...DEFINED, dataMode: 'json', jsonBody: '={ "Contact_id": "{{ $json.id }}", "nick": "x" }' },
		],
		[
			'without quotation marks within JSON (refused)',
			{ ...DEFINED, dataMode: 'json', jsonBody: '={ "Contact_id": {{ $json.id }}, "nick": "x" }' },
		],
		[
			'in another field',
			{
				...DEFINED,
				contactId: 'x',
				additionalFields: { field: [{ name: 'order', value: '={{ $json.id }} ' }] },
			},
		],
	])('%s', async (_, parameters) => {
		await run({ items: ITEM, parameters });
		expect(setting.sandbox.triggerCalls.map(({ raw }) => raw)).toEqual([]);
	});
});

test.each([
	['spoiled, from the second item on', ['C1', '4.40981E+17']],
	['hidden, from the second item on', ['C1', 'C1\u200b']],
])('by the fast path: %s', async (_, ids) => {
	const { error } = await run({ items: people(...ids) });
	expect(error?.message).toContain('Item 1:');
	expect(setting.sandbox.triggerCalls).toEqual([]);
});
