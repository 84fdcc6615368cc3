import { setTimeout as sleep } from 'node:timers/promises';
import { HTTP_STATUS } from '../sandbox/account.mts';
import { DEMO_CANVAS, Sandbox } from '../sandbox/server.mts';
import { until } from '../until.mts';
import { outcomeOf, runAction, StoredCredentials, type ActionRun } from './core.mts';

let sandbox: Sandbox;
let credentials: StoredCredentials;

beforeEach(async () => {
	sandbox = await Sandbox.start();
	credentials = new StoredCredentials();
	credentials.add('sobotApi', {
		region: 'custom',
		baseUrl: `${sandbox.url}/`,
		appId: 'demo-app',
		appKey: 'demo-key',
		token: '',
		tokenExpiresAt: '',
	});
	credentials.add('sobotCanvasApi', { triggerId: DEMO_CANVAS.triggerId, secret: DEMO_CANVAS.secret });
});
afterEach(async () => await sandbox.close());

const DEFINED = { contactId: '={{ $json.id }}', nick: '={{ $json.name }}' };
const people = (...ids: string[]) => ids.map((id) => ({ json: { id, name: `N ${id}` } }));
const run = async (more: Partial<ActionRun>) =>
	outcomeOf(await runAction({ items: people('1', '2', '3'), parameters: DEFINED, credentials, ...more }));
const sentBodies = () => sandbox.accepted.map(({ raw }) => JSON.parse(raw) as unknown);
const OK = { ret_code: '000000' };

describe('what is sent', () => {
	test('one body for each item, in order, and one paired output item each', async () => {
		const { output } = await run({});
		expect(sentBodies()).toEqual([
			{ Contact_id: '1', nick: 'N 1' },
			{ Contact_id: '2', nick: 'N 2' },
			{ Contact_id: '3', nick: 'N 3' },
		]);
		expect(output).toEqual([0, 1, 2].map((item) => ({ json: OK, pairedItem: { item } })));
	});

	test('additional fields and a contact ID field with a name of its own', async () => {
		credentials.add('sobotCanvasApi', { triggerId: '1234567890123456781', secret: DEMO_CANVAS.secret });
		const additionalFields = { field: [{ name: 'order_no', value: '={{ "A-" + $json.id }}' }] };
		await run({
			items: people('7'),
			parameters: { ...DEFINED, contactIdField: 'member_no', additionalFields },
		});
		expect(sentBodies()).toEqual([{ member_no: '7', nick: 'N 7', order_no: 'A-7' }]);
	});

	test('the input item itself', async () => {
		const json = { Contact_id: '9', nick: 'Zoé', list: [1, null], deep: { a: true } };
		await run({ items: [{ json }], parameters: { dataMode: 'autoMapInputData' } });
		expect(sentBodies()).toEqual([json]);
	});

	test('JSON as it was typed: the digits of a long number stay', async () => {
		const jsonBody = ' { "Contact_id": "9", "nick": "x", "order": 1234567890123456789 } ';
		await run({ items: people('1'), parameters: { dataMode: 'json', jsonBody } });
		expect(sandbox.accepted.map(({ raw }) => raw)).toEqual([jsonBody.trim()]);
	});

	test('JSON from an expression', async () => {
		const jsonBody = '={{ { Contact_id: $json.id, nick: $json.name } }}';
		await run({ items: people('5'), parameters: { dataMode: 'json', jsonBody } });
		expect(sentBodies()).toEqual([{ Contact_id: '5', nick: 'N 5' }]);
	});

	test('unicode', async () => {
		const name = '王小明 😀 العربية e\u0301';
		await run({ items: [{ json: { id: 'ü-1', name } }] });
		expect(sentBodies()).toEqual([{ Contact_id: 'ü-1', nick: name }]);
	});
});

