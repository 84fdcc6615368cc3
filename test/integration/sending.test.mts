// What the action sends for the items of a batch, and what it puts out for each of them.
import { DEMO_CANVAS, QUIET_CANVAS } from '../sandbox/server.mts';
import { accepted } from '../support/workflows.mts';
import { shareAction } from './actionSetting.mts';
import { canvas, CONTINUE, crowd, DEFINED, people } from './customers.mts';
import { outcomeOf } from './runAction.mts';
import { StoredCredentials } from './storedCredentials.mts';

// Batches that take longer than a second have a ledger.
jest.setTimeout(30_000);

const setting = shareAction(() => new StoredCredentials());
const { account, run, start, retried } = setting;
const sentBodies = () => setting.sandbox.accepted.map(({ raw }) => JSON.parse(raw) as unknown);

test("as a tool of n8n's Agents, which give it no node context, the customer is sent", async () => {
	const [output] = await setting.forAgent();
	expect(output).toEqual([{ json: accepted('1'), pairedItem: { item: 0 } }]);
	expect(setting.timesAccepted('1')).toEqual([1]);
});

test("n8n's Agents keep no record, so 'Send Once Per' is refused there, with words that help", async () => {
	const [output] = await setting.forAgent({
		parameters: { ...DEFINED, options: { sendOncePer: 'spring' } },
	});
	expect(output?.[0]?.json.outcome).toBe('notSent');
	expect(output?.[0]?.json.reason).toBe(
		"Customer 1 (item 0): 'Send Once Per' does not work in n8n's Agents, which keep no record of whom a tool has sent. Remove the option.",
	);
	expect(setting.timesSent('1')).toEqual([0]);
});

describe('what is sent', () => {
	test('one body for each item, in order, and one paired output item each', async () => {
		const { output } = await run();
		expect(sentBodies()).toEqual([
			{ Contact_id: '1', nick: 'N 1' },
			{ Contact_id: '2', nick: 'N 2' },
			{ Contact_id: '3', nick: 'N 3' },
		]);
		expect(output).toEqual(['1', '2', '3'].map((id, item) => ({ json: accepted(id), pairedItem: { item } })));
	});

	test('additional fields and a contact ID field with a name of its own', async () => {
		const additionalFields = { field: [{ name: 'order_no', value: '={{ "A-" + $json.id }}' }] };
		await run({
			items: people('7'),
			parameters: {
				...DEFINED,
				canvas: canvas('Members'),
				options: { contactIdField: 'member_no' },
				additionalFields,
			},
		});
		expect(sentBodies()).toEqual([{ member_no: '7', nick: 'N 7', order_no: 'A-7' }]);
	});

	test('the input item itself', async () => {
		const json = { Contact_id: '9', nick: 'Zoé', list: [1, null], deep: { a: true } };
		await run({ items: [{ json }], parameters: { ...DEFINED, dataMode: 'autoMapInputData' } });
		expect(sentBodies()).toEqual([json]);
	});

	test('JSON as it was typed: the digits of a long number stay', async () => {
		const jsonBody = ' { "Contact_id": "9", "nick": "x", "order": 1234567890123456789 } ';
		await run({ items: people('1'), parameters: { ...DEFINED, dataMode: 'json', jsonBody } });
		expect(setting.sandbox.accepted.map(({ raw }) => raw)).toEqual([jsonBody.trim()]);
	});

	test('JSON from an expression', async () => {
		const jsonBody = '={{ { Contact_id: $json.id, nick: $json.name } }}';
		await run({ items: people('5'), parameters: { ...DEFINED, dataMode: 'json', jsonBody } });
		expect(sentBodies()).toEqual([{ Contact_id: '5', nick: 'N 5' }]);
	});

	test('unicode', async () => {
		const name = '王小明 😀 العربية e\u0301';
		await run({ items: [{ json: { id: 'ü-1', name } }] });
		expect(sentBodies()).toEqual([{ Contact_id: 'ü-1', nick: name }]);
	});
});

describe('several canvases in one batch', () => {
	const parameters = { ...DEFINED, canvas: canvas('={{ Number($json.id) % 2 ? "Quiet" : "Welcome" }}') };

	test('each customer on the canvas of their item, in order and paired', async () => {
		const { output } = await run({ items: crowd(10), parameters });
		expect(output.map(({ json, pairedItem }) => [json.contactId, pairedItem])).toEqual(
			crowd(10).map(({ json }, item) => [json.id, { item }]),
		);
		for (const { triggerId, contactId } of setting.sandbox.accepted) {
			expect(triggerId).toBe(Number(contactId) % 2 ? QUIET_CANVAS.triggerId : DEMO_CANVAS.triggerId);
		}
		expect(setting.sandbox.accepted.length).toBe(10);
	});

	test('side by side: while half of the customers of one are sent, so are many of the other', async () => {
		await run({ items: crowd(400), parameters });
		const { accepted: all } = setting.sandbox;
		const isOfFirst = ({ triggerId }: { triggerId?: string }) => triggerId === all[0]?.triggerId;
		const [one, other] = [all.filter(isOfFirst), all.filter((call) => !isOfFirst(call))];
		expect([one.length, other.length]).toEqual([200, 200]);
		const halfMs = one[100]?.arrivedAtMs ?? 0;
		const meanwhile = other.filter(({ arrivedAtMs }) => arrivedAtMs < halfMs).length;
		expect(meanwhile).toBeGreaterThan(50);
		expect(meanwhile).toBeLessThan(150);
	});

	test('a failure on one ends the other, and Retry sends the rest', async () => {
		setting.sandbox.misbehave({ on: 'trigger', contactId: '11', code: '910025', times: 1 });
		// So many that a process which is busy for a second still has customers left when it reads the refusal.
		const failed = await start({ items: crowd(300), parameters });
		expect(setting.sandbox.accepted.length).toBeLessThan(270);
		const { output } = outcomeOf(await retried(failed, { parameters }));
		expect(output.length).toBe(300);
		expect(new Set(setting.sandbox.accepted.map(({ contactId }) => contactId)).size).toBe(300);
		expect(setting.sandbox.accepted.length).toBe(300);
	});
});

test('output items keep the fields of their input item, if wanted', async () => {
	const options = { includeInputFields: true };
	const items = [{ json: { id: '1', name: 'N', city: 'Z', outcome: 'theirs' } }];
	const { output } = await run({ items, parameters: { ...DEFINED, options } });
	expect(output[0]?.json).toEqual({ id: '1', name: 'N', city: 'Z', ...accepted('1') });
});

test('equal contact IDs in one batch are pointed out', async () => {
	const { hints } = await run({ items: people('1', '2', '1', '1') });
	expect(hints).toContainEqual(
		expect.objectContaining({
			message: expect.stringContaining('2 of 4 items put a customer on the same canvas once more') as string,
		}),
	);
});

test('with an expression in the credential, each item is sent with the account of its own', async () => {
	setting.credentials.add('sobotApi', account({ appId: '={{ $json.tenant }}' }));
	const items = ['demo-app', 'other'].map((tenant, i) => ({ json: { id: `${i}`, name: 'N', tenant } }));
	const { output } = await run({ items, node: CONTINUE });
	expect(output.map(({ json }) => json.ret_code)).toEqual(['000000', '900004']);
	expect(setting.sandbox.accepted.map(({ contactId }) => contactId)).toEqual(['0']);
});
