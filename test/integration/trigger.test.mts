import type { INode, INodeParameters, IWebhookResponseData } from 'n8n-workflow';
import { acknowledge } from '../support/workflows.mts';
import { push, switchOn, triggerWorkflow } from './pushToTrigger.mts';
import { StoredCredentials } from './storedCredentials.mts';

const BODY = { id: '123', pid: '456', nick: 'John', email: 'a@b.c;d@e.f' };
const ACKNOWLEDGED = { code: 0, status: 0 };

test('takes a push: the exact acknowledgement for n8n to send, and the simplified profile', async () => {
	const { data, answer } = await push({ body: BODY });
	expect(data.webhookResponse).toEqual(ACKNOWLEDGED);
	expect(JSON.stringify(data.webhookResponse)).toBe('{"code":0,"status":0}');
	expect(data.workflowData?.[0]?.[0]?.json).toEqual({
		customerId: '123',
		companyId: '456',
		nickname: 'John',
		emails: ['a@b.c', 'd@e.f'],
		phones: [],
		labelIds: [],
		deliveryKey: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
	});
	expect(answer.status).toBe(0);
});

test('gives the body as Sobot sent it', async () => {
	const { data } = await push({ body: BODY }, { simplify: false });
	expect(data.workflowData).toEqual([[{ json: BODY }]]);
});

test('leaves the answer to the workflow where the workflow acknowledges', async () => {
	const { data } = await push({ body: BODY }, { responseMode: 'responseNode' });
	expect(data).toEqual({ workflowData: [[{ json: expect.anything() as object }]] });
});