describe('bad input is refused before anything is sent', () => {
	test.each([
		['no contact ID', { contactId: '={{ $json.missing }}', nick: 'x' }, 'Contact ID is empty or not a text'],
		['a blank contact ID', { contactId: '  ', nick: 'x' }, 'Contact ID is empty or not a text'],
		[
			'a contact ID that is an object',
			{ contactId: '={{ { a: 1 } }}', nick: 'x' },
			'Contact ID is empty or not a text',
		],
		['no nickname', { contactId: '1', nick: '={{ "" }}' }, 'Nickname is empty or not a text'],
		['no contact ID field', { ...DEFINED, contactIdField: '={{ "" }}' }, 'The name of a field is empty'],
		[
			'a field twice',
			{ ...DEFINED, additionalFields: { field: [{ name: 'nick', value: 'y' }] } },
			'The field "nick" is there twice',
		],
		['JSON that is malformed', { dataMode: 'json', jsonBody: '{ "a": ' }, 'JSON Body is not valid JSON'],
		['JSON that is an array', { dataMode: 'json', jsonBody: '[1]' }, 'JSON Body is not a JSON object'],
		['JSON that is null', { dataMode: 'json', jsonBody: 'null' }, 'JSON Body is not a JSON object'],
		['JSON that is a text', { dataMode: 'json', jsonBody: '"x"' }, 'JSON Body is not a JSON object'],
		['JSON that is empty', { dataMode: 'json', jsonBody: '{}' }, 'JSON Body is not a JSON object'],
		[
			'60 requests a second',
			{ ...DEFINED, options: { requestsPerSecond: 60 } },
			'Requests per Second must be a whole number from 1 to 50',
		],
		[
			'0 requests a second',
			{ ...DEFINED, options: { requestsPerSecond: 0 } },
			'Requests per Second must be a whole number from 1 to 50',
		],
		['no time to answer', { ...DEFINED, options: { timeout: 0 } }, 'Timeout must be at least 1 millisecond'],
	])('%s', async (_, parameters, message) => {
		const { error } = await run({ parameters });
		expect(error?.message).toContain(message);
		expect([sandbox.tokenCalls, sandbox.triggerCalls]).toEqual([[], []]);
	});

	test('one bad item among good ones: none is sent, and the error names it', async () => {
		const { error } = await run({ items: people('1', '', '3', '') });
		expect(error?.description).toBe(
			'Nothing was sent for any item. Input that cannot be sent: 1, 3 (items count from 0).',
		);
		expect(sandbox.triggerCalls).toEqual([]);
	});

	test('with On Error: Continue, the good ones are sent and the bad one says why not', async () => {
		const { output } = await run({ items: people('1', '', '3'), node: { onError: 'continueRegularOutput' } });
		const error = 'Contact ID is empty or not a text. Enter one, or check the expression for this item.';
		expect(output.map(({ json }) => json)).toEqual([OK, { error, ret_code: null }, OK]);
	});

	test('an item without anything in it', async () => {
		const { error } = await run({ items: [{ json: {} }], parameters: { dataMode: 'autoMapInputData' } });
		expect(error?.message).toContain('The input item is empty');
	});

	test.each([
		[
			'a base URL that is no URL',
			'sobotApi',
			{ region: 'custom', baseUrl: 'sobot', appId: 'a', appKey: 'k' },
			"'Base URL' does not start with",
		],
		[
			'a base URL with another scheme',
			'sobotApi',
			{ region: 'custom', baseUrl: 'ftp://sobot.test', appId: 'a', appKey: 'k' },
			"'Base URL' does not start with",
		],
		['no App ID', 'sobotApi', { region: 'sg', appId: '', appKey: 'k' }, "'App ID' is empty"],
		['no App Key', 'sobotApi', { region: 'sg', appId: 'a', appKey: ' ' }, "'App Key' is empty"],
		[
			'a trigger ID that lost its digits',
			'sobotCanvasApi',
			{ triggerId: '1.234e18', secret: 's' },
			'not a 19-digit number',
		],
		['no secret', 'sobotCanvasApi', { triggerId: DEMO_CANVAS.triggerId, secret: '' }, 'Secret is empty'],
		[
			'a secret that no header can hold',
			'sobotCanvasApi',
			{ triggerId: DEMO_CANVAS.triggerId, secret: 'ключ' },
			'cannot be sent in a header',
		],
	])('%s', async (_, type, data, message) => {
		credentials.add(type, data);
		const { error } = await run({});
		expect(error?.message).toContain(message);
		expect([sandbox.tokenCalls, sandbox.triggerCalls]).toEqual([[], []]);
	});
});

