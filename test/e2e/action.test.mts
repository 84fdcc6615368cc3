import { createCredentials, sobotApiFields, type Credentials } from '../support/credentials.mts';
import { N8n } from '../support/n8n/n8n.mts';
import { MEMBER_CANVAS, QUIET_CANVAS, Sandbox } from '../sandbox/server.mts';
import { connect, underTest } from '../support/underTest.mts';
import { until } from '../support/until.mts';
import {
	accepted,
	actionWorkflow,
	canvasLocator,
	chain,
	FROM_ITEM,
	httpRequestNode,
	node,
	outputOf,
} from '../support/workflows.mts';

jest.setTimeout(120_000);

let n8n: N8n;
let sandbox: Sandbox;
let credentials: Credentials;

beforeAll(async () => (n8n = await connect()));
beforeEach(async () => {
	sandbox = await Sandbox.start();
	credentials = await createCredentials(n8n, sandbox);
});
afterEach(async () => await sandbox.close());

const PEOPLE = [
	{ id: '1', name: 'Ana' },
	{ id: '2', name: '王小明 😀' },
	{ id: '3', name: 'Zoë' },
];
const ALL_ACCEPTED = PEOPLE.map(({ id }) => accepted(id));
const sentBodies = () => sandbox.accepted.map(({ raw }) => JSON.parse(raw) as unknown);

test('define below: unicode and additional fields arrive, the items are paired, one token is fetched', async () => {
	const additionalFields = { field: [{ name: 'order_no', value: '={{ "A-" + $json.id }}' }] };
	const execution = await n8n.execute(
		await actionWorkflow(n8n, credentials, PEOPLE, { ...FROM_ITEM, additionalFields }),
	);
	expect(execution.status).toBe('success');
	expect(outputOf(execution, 'Sobot')).toEqual(
		PEOPLE.map(({ id }, item) => ({ json: accepted(id), pairedItem: { item } })),
	);
	expect(sentBodies()).toEqual(
		PEOPLE.map(({ id, name }) => ({ Contact_id: id, nick: name, order_no: `A-${id}` })),
	);
	expect(sandbox.tokenCalls.map(({ code }) => code)).toEqual(['000000']);
});

test("the canvas is chosen item by item, by the name or the trigger ID of the credential's row", async () => {
	const people = [
		{ id: '1', name: 'Ana', canvas: 'Members', field: 'member_no' },
		{ id: '2', name: 'Bo', canvas: QUIET_CANVAS.triggerId, field: 'Contact_id' },
	];
	const execution = await n8n.execute(
		await actionWorkflow(n8n, credentials, people, {
			...FROM_ITEM,
			canvas: canvasLocator('={{ $json.canvas }}'),
			options: { contactIdField: '={{ $json.field }}' },
		}),
	);
	expect(outputOf(execution, 'Sobot').map(({ json }) => json)).toEqual([accepted('1'), accepted('2')]);
	const sent = sandbox.accepted.map(({ triggerId, raw }) => [triggerId, JSON.parse(raw) as unknown]);
	expect(sent).toHaveLength(2);
	expect(sent).toEqual(
		expect.arrayContaining([
			[MEMBER_CANVAS.triggerId, { member_no: '1', nick: 'Ana' }],
			[QUIET_CANVAS.triggerId, { Contact_id: '2', nick: 'Bo' }],
		]),
	);
});

test('bad input is refused before anything is sent', async () => {
	const people = [...PEOPLE, { id: '', name: 'Nobody' }];
	const execution = await n8n.execute(await actionWorkflow(n8n, credentials, people, FROM_ITEM));
	expect(execution.status).toBe('error');
	expect(execution.data.resultData.error?.message).toBe(
		"Item 3: 'Contact ID' is empty or not text. Enter it, or check the expression for this item.",
	);
	expect([sandbox.tokenCalls, sandbox.triggerCalls]).toEqual([[], []]);
});