test.each([
	['an array', { body: [BODY] }, 400],
	['a text', { body: 'hello' }, 400],
	['a number', { body: 5 }, 400],
	['null', { body: null }, 400],
	['nothing', { body: undefined }, 400],
	['a form', { body: { a: '1' }, headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 415],
	['XML', { body: { a: '1' }, headers: { 'content-type': 'application/xml' } }, 415],
	['multipart', { body: { data: {} }, headers: { 'content-type': 'multipart/form-data; boundary=x' } }, 415],
])('refuses %s, starts nothing and does not acknowledge', async (_, request, status) => {
	const { data, answer } = await push(request);
	expect(data).toEqual({ noWebhookResponse: true });
	expect(answer).toEqual({ status, headers: {}, body: { code: status, status: 1 } });
});

describe('with the Sobot Webhook App credential', () => {
	const credentials = new StoredCredentials();
	credentials.add('sobotWebhookAppApi', {
		method: 'query',
		parameterName: 'key',
		headerName: 'x-sobot-key',
		user: '',
		secret: 's3cret',
	});
	const PROTECTED = { authentication: 'sobotWebhookAppApi' };

	test('takes a push that shows the secret', async () => {
		expect(
			(await push({ body: BODY, query: { key: 's3cret' } }, PROTECTED, credentials)).data.webhookResponse,
		).toEqual(ACKNOWLEDGED);
	});

	test('refuses one that does not with 401', async () => {
		const { data, answer } = await push({ body: BODY, query: { key: 'x' } }, PROTECTED, credentials);
		expect(data).toEqual({ noWebhookResponse: true });
		expect(answer).toEqual({ status: 401, headers: {}, body: { code: 401, status: 1 } });
	});

	test('says in the log that it refused one, and why, without the secret', async () => {
		const { log } = await push({ body: BODY, query: { key: 'x' } }, PROTECTED, credentials);
		expect(log).toEqual([
			['warn', '"Trigger" refused a push with 401: the query parameter "key" does not match.'],
		]);
	});

	test('shows a refusal in the editor while it listens; Sobot gets the same answer', async () => {
		const request = { body: BODY, query: { key: 'x' } };
		const { answer, shown } = await push(request, PROTECTED, credentials, 'manual');
		expect(answer).toEqual({ status: 401, headers: {}, body: { code: 401, status: 1 } });
		expect([shown?.message, shown?.description]).toEqual([
			'A push was refused with 401: the query parameter "key" does not match.',
			expect.stringMatching(/^The push has to carry the secret .* Execute this step again/),
		]);
		expect(`${shown?.stack}`).not.toContain('s3cret');
	});

	test.each(['continueRegularOutput', 'continueErrorOutput'] as const)(
		'shows none with On Error: %s, as the nodes that follow would run',
		async (onError) => {
			const workflow = triggerWorkflow(PROTECTED);
			Object.assign(workflow.getNode('Trigger') ?? {}, { onError });
			const { data, shown } = await push({ body: BODY }, PROTECTED, credentials, 'manual', workflow);
			expect([data, shown]).toEqual([{ noWebhookResponse: true }, undefined]);
		},
	);

	test.each([undefined, null, 7])(
		'a secret that is %j lets nobody in, and starts nothing',
		async (secret) => {
			const unresolved = new StoredCredentials();
			unresolved.add('sobotWebhookAppApi', {
				method: 'basic',
				user: 'u',
				secret: secret as unknown as string,
			});
			const authorization = `Basic ${Buffer.from(`u:${secret}`).toString('base64')}`;
			const { data, answer } = await push({ body: BODY, headers: { authorization } }, PROTECTED, unresolved);
			expect(data).toEqual({ noWebhookResponse: true });
			expect(answer.status).toBe(401);
		},
	);

	test('answers 500 and starts nothing if the credential cannot be read', async () => {
		const { data, answer, log } = await push({ body: BODY }, PROTECTED, new StoredCredentials());
		expect(data).toEqual({ noWebhookResponse: true });
		expect(answer).toEqual({ status: 500, headers: {}, body: { code: 500, status: 1 } });
		expect(log).toEqual([
			[
				'warn',
				'"Trigger" refused a push with 500: the trigger\'s settings cannot be read: n8n could not read the Sobot Webhook App API credential. Correct its expressions, or choose another. n8n says: There is no credential of type sobotWebhookAppApi.',
			],
		]);
	});

	test.each([
		[
			'={{ $env.PUSH_SECRET }}',
			'An expression in the Sobot Webhook App API credential uses $env. n8n allows $env only if its own environment variable N8N_BLOCK_ENV_ACCESS_IN_NODE is false. Change that, or enter the value itself',
		],
		[
			'={{ $json.secret }}',
			"n8n cannot resolve an expression in the Sobot Webhook App API credential. Correct it there. n8n says: Node '' hasn't been executed",
		],
		[
			'={{ $json. }}',
			'n8n could not read the Sobot Webhook App API credential. Correct its expressions, or choose another. n8n says: invalid syntax',
		],
	])('answers 500 to every push if the secret is the expression %s, and says why', async (secret, reason) => {
		const unresolved = new StoredCredentials();
		unresolved.add('sobotWebhookAppApi', { method: 'query', parameterName: 'key', secret });
		const request = { body: BODY, query: { key: 'a secret of a push' } };
		const { data, answer, log } = await push(request, PROTECTED, unresolved);
		expect(data).toEqual({ noWebhookResponse: true });
		expect(answer.status).toBe(500);
		expect(log).toEqual([
			['warn', `"Trigger" refused a push with 500: the trigger's settings cannot be read: ${reason}.`],
		]);
	});

	test('shows the request without secrets', async () => {
		const { data } = await push(
			{
				body: BODY,
				query: { key: 's3cret', a: '1' },
				headers: { Authorization: 'Basic x', cookie: 'c', 'x-trace': 't' },
			},
			{ ...PROTECTED, options: { includeRequest: true } },
			credentials,
		);
		expect(data.workflowData?.[0]?.[0]?.json.request).toEqual({
			method: 'POST',
			query: { a: '1' },
			headers: { 'content-type': 'application/json', 'x-trace': 't' },
		});
	});
});

test.each([
	'999, 456',
	'999，456',
	'999、456',
	'999；456',
	'999 456',
	'999\n456',
	456,
	[999, 456],
	'={{ 456 }}',
])('takes pushes of the companies %j, acknowledges and drops those of others', async (companyIds) => {
	const options = { companyIds } as INodeParameters;
	expect((await push({ body: BODY }, { options })).data.workflowData).toHaveLength(1);
	for (const body of [{ ...BODY, pid: '1' }, {}]) {
		const { data, log } = await push({ body }, { options });
		expect(data).toEqual({ webhookResponse: ACKNOWLEDGED });
		expect(log).toEqual([
			['debug', `"Trigger" acknowledged a push and dropped it: its company is not in 'Company IDs'.`],
		]);
	}
});

test.each(['={{ undefined }}', '={{ null }}', '={{ "" }}', ' , ', "'456'", '={{ ({}) }}'])(
	'Company IDs that resolve to nothing, %j, drop nothing: Sobot is told that the push failed',
	async (companyIds) => {
		const { data, answer } = await push({ body: BODY }, { options: { companyIds } });
		expect(data).toEqual({ noWebhookResponse: true });
		expect(answer.status).toBe(500);
	},
);

test('refuses addresses that are not on the list with 403', async () => {
	const options = { ipAllowlist: '198.51.100.0/24' };
	const refused = await push({ body: BODY }, { options });
	expect(refused.answer.body).toEqual({ code: 403, status: 1 });
	expect(refused.log).toEqual([
		['warn', `"Trigger" refused a push with 403: its address, 203.0.113.7, is not in 'IP Allowlist'.`],
	]);
	expect((await push({ body: BODY, ip: '198.51.100.9' }, { options })).data.webhookResponse).toEqual(
		ACKNOWLEDGED,
	);
});

test.each(['={{ undefined }}', '={{ null }}', '={{ 5 }}', '={{ ({}) }}', '={{ [] }}', '', ' , '])(
	'an IP Allowlist that resolves to nothing, %j, lets nobody in',
	async (ipAllowlist) => {
		const { data, answer } = await push({ body: BODY }, { options: { ipAllowlist } });
		expect(data).toEqual({ noWebhookResponse: true });
		expect(answer.status).toBe(403);
	},
);

test('options that cannot be resolved: 500, and nothing starts', async () => {
	const options = { ipAllowlist: '={{ $("Nowhere").item.json.list }}' };
	const { data, answer } = await push({ body: BODY }, { options });
	expect(data).toEqual({ noWebhookResponse: true });
	expect(answer.status).toBe(500);
});

describe('redeliveries', () => {
	const off = { options: { ignoreRepeatsMinutes: 0 } };
	const credentials = new StoredCredentials();
	/** as n8n does once it holds the execution */
	const readTwice = (data: IWebhookResponseData): unknown[] => [data.webhookResponse, data.webhookResponse];

	test.each([
		['where the option was never added', {}],
		['for the time that is entered', { options: { ignoreRepeatsMinutes: 5 } }],
	])('wait until n8n has stored the push, and are dropped then: %s', async (_, parameters) => {
		const workflow = triggerWorkflow(parameters);
		const send = async () => await push({ body: BODY }, {}, credentials, 'webhook', workflow);
		const first = await send();
		const answered: IWebhookResponseData[] = [];
		const second = send().then(({ data }) => answered.push(data));
		const other = await push({ body: { ...BODY, nick: 'Ann' } }, {}, credentials, 'webhook', workflow);
		expect([other.data.workflowData?.length, answered]).toEqual([1, []]);
		expect(readTwice(first.data)).toEqual([ACKNOWLEDGED, ACKNOWLEDGED]);
		await second;
		expect(answered).toEqual([{ webhookResponse: ACKNOWLEDGED }]);
		expect((await send()).data).toEqual({ webhookResponse: ACKNOWLEDGED });
	});

	test('start the workflow if n8n answers the push without having stored it', async () => {
		const workflow = triggerWorkflow();
		const send = async () => await push({ body: BODY }, {}, credentials, 'webhook', workflow);
		const first = await send();
		const second = send();
		first.response.end();
		expect((await second).data.workflowData).toHaveLength(1);
	});

	test('take one record each in static data', async () => {
		const workflow = triggerWorkflow();
		const trigger = workflow.getNode('Trigger') ?? undefined;
		const sizes: number[] = [];
		for (const id of ['1', '2', '3']) {
			const { data } = await push({ body: { id } }, {}, credentials, 'webhook', workflow);
			readTwice(data);
			sizes.push(String(workflow.getStaticData('node', trigger).acceptedPushes).length);
		}
		const [ofOne = NaN] = sizes;
		expect(sizes).toEqual([ofOne, 2 * ofOne, 3 * ofOne]);
	});

	test.each([
		['in a test run', {}, 'manual' as const],
		['where the workflow acknowledges', { responseMode: 'responseNode' }, 'webhook' as const],
		['with 0', off, 'webhook' as const],
	])('start the workflow again %s', async (_, parameters, mode) => {
		const workflow = triggerWorkflow(parameters);
		for (let i = 0; i < 2; i++) {
			const { data } = await push({ body: BODY }, {}, credentials, mode, workflow);
			expect(data.workflowData).toHaveLength(1);
			readTwice(data);
		}
	});
});

test.each([
	['simplified', true],
	['as Sobot sent it', false],
])('a number that JavaScript would round keeps its digits, %s', async (_, simplify) => {
	const outputOf = async (text: string) => {
		const { data } = await push(
			{ body: JSON.parse(text) as unknown, rawBody: Buffer.from(text) },
			{ simplify },
		);
		return data.workflowData?.[0]?.[0]?.json ?? {};
	};
	const one = await outputOf('{"id":1234567890123456789,"ex_fields":{"a":9007199254740993}}');
	expect(one.customerId ?? one.id).toBe('1234567890123456789');
	expect(one.customFields ?? one.ex_fields).toEqual({ a: '9007199254740993' });
	const other = await outputOf('{"id":1234567890123456788,"ex_fields":{"a":9007199254740993}}');
	expect(one).not.toEqual(other);
	expect(one.deliveryKey === undefined).toBe(!simplify);
	if (simplify) expect(one.deliveryKey).not.toBe(other.deliveryKey);
});

describe('when the workflow is switched on', () => {
	const answering = (more: Partial<INode> = {}): INode => ({ ...acknowledge(), ...more });

	test.each<[Record<string, string>, string]>([
		[{ ipAllowlist: 'example.com' }, "'IP Allowlist' contains invalid entries: example.com"],
		[{ ipAllowlist: '={{ null }}' }, "'IP Allowlist' is empty, so no push would be accepted."],
		[{ companyIds: '456, #789' }, "'Company IDs' contains invalid entries: #789"],
	])('the options %j are refused, also in a test', async (options, message) => {
		await expect(switchOn(triggerWorkflow({ options }))).rejects.toThrow(message);
		await expect(switchOn(triggerWorkflow({ options }), 'manual')).rejects.toThrow(message);
	});

	test.each([
		['none', []],
		['a disabled one', [answering({ disabled: true })]],
		['one that does something else', [answering({ parameters: { resource: 'canvas' } })]],
	])('without an Acknowledge node behind it that answers, it is refused: %s', async (_, after) => {
		const workflow = triggerWorkflow({ responseMode: 'responseNode' }, after);
		await expect(switchOn(workflow)).rejects.toThrow('No node after this trigger acknowledges the push.');
		// A builder listens before the workflow is complete.
		await switchOn(workflow, 'manual');
	});

	test('with one, or where the trigger acknowledges, it is not', async () => {
		const away = answering({ name: 'Away', parameters: { resource: 'canvas' } });
		expect(await switchOn(triggerWorkflow({ responseMode: 'responseNode' }, [away, answering()]))).toEqual(
			[],
		);
		expect(await switchOn(triggerWorkflow())).toEqual([]);
	});

	test("on n8n's Engine 2.0, which cannot wait for an answer, it is refused, also in a test; the trigger's own answer is not", async () => {
		const settings = { engineType: 'v2' };
		const waiting = triggerWorkflow({ responseMode: 'responseNode' }, [answering()], settings);
		const message = "n8n's Engine 2.0 does not support 'Respond': 'Using the Acknowledge Operation'.";
		await expect(switchOn(waiting)).rejects.toThrow(message);
		await expect(switchOn(waiting, 'manual')).rejects.toThrow(message);
		expect(await switchOn(triggerWorkflow({}, [], settings))).toEqual([]);
	});
});