describe('the token', () => {
	test('is fetched once and stored encrypted, with its end, and used by later executions', async () => {
		const beforeMs = Date.now();
		await run({});
		await run({});
		expect(sandbox.tokenCalls.map(({ code }) => code)).toEqual(['000000']);
		const { token, tokenExpiresAt } = credentials.data('sobotApi');
		expect(token).toMatch(/^[0-9a-f]{32}$/);
		expect(Number(tokenExpiresAt)).toBeGreaterThanOrEqual(beforeMs + 86_400_000);
		expect(credentials.encrypted('sobotApi')).not.toContain(String(token));
	});

	test('is fetched once by executions that start together', async () => {
		await Promise.all([run({}), run({}), run({})]);
		expect(sandbox.tokenCalls.length).toBe(1);
		expect(sandbox.accepted.length).toBe(9);
	});

	test.each(['900002', '910022'] as const)(
		'is renewed once when Sobot refuses it with %s, and all items go through',
		async (code) => {
			await run({});
			await sleep(5);
			sandbox.account.renewToken(Date.now());
			sandbox.account.settings.deadTokenCode = code;
			sandbox.forget();
			const { output } = await run({});
			expect(output.map(({ json }) => json)).toEqual([OK, OK, OK]);
			expect(sandbox.tokenCalls.length).toBe(1);
			expect(sandbox.accepted.map(({ contactId }) => contactId).sort()).toEqual(['1', '2', '3']);
		},
	);

	test('is not renewed over and over when another program keeps killing it', async () => {
		sandbox.misbehave({ on: 'trigger', code: '900002' });
		const { output } = await run({ items: people('1'), node: { onError: 'continueRegularOutput' } });
		expect(output[0]?.json.ret_code).toBe('900002');
		expect(sandbox.tokenCalls.length).toBe(3);
		expect(sandbox.triggerCalls.filter(({ triggerId }) => triggerId !== '').length).toBe(3);
	});

	test('costs no read of the database for each item', async () => {
		await run({});
		credentials.reads = 0;
		await run({ items: people(...Array.from({ length: 40 }, (_, i) => `${i}`)) });
		expect(credentials.reads).toBe(2);
	});
});

describe('each return code', () => {
	const refused = [
		'900001',
		'900002',
		'900003',
		'900004',
		'999999',
		'910021',
		'910022',
		'910023',
		'910024',
		'910025',
		'910026',
	];

	test.each(refused)('%s stops the node with its own words, its code and advice', async (code) => {
		sandbox.misbehave({ on: 'trigger', code });
		const { error } = await run({ parameters: { ...DEFINED, options: { giveUpAfter: 0 } } });
		expect(error?.name).toBe('NodeApiError');
		expect(error?.message).toContain(`(${code})`);
		expect(error?.description).toMatch(/^[A-Z].*\. Sobot accepted 0 of 3 items\./);
	});

	test.each(refused)('%s becomes an output item with On Error: Continue', async (code) => {
		sandbox.misbehave({ on: 'trigger', code, contactId: '2' });
		const { output } = await run({
			parameters: { ...DEFINED, options: { giveUpAfter: 0 } },
			node: { onError: 'continueRegularOutput' },
		});
		expect(output.map(({ pairedItem }) => pairedItem)).toEqual([0, 1, 2].map((item) => ({ item })));
		expect([output[0]?.json, output[2]?.json]).toEqual([OK, OK]);
		expect(output[1]?.json).toEqual({
			error: expect.stringContaining(`(${code})`) as string,
			ret_code: code,
		});
	});

	test('has a status in the sandbox', () => {
		expect(Object.keys(HTTP_STATUS).sort()).toEqual(['000000', ...refused].sort());
	});

	test('goes to the error output where the node has one', async () => {
		const { output, errorOutput } = await run({
			items: people('1', 'nobody', '3'),
			node: { onError: 'continueErrorOutput' },
		});
		expect(output.map(({ json }) => json)).toEqual([OK, OK]);
		expect(errorOutput.map(({ json }) => json.ret_code)).toEqual(['910026']);
	});
});

describe('the canvas itself refuses', () => {
	test.each([
		[
			'a canvas that is not active',
			{ triggerId: '1234567890123456780', secret: DEMO_CANVAS.secret },
			'(910025)',
		],
		['a wrong secret', { triggerId: DEMO_CANVAS.triggerId, secret: 'wrong' }, '(910022)'],
		['an unknown trigger ID', { triggerId: '9999999999999999999', secret: 'x' }, '(910022)'],
	])('%s', async (_, data, code) => {
		credentials.add('sobotCanvasApi', data);
		const { error } = await run({});
		expect(error?.message).toContain(code);
		expect(sandbox.accepted).toEqual([]);
	});

	test('an unknown customer, and the error tells a second run what is left', async () => {
		sandbox.misbehave({ on: 'trigger', atWork: { minMs: 30, maxMs: 30 } });
		const { error } = await run({
			items: people('1', 'nobody', '3', '4', '5', '6'),
			parameters: { ...DEFINED, options: { requestsPerSecond: 2 } },
		});
		expect(error?.message).toBe('Sobot found no matching customer (910026).');
		expect(error?.description).toContain('Sobot accepted 1 of 6 items: 0. Failed: 1. Not sent: 2-5.');
		expect(sandbox.accepted.map(({ contactId }) => contactId)).toEqual(['1']);
	});
});