// One code of each shape; unit and integration tests know them all.
test.each([
	['refused', '910025'],
	['unknown', '999999'],
	['overLimit', '910024'],
])(
	'%s (%s): with On Error: Continue the item says so and the others go through; otherwise the node stops',
	async (outcome, code) => {
		sandbox.misbehave({ on: 'trigger', code, contactId: '2' });
		const parameters = { ...FROM_ITEM, options: { giveUpAfter: 0 } };
		const workflow = await actionWorkflow(n8n, credentials, PEOPLE, parameters, {
			onError: 'continueRegularOutput',
		});
		const continued = outputOf(await n8n.execute(workflow), 'Sobot');
		expect(continued.map(({ json }) => json)).toEqual([
			accepted('1'),
			{
				contactId: '2',
				outcome,
				ret_code: code,
				reason: expect.stringMatching(`^Customer 2 \\(item 1\\): .*\\(${code}\\)`) as string,
			},
			accepted('3'),
		]);
		expect(continued.map(({ pairedItem }) => pairedItem)).toEqual([0, 1, 2].map((item) => ({ item })));

		const stopped = await n8n.execute(await actionWorkflow(n8n, credentials, [PEOPLE[1] ?? {}], parameters));
		expect(stopped.status).toBe('error');
		expect(stopped.data.resultData.error?.message).toContain(`(${code})`);
		expect(stopped.data.resultData.error?.description).toContain(
			outcome === 'unknown' ? 'Unknown: 1 customer (item 0).' : 'Nobody was put on the canvas.',
		);
	},
);

test('failed items go to the error output, where n8n adds their input', async () => {
	const people = [...PEOPLE, { id: 'nobody', name: 'N' }];
	const execution = await n8n.execute(
		await actionWorkflow(n8n, credentials, people, FROM_ITEM, { onError: 'continueErrorOutput' }),
	);
	const [ok, failed] = execution.data.resultData.runData.Sobot?.[0]?.data?.main ?? [];
	expect(ok?.map(({ json }) => json)).toEqual(ALL_ACCEPTED);
	expect(failed?.map(({ json }) => json)).toEqual([
		{
			id: 'nobody',
			name: 'N',
			contactId: 'nobody',
			outcome: 'refused',
			ret_code: '910026',
			reason:
				"Customer nobody (item 3): Sobot found no matching customer (910026). Check that the contact ID belongs to a customer in Sobot, and that the option 'Contact ID Field' is right.",
		},
	]);
});

test("n8n's Retry On Fail does not send again what Sobot has accepted", async () => {
	sandbox.misbehave({ on: 'trigger', contactId: '2', code: '910025', times: 2 });
	const more = { retryOnFail: true, maxTries: 3, waitBetweenTries: 10 };
	const execution = await n8n.execute(await actionWorkflow(n8n, credentials, PEOPLE, FROM_ITEM, more));
	expect(outputOf(execution, 'Sobot').map(({ json }) => json)).toEqual(ALL_ACCEPTED);
	const timesSent = ['1', '2', '3'].map(
		(id) => sandbox.triggerCalls.filter(({ contactId }) => contactId === id).length,
	);
	expect(timesSent).toEqual([1, 3, 1]);
});

describe('the token', () => {
	test('is stored, used by later executions, and renewed once when Sobot refuses it', async () => {
		const workflow = await actionWorkflow(n8n, credentials, PEOPLE, FROM_ITEM);
		await n8n.execute(workflow);
		await n8n.execute(workflow);
		expect(sandbox.tokenCalls.length).toBe(1);
		sandbox.account.expireToken();
		expect(outputOf(await n8n.execute(workflow), 'Sobot').map(({ json }) => json)).toEqual(ALL_ACCEPTED);
		expect(sandbox.tokenCalls.length).toBe(2);
		expect(sandbox.accepted.length).toBe(9);
	});

	test('survives a restart of n8n', async () => {
		const { runtime, tarball } = underTest();
		let own = await N8n.start({ runtime, tarball });
		try {
			const workflow = await actionWorkflow(own, await createCredentials(own, sandbox), PEOPLE, FROM_ITEM);
			await own.execute(workflow);
			own = await own.restart();
			const execution = await own.execute(workflow);
			expect(execution.status).toBe('success');
			expect(sandbox.tokenCalls.length).toBe(1);
			expect(sandbox.accepted.length).toBe(6);
		} finally {
			await own.stop();
		}
	});

	test("serves n8n's HTTP Request node, and is renewed there once its recorded life has passed", async () => {
		sandbox.account.settings.tokenLifeSeconds = 2;
		const request = httpRequestNode(sandbox, credentials, '{ "Contact_id": "http", "nick": "H" }');
		const workflow = await n8n.createWorkflow({
			name: 'Any Sobot API',
			nodes: [node('By hand', 'n8n-nodes-base.manualTrigger', 1, {}), request],
			connections: chain('By hand', 'HTTP'),
		});
		expect(outputOf(await n8n.execute(workflow), 'HTTP')[0]?.json).toEqual({ ret_code: '000000' });
		const endMs = Date.now() + 2000;
		await until("the token's life to pass", () => Date.now() > endMs);
		expect(outputOf(await n8n.execute(workflow), 'HTTP')[0]?.json).toEqual({ ret_code: '000000' });
		expect(sandbox.tokenCalls.length).toBe(2);
		expect(sandbox.triggerCalls.map(({ code }) => code)).toEqual(['000000', '000000']);
	});
});