describe('never twice', () => {
	test.each([
		['a timeout', { atWork: { minMs: 400, maxMs: 400 } }, 'Sobot did not answer in time'],
		['a connection dropped after acting', { drop: 'after' as const }, 'The connection to Sobot broke'],
		['a connection dropped before acting', { drop: 'before' as const }, 'The connection to Sobot broke'],
		['an HTML page', { answerWith: { status: 200, body: '<html>proxy</html>' } }, 'an HTML page'],
		['HTTP 502', { answerWith: { status: 502, body: '<html>bad gateway</html>' } }, 'HTTP 502'],
		['an empty body', { answerWith: { status: 200, body: '' } }, 'an empty body'],
		['a redirect', { answerWith: { status: 302, body: '' } }, 'HTTP 302'],
	])('after %s', async (_, misbehaviour, words) => {
		sandbox.misbehave({ on: 'trigger', contactId: '2', ...misbehaviour });
		const { output } = await run({
			parameters: { ...DEFINED, options: { timeout: 200 } },
			node: { onError: 'continueRegularOutput' },
		});
		expect(output[1]?.json).toEqual({
			error: expect.stringMatching(
				`${words}.*Sobot may or may not have put this customer on the canvas`,
			) as string,
			ret_code: null,
		});
		expect([output[0]?.json, output[2]?.json]).toEqual([OK, OK]);
		expect(sandbox.triggerCalls.filter(({ contactId }) => contactId === '2').length).toBeLessThanOrEqual(1);
	});

	test('but again after 910024, until it is accepted', async () => {
		sandbox.misbehave({ on: 'trigger', contactId: '2', code: '910024', times: 3 });
		const { output } = await run({});
		expect(output.map(({ json }) => json)).toEqual([OK, OK, OK]);
		expect(sandbox.triggerCalls.filter(({ contactId }) => contactId === '2').map(({ code }) => code)).toEqual(
			['910024', '910024', '910024', '000000'],
		);
	});
});

describe("with n8n's Retry On Fail", () => {
	const RETRY = { retryOnFail: true, maxTries: 3, waitBetweenTries: 1 };
	const timesSent = (id: string) => sandbox.triggerCalls.filter(({ contactId }) => contactId === id).length;

	test('what was accepted is not sent again, and what failed is', async () => {
		sandbox.misbehave({ on: 'trigger', contactId: '2', code: '910025', times: 2 });
		const { output, error } = await run({ node: RETRY });
		expect(error).toBeUndefined();
		expect(output.map(({ json }) => json)).toEqual([OK, OK, OK]);
		expect(['1', '2', '3'].map(timesSent)).toEqual([1, 3, 1]);
	});

	test('what may have been accepted is not sent again either', async () => {
		sandbox.misbehave({ on: 'trigger', contactId: '2', drop: 'after' });
		const { error } = await run({ node: RETRY });
		expect(error?.message).toContain('Sobot may or may not have');
		expect(timesSent('2')).toBe(1);
		expect(timesSent('1')).toBe(1);
	});

	test('nor with On Error: Continue, where n8n retries when the first item has failed', async () => {
		sandbox.misbehave({ on: 'trigger', contactId: '1', code: '910025' });
		const { output } = await run({ node: { ...RETRY, onError: 'continueRegularOutput' } });
		expect(output.map(({ json }) => json.ret_code)).toEqual(['910025', '000000', '000000']);
		expect([timesSent('2'), timesSent('3')]).toEqual([1, 1]);
	});
});

describe('no secret', () => {
	test('is in the output, in the errors or in the execution data', async () => {
		sandbox.misbehave({ on: 'trigger', contactId: '2', drop: 'after' });
		const runs = [
			await runAction({ items: people('1', '2'), parameters: DEFINED, credentials }),
			await runAction({
				items: people('1', 'nobody'),
				parameters: DEFINED,
				credentials,
				node: { onError: 'continueErrorOutput' },
			}),
		];
		const shown = JSON.stringify(
			runs.map(({ data }) => [data.resultData, data.resultData.error?.stack, data.resultData.error?.cause]),
		);
		const { token } = credentials.data('sobotApi');
		for (const secret of [String(token), DEMO_CANVAS.secret, 'demo-key']) expect(shown).not.toContain(secret);
	});
});

test('stopping the execution stops the sending', async () => {
	const many = people(...Array.from({ length: 200 }, (_, i) => `${i}`));
	const isUnderWay = until('some calls', () => sandbox.accepted.length >= 10);
	await runAction({ items: many, parameters: DEFINED, credentials, stopWhen: isUnderWay });
	const atStop = sandbox.triggerCalls.length;
	await sleep(1000);
	expect(sandbox.triggerCalls.length - atStop).toBeLessThanOrEqual(2);
	expect(atStop).toBeLessThan(100);
});