describe('the credential test', () => {
	const api = (more?: Record<string, unknown>) => sobotApiFields(sandbox, more);

	test('of Sobot API fetches one token and tries it', async () => {
		expect(await n8n.testCredential('sobotApi', api())).toEqual({
			status: 'OK',
			message: 'Connection successful!',
		});
		expect(sandbox.tokenCalls.length).toBe(1);
		expect(sandbox.triggerCalls.map(({ code }) => code)).toEqual(['910021']);
	});

	test.each([
		[
			'a wrong App Key',
			{ appKey: 'wrong' },
			"Sobot did not accept the signature (900003). Check 'App ID' and 'App Key' in the Sobot API credential",
		],
		['a wrong App ID', { appId: 'wrong' }, 'Sobot has no API configuration for this company (900004).'],
		['a base URL that is not a URL', { baseUrl: 'sobot' }, "'Base URL' does not start with https://"],
		[
			'a host that refuses',
			{ baseUrl: 'http://127.0.0.1:9' },
			'Could not fetch a token. The connection to Sobot was refused.',
		],
		[
			'a wrong row among the canvases',
			{ canvases: { canvas: [{ name: 'Mine', triggerId: '12', secret: 'x' }] } },
			"Row 1 ('Mine'): 'Trigger ID' must have 19 digits; it has 2.",
		],
	])('of Sobot API with %s says so', async (_, more, message) => {
		const { status, message: said } = await n8n.testCredential('sobotApi', api(more));
		expect([status, said.slice(0, message.length)]).toEqual(['Error', message]);
	});

	test('of Sobot API says that the plan has no API access', async () => {
		sandbox.account.settings.hasApiAccess = false;
		const { message } = await n8n.testCredential('sobotApi', api());
		expect(message).toContain("Your company's Sobot plan does not include API access (700046).");
	});

	test('of Sobot API says when the token is refused', async () => {
		sandbox.misbehave({ on: 'trigger', code: '900002' });
		expect((await n8n.testCredential('sobotApi', api())).message).toContain('(900002)');
	});

	test('of Sobot Webhook App API checks the form', async () => {
		const good = { method: 'query', parameterName: 'key', secret: 'x'.repeat(16) };
		expect((await n8n.testCredential('sobotWebhookAppApi', good)).status).toBe('OK');
		const wrong = { ...good, method: 'header', headerName: 'my key' };
		expect(await n8n.testCredential('sobotWebhookAppApi', wrong)).toEqual({
			status: 'Error',
			message: "'Header Name' is not a valid HTTP header name. Enter one such as x-sobot-key.",
		});
	});
});

test('is offered to AI agents as a tool, with the same operations', async () => {
	const types = (await (
		await fetch(`${n8n.url}/types/nodes.json`, { headers: n8n.headers })
	).json()) as Array<{ name: string; outputs: unknown[] }>;
	const tool = types.find(({ name }) => name === 'n8n-nodes-sobot.sobotRuleEngineTool');
	expect(tool?.outputs).toEqual(['ai_tool']);
	expect(types.some(({ name }) => name === 'n8n-nodes-sobot.sobotWebhookAppTriggerTool')).toBe(false);
});
