// The operation Trigger: what is sent, reported and refused, and what Retry sends again.
import type { IRun } from 'n8n-workflow';
import { setTimeout as sleep } from 'node:timers/promises';
import { CODES } from '../sandbox/answers.mts';
import { DEMO_CANVAS, Sandbox } from '../sandbox/server.mts';
import { sobotApiFields } from '../support/credentials.mts';
import { until } from '../support/until.mts';
import {
	canvas,
	CONTINUE,
	crowd,
	DEFINED,
	people,
	RETRY_ON_FAIL,
	retryDefined,
	runDefined,
} from './customers.mts';
import { database } from './deduplicationTable.mts';
import { outcomeOf, type ActionRun } from './runAction.mts';
import { StoredCredentials } from './storedCredentials.mts';

// Batches that take longer than a second have a ledger.
jest.setTimeout(30_000);

let sandbox: Sandbox;
let credentials: StoredCredentials;

beforeEach(async () => {
	sandbox = await Sandbox.start();
	credentials = new StoredCredentials();
	credentials.add('sobotApi', account());
});
afterEach(async () => await sandbox.close());

/** n8n's database is away, or the credential was deleted. */
class UnreadableCredentials extends StoredCredentials {
	override async getDecrypted(): Promise<never> {
		throw new Error('the database is away');
	}
}

/** The Sobot API credential, with the canvases of the sandbox and one with a wrong secret. */
function account(more: Record<string, unknown> = {}) {
	const { canvases, ...fields } = sobotApiFields(sandbox, { baseUrl: `${sandbox.url}/` });
	const wrong = { name: 'Wrong secret', triggerId: '1234567890123456783', secret: 'wrong' };
	return { ...fields, canvases: { canvas: [...canvases.canvas, wrong] }, ...more };
}

const rows = (more: object) => ({
	canvas: [{ name: 'Welcome', triggerId: DEMO_CANVAS.triggerId, secret: DEMO_CANVAS.secret, ...more }],
});

const start = async (more: Partial<ActionRun> = {}) =>
	await runDefined(credentials, people('1', '2', '3'), more);
const retried = async (failed: IRun, more: Partial<ActionRun> = {}) =>
	await retryDefined(credentials, failed, more);
const run = async (more: Partial<ActionRun> = {}) => outcomeOf(await start(more));
const sentBodies = () => sandbox.accepted.map(({ raw }) => JSON.parse(raw) as unknown);
const timesAccepted = (id: string) => sandbox.accepted.filter(({ contactId }) => contactId === id).length;
const timesSent = (id: string) => sandbox.triggerCalls.filter(({ contactId }) => contactId === id).length;
const ok = (contactId: string) => ({ contactId, outcome: 'accepted', ret_code: '000000', error: null });

describe('what is sent', () => {
	test('one body for each item, in order, and one paired output item each', async () => {
		const { output } = await run();
		expect(sentBodies()).toEqual([
			{ Contact_id: '1', nick: 'N 1' },
			{ Contact_id: '2', nick: 'N 2' },
			{ Contact_id: '3', nick: 'N 3' },
		]);
		expect(output).toEqual(['1', '2', '3'].map((id, item) => ({ json: ok(id), pairedItem: { item } })));
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
		expect(sandbox.accepted.map(({ raw }) => raw)).toEqual([jsonBody.trim()]);
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

describe('bad input is refused before anything is sent', () => {
	test.each([
		['no contact ID', { ...DEFINED, contactId: '={{ $json.missing }}' }, "'Contact ID' is empty or not text"],
		['a blank contact ID', { ...DEFINED, contactId: '  ' }, "'Contact ID' is empty or not text"],
		[
			'a contact ID that is an object',
			{ ...DEFINED, contactId: '={{ { a: 1 } }}' },
			"'Contact ID' is empty or not text",
		],
		['no nickname', { ...DEFINED, nick: '={{ "" }}' }, "'Nickname' is empty or not text"],
		['no contact ID field', { ...DEFINED, options: { contactIdField: ' ' } }, "'Contact ID Field' is empty"],
		['no canvas', { ...DEFINED, canvas: canvas('={{ "" }}') }, "'Canvas' is empty"],
		['an unknown canvas', { ...DEFINED, canvas: canvas('Nowhere') }, 'has no canvas "Nowhere"'],
		['a template', { ...DEFINED, contactId: '{{ $json.id }}' }, 'from Fixed to Expression'],
		[
			'a field twice',
			{ ...DEFINED, additionalFields: { field: [{ name: 'nick', value: 'y' }] } },
			'The field "nick" appears twice',
		],
		[
			'JSON that is malformed',
			{ ...DEFINED, dataMode: 'json', jsonBody: '{ "a": ' },
			"'JSON Body' is not valid JSON",
		],
		[
			'JSON that is an array',
			{ ...DEFINED, dataMode: 'json', jsonBody: '[1]' },
			"'JSON Body' is not a JSON object",
		],
		[
			'JSON that is null',
			{ ...DEFINED, dataMode: 'json', jsonBody: 'null' },
			"'JSON Body' is not a JSON object",
		],
		[
			'JSON that is a text',
			{ ...DEFINED, dataMode: 'json', jsonBody: '"x"' },
			"'JSON Body' is not a JSON object",
		],
		[
			'JSON that is empty',
			{ ...DEFINED, dataMode: 'json', jsonBody: '{}' },
			"'JSON Body' is not a JSON object",
		],
		[
			'60 requests a second',
			{ ...DEFINED, options: { requestsPerSecond: 60 } },
			"'Requests per Second' must be a whole number from 1 to 50",
		],
		[
			'0 requests a second',
			{ ...DEFINED, options: { requestsPerSecond: 0 } },
			"'Requests per Second' must be a whole number from 1 to 50",
		],
		['no time to answer', { ...DEFINED, options: { timeout: 0 } }, "'Timeout (Seconds)' must be"],
		['a timeout of 50 days', { ...DEFINED, options: { timeout: 4_000_000 } }, "'Timeout (Seconds)' must be"],
		[
			"'Give Up After' of no text",
			{ ...DEFINED, options: { giveUpAfter: '={{ "" }}' } },
			"'Give Up After (Seconds)' must be",
		],
		[
			"'Give Up After' of null",
			{ ...DEFINED, options: { giveUpAfter: '={{ null }}' } },
			"'Give Up After (Seconds)' must be",
		],
	])('%s', async (_, parameters, message) => {
		const { error } = await run({ parameters });
		expect(error?.message).toContain(message);
		expect([sandbox.tokenCalls, sandbox.triggerCalls]).toEqual([[], []]);
	});

	test('one bad item among good ones: none is sent, and the error names it', async () => {
		const { error } = await run({ items: people('1', '', '3', '') });
		expect(error?.message).toContain('item 1.');
		expect(error?.description).toBe(
			'Nothing was sent for any customer. Input that cannot be sent: 2 items (items 1, 3). Item numbers start at 0.',
		);
		expect(sandbox.triggerCalls).toEqual([]);
	});

	test('with On Error: Continue, the good ones are sent and the bad one says why not', async () => {
		const { output } = await run({ items: people('1', '', '3'), node: CONTINUE });
		const error =
			"'Contact ID' is empty or not text. Enter it, or check the expression for this item: item 1.";
		expect(output.map(({ json }) => json)).toEqual([
			ok('1'),
			{ contactId: null, outcome: 'notSent', ret_code: null, error },
			ok('3'),
		]);
	});

	test('an item without anything in it', async () => {
		const { error } = await run({
			items: [{ json: {} }],
			parameters: { ...DEFINED, dataMode: 'autoMapInputData' },
		});
		expect(error?.message).toContain('The input item is empty');
	});

	test.each([
		['a base URL that is not a URL', { baseUrl: 'sobot' }, 'Base URL'],
		['a base URL with another scheme', { baseUrl: 'ftp://sobot.test' }, 'Base URL'],
		['no App ID', { appId: '' }, "'App ID' is empty"],
		['no App Key', { appKey: ' ' }, "'App Key' is empty"],
		['a trigger ID that lost its digits', { canvases: rows({ triggerId: '1.234e18' }) }, 'Row 1'],
		['no secret', { canvases: rows({ secret: '' }) }, "'Secret' is empty"],
		['a secret that no header can hold', { canvases: rows({ secret: 'ключ' }) }, 'not allowed in a header'],
		['no canvases', { canvases: {} }, "under 'Canvases'"],
	])('%s', async (_, more, message) => {
		credentials.add('sobotApi', account(more));
		const { error } = await run();
		expect(error?.message).toContain(message);
		expect([sandbox.tokenCalls, sandbox.triggerCalls]).toEqual([[], []]);
	});
});

// n8n answers a throw of a node that continues by passing its input items on, as if they had been sent.
describe('with On Error: Continue, whatever throws before the sending', () => {
	const causes: Array<[string, Partial<ActionRun> & { credential?: Record<string, unknown> }]> = [
		[
			'an expression that n8n refuses',
			{ parameters: { ...DEFINED, contactId: "={{ $('Nowhere').item.json.id }}" } },
		],
		['an expression that throws', { parameters: { ...DEFINED, nick: '={{ $json.name.x.y }}' } }],
		['a canvas whose expression throws', { parameters: { ...DEFINED, canvas: canvas('={{ $json.x.y }}') } }],
		['an unknown canvas', { parameters: { ...DEFINED, canvas: canvas('Nowhere') } }],
		['no canvas', { parameters: { ...DEFINED, canvas: canvas('={{ "" }}') } }],
		['60 requests a second', { parameters: { ...DEFINED, options: { requestsPerSecond: '={{ 60 }}' } } }],
		['a timeout of text', { parameters: { ...DEFINED, options: { timeout: '={{ "x" }}' } } }],
		[
			'options that throw',
			{ parameters: { ...DEFINED, options: { giveUpAfter: "={{ $('Nowhere').item.json.x }}" } } },
		],
		['an empty contact ID field', { parameters: { ...DEFINED, options: { contactIdField: '={{ "" }}' } } }],
		[
			'an additional field that throws',
			{
				parameters: {
					...DEFINED,
					additionalFields: { field: [{ name: 'a', value: "={{ $('Nowhere').item.json.x }}" }] },
				},
			},
		],
		[
			'additional fields without a value',
			{ parameters: { ...DEFINED, additionalFields: { field: [{ name: 'a', value: '={{ $json.x }}' }] } } },
		],
		['JSON that is malformed', { parameters: { ...DEFINED, dataMode: 'json', jsonBody: '{' } }],
		[
			'JSON from an expression that throws',
			{ parameters: { ...DEFINED, dataMode: 'json', jsonBody: "={{ $('Nowhere').item.json.x }}" } },
		],
		['items without a contact ID', { parameters: { ...DEFINED, dataMode: 'autoMapInputData' } }],
		[
			'a trigger ID that lost its digits',
			{ credential: { canvases: { canvas: [{ name: 'x', triggerId: '1.234e18', secret: 's' }] } } },
		],
		['no canvases', { credential: { canvases: {} } }],
		['no App Key', { credential: { appKey: '' } }],
		['a Base URL that is not a URL', { credential: { baseUrl: 'x' } }],
		['a credential that n8n cannot read', { credentials: new UnreadableCredentials() }],
		['no credential at all', { node: { credentials: {} } }],
		['a wrong App Key', { credential: { appKey: 'wrong' } }],
	];

	test.each(causes)(
		'%s: every item says so, on the error output if there is one',
		async (_, { credential, ...more }) => {
			if (credential) credentials.add('sobotApi', account(credential));
			for (const onError of ['continueRegularOutput', 'continueErrorOutput'] as const) {
				const { output, errorOutput, error } = await run({ ...more, node: { ...more.node, onError } });
				const failed = onError === 'continueErrorOutput' ? errorOutput : output;
				expect(error).toBeUndefined();
				expect(failed.length).toBe(3);
				for (const { json } of failed) {
					expect(['notSent', 'refused']).toContain(json.outcome);
					expect(String(json.error)).toMatch(/\(item \d\)|item \d/);
				}
				if (onError === 'continueErrorOutput') expect(output).toEqual([]);
			}
			expect(sandbox.accepted).toEqual([]);
		},
	);

	test('one item of several: the others are sent', async () => {
		const { output, errorOutput } = await run({
			parameters: { ...DEFINED, contactId: '={{ $json.id === "2" ? $json.x.y : $json.id }}' },
			node: { onError: 'continueErrorOutput' },
		});
		expect(output.map(({ json }) => json)).toEqual([ok('1'), ok('3')]);
		expect(errorOutput.map(({ json }) => json.outcome)).toEqual(['notSent']);
	});
});

describe('the token', () => {
	test('is fetched once and stored encrypted, with its end, and used by later executions', async () => {
		const beforeMs = Date.now();
		await run();
		await run();
		expect(sandbox.tokenCalls.map(({ code }) => code)).toEqual(['000000']);
		const { token, tokenExpiresAt } = credentials.data('sobotApi');
		expect(token).toMatch(/^[0-9a-f]{32}$/);
		expect(Number(tokenExpiresAt)).toBeGreaterThanOrEqual(beforeMs + 86_400_000);
		expect(credentials.encrypted('sobotApi')).not.toContain(String(token));
	});

	test('is fetched once by executions that start together', async () => {
		await Promise.all([run(), run(), run()]);
		expect(sandbox.tokenCalls.length).toBe(1);
		expect(sandbox.accepted.length).toBe(9);
	});

	test.each(['900002', '910022'] as const)(
		'is renewed once when Sobot refuses it with %s, and all items go through',
		async (code) => {
			await run();
			await sleep(5);
			sandbox.account.renewToken(Date.now());
			sandbox.account.settings.deadTokenCode = code;
			sandbox.forget();
			const { output } = await run();
			expect(output.map(({ json }) => json)).toEqual(['1', '2', '3'].map(ok));
			expect(sandbox.tokenCalls.length).toBe(1);
			expect(sandbox.accepted.map(({ contactId }) => contactId).sort()).toEqual(['1', '2', '3']);
		},
	);

	test('costs no read of the database for each item', async () => {
		await run();
		credentials.reads = 0;
		await run({ items: crowd(40) });
		// One for the token, two to see whether it has expressions that depend on the item.
		expect(credentials.reads).toBe(3);
	});
});

describe('each return code', () => {
	const refused = [
		'700046',
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
		expect(error?.message).toMatch(/customer \d \(item \d\)/);
		expect(error?.description).toMatch(/^[A-Z].*\. Accepted: no customers of 3\./);
	});

	test.each(refused)('%s becomes an output item with On Error: Continue', async (code) => {
		sandbox.misbehave({ on: 'trigger', code, contactId: '2' });
		const { output } = await run({
			parameters: { ...DEFINED, options: { giveUpAfter: 0 } },
			node: CONTINUE,
		});
		expect(output.map(({ pairedItem }) => pairedItem)).toEqual([0, 1, 2].map((item) => ({ item })));
		expect([output[0]?.json, output[2]?.json]).toEqual([ok('1'), ok('3')]);
		expect(output[1]?.json).toEqual({
			contactId: '2',
			outcome: expect.stringMatching(/^(refused|overLimit|unknown)$/) as string,
			ret_code: code,
			error: expect.stringMatching(`\\(${code}\\).*customer 2 \\(item 1\\)`) as string,
		});
	});

	test('has a status in the sandbox', () => {
		expect(CODES.toSorted()).toEqual(['000000', ...refused].sort());
	});

	test('goes to the error output where the node has one', async () => {
		const { output, errorOutput } = await run({
			items: people('1', 'nobody', '3'),
			node: { onError: 'continueErrorOutput' },
		});
		expect(output.map(({ json }) => json)).toEqual([ok('1'), ok('3')]);
		expect(errorOutput.map(({ json }) => json)).toEqual([
			{
				// n8n adds the fields of the input item.
				id: 'nobody',
				name: 'N nobody',
				contactId: 'nobody',
				outcome: 'refused',
				ret_code: '910026',
				error: expect.stringContaining('customer nobody (item 1)') as string,
			},
		]);
	});
});

describe('the canvas itself refuses', () => {
	test.each([
		['a canvas that is not active', canvas('Asleep'), '(910025)'],
		['a wrong secret', canvas('Wrong secret'), '(910022)'],
	])('%s', async (_, asleep, code) => {
		const { error } = await run({ parameters: { ...DEFINED, canvas: asleep } });
		expect(error?.message).toContain(code);
		expect(sandbox.accepted).toEqual([]);
	});

	test('for a wrong secret: 20 executions cost at most two new tokens', async () => {
		await run();
		sandbox.forget();
		const parameters = { ...DEFINED, canvas: canvas('Wrong secret') };
		for (let i = 0; i < 20; i++) {
			expect((await run({ items: people('9'), parameters })).error?.message).toContain('(910022)');
		}
		expect(sandbox.tokenCalls.length).toBeLessThanOrEqual(2);
	});

	test('an unknown customer, and the error tells what is left to send', async () => {
		sandbox.misbehave({ on: 'trigger', atWork: { minMs: 30, maxMs: 30 } });
		const { error } = await run({
			items: people('1', 'nobody', '3', '4', '5', '6'),
			parameters: { ...DEFINED, options: { requestsPerSecond: 2 } },
		});
		expect(error?.message).toBe('Sobot found no matching customer (910026): customer nobody (item 1).');
		expect(error?.description).toContain(
			'Accepted: 1 customer (item 0) of 6. Failed: 1 customer (item 1). Still to send: 4 customers (items 2-5).',
		);
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
			parameters: { ...DEFINED, options: { timeout: 0.2 } },
			node: CONTINUE,
		});
		expect(output[1]?.json).toEqual({
			contactId: '2',
			outcome: 'unknown',
			ret_code: null,
			error: expect.stringMatching(
				`${words}.*Sobot may or may not have put this customer on the canvas: customer 2 \\(item 1\\)`,
			) as string,
		});
		expect([output[0]?.json, output[2]?.json]).toEqual([ok('1'), ok('3')]);
		expect(sandbox.triggerCalls.filter(({ contactId }) => contactId === '2').length).toBeLessThanOrEqual(1);
	});

	test('but again after 910024, until it is accepted', async () => {
		sandbox.misbehave({ on: 'trigger', contactId: '2', code: '910024', times: 3 });
		const { output } = await run();
		expect(output.map(({ json }) => json)).toEqual(['1', '2', '3'].map(ok));
		expect(sandbox.triggerCalls.filter(({ contactId }) => contactId === '2').map(({ code }) => code)).toEqual(
			['910024', '910024', '910024', '000000'],
		);
	});
});

describe("with n8n's Retry On Fail", () => {
	test('what was accepted is not sent again, and what failed is', async () => {
		sandbox.misbehave({ on: 'trigger', contactId: '2', code: '910025', times: 2 });
		const { output, error } = await run({ node: RETRY_ON_FAIL });
		expect(error).toBeUndefined();
		expect(output.map(({ json }) => json)).toEqual(['1', '2', '3'].map(ok));
		expect(['1', '2', '3'].map(timesSent)).toEqual([1, 3, 1]);
	});

	test('what may have been accepted is not sent again either', async () => {
		sandbox.misbehave({ on: 'trigger', contactId: '2', drop: 'after' });
		const { error } = await run({ node: RETRY_ON_FAIL });
		expect(error?.message).toContain('Sobot may or may not have');
		expect(timesSent('2')).toBe(1);
		expect(timesSent('1')).toBe(1);
	});

	test('nor with On Error: Continue, where n8n retries when the first item has failed', async () => {
		sandbox.misbehave({ on: 'trigger', contactId: '1', code: '910025' });
		const { output } = await run({ node: { ...RETRY_ON_FAIL, ...CONTINUE } });
		expect(output.map(({ json }) => json.ret_code)).toEqual(['910025', '000000', '000000']);
		expect([timesSent('2'), timesSent('3')]).toEqual([1, 1]);
	});
});

describe("with n8n's Retry of a failed execution", () => {
	test.each(['original', 'current'] as const)(
		'with the %s workflow: only those who are not on the canvas are sent, and the execution completes',
		async (which) => {
			sandbox.misbehave({ on: 'trigger', contactId: '30', code: '910025', times: 1 });
			const failed = await start({ items: crowd(60) });
			expect(outcomeOf(failed).error?.message).toContain('customer 30 (item 30)');
			const before = sandbox.accepted.length;
			expect(before).toBeGreaterThan(20);
			const parameters = which === 'current' ? { ...DEFINED, nick: 'Someone' } : DEFINED;
			const { output, error } = outcomeOf(await retried(failed, { parameters }));
			expect(error).toBeUndefined();
			expect(output.map(({ json }) => json)).toEqual(crowd(60).map(({ json }) => ok(json.id)));
			expect(sandbox.accepted.length).toBe(60);
			expect(new Set(sandbox.accepted.map(({ contactId }) => contactId)).size).toBe(60);
		},
	);

	test('a customer in doubt is not sent again, and is named', async () => {
		sandbox.misbehave({ on: 'trigger', contactId: '2', drop: 'after' });
		const failed = await start();
		sandbox.misbehaviours.clear();
		const again = outcomeOf(await retried(failed));
		expect(again.error?.message).toContain('customer 2 (item 1)');
		expect(['1', '2', '3'].map(timesAccepted)).toEqual([1, 1, 1]);
		const decided = { ...DEFINED, options: { unknownOutcome: 'treatAsSent' } };
		const { output } = outcomeOf(await retried(failed, { parameters: decided }));
		// The first Retry has put the third customer on the canvas, though the failed execution does not know it.
		expect(output.map(({ json }) => json.outcome)).toEqual(['accepted', 'unknown', 'alreadySent']);
		expect(timesAccepted('2')).toBe(1);
		const sendAgain = { ...DEFINED, options: { unknownOutcome: 'sendAgain' } };
		const last = outcomeOf(await retried(failed, { parameters: sendAgain }));
		expect(last.output.map(({ json }) => json.outcome)).toEqual(['accepted', 'accepted', 'alreadySent']);
		expect(['1', '2', '3'].map(timesAccepted)).toEqual([1, 2, 1]);
	});

	test('on another canvas everybody is sent', async () => {
		sandbox.misbehave({ on: 'trigger', contactId: '3', code: '910025', times: 1 });
		const failed = await start();
		const parameters = { ...DEFINED, canvas: canvas('Quiet') };
		await retried(failed, { parameters });
		expect(['1', '2', '3'].map(timesAccepted)).toEqual([2, 2, 1]);
	});

	test('equal contact IDs of one batch are each sent once', async () => {
		sandbox.misbehave({ on: 'trigger', contactId: 'x', code: '910025', times: 1 });
		const failed = await start({ items: people('1', '1', '1', 'x') });
		await retried(failed);
		expect([timesAccepted('1'), timesAccepted('x')]).toEqual([3, 1]);
	});

	test('what n8n stores of it holds no customer', async () => {
		sandbox.misbehave({ on: 'trigger', contactId: 'c-3', code: '910025' });
		const failed = await start({ items: people('c-1', 'c-2', 'c-3') });
		const context = JSON.stringify(failed.data.executionData?.contextData);
		expect(context).toContain('accepted');
		expect(context).not.toMatch(/c-[123]/);
	});
});

describe('Retry sends whom another execution has sent before', () => {
	test.each([3, 60])('of %i customers, refused as a whole after yesterday they went out', async (count) => {
		const items = crowd(count);
		await run({ items });
		const parameters = { ...DEFINED, canvas: canvas('Nowhere') };
		const refused = await start({ items, parameters });
		expect(outcomeOf(refused).error?.message).toContain('has no canvas');
		const { output } = outcomeOf(await retried(refused));
		expect(output.map(({ json }) => json.outcome)).toEqual(Array(count).fill('accepted'));
		expect(sandbox.accepted.length).toBe(2 * count);
	});

	test.each([3, 60])('of %i customers, in two failed executions that are both retried', async (count) => {
		const items = crowd(count);
		const last = `${count - 1}`;
		sandbox.misbehave({ on: 'trigger', contactId: last, code: '910025', times: 2 });
		const failed = [await start({ items }), await start({ items })];
		for (const one of failed) {
			const { error } = outcomeOf(await retried(one));
			expect(error).toBeUndefined();
		}
		expect(crowd(count).map(({ json }) => timesAccepted(json.id))).toEqual(Array(count).fill(2));
	});
});

test('n8n 1 runs an execution again whose worker was killed after this node had ended: nobody twice', async () => {
	const items = crowd(60);
	await start({ items, executionId: 'killed' });
	const { output } = outcomeOf(await start({ items, executionId: 'killed' }));
	expect(output.map(({ json }) => json.outcome)).toEqual(Array(60).fill('alreadySent'));
	expect(sandbox.accepted.length).toBe(60);
	const another = outcomeOf(await start({ items }));
	expect(another.output.map(({ json }) => json.outcome)).toEqual(Array(60).fill('accepted'));
});

test('a customer in doubt stays in doubt when nothing can be stored before sending them again', async () => {
	sandbox.misbehave({ on: 'trigger', contactId: '2', drop: 'after' });
	const failed = await start();
	const parameters = { ...DEFINED, options: { unknownOutcome: 'sendAgain', giveUpAfter: 0 } };
	database.isAway = true;
	const again = await retried(failed, { parameters });
	database.isAway = false;
	expect(outcomeOf(again).error).toBeDefined();
	sandbox.misbehaviours.clear();
	const { error } = outcomeOf(await retried(again));
	expect(error?.message).toContain('customer 2 (item 1)');
	expect(timesAccepted('2')).toBe(1);
});

test('Retry of a Retry leaves nothing behind that another execution could take for its own', async () => {
	const items = crowd(3);
	const wrong = { ...DEFINED, canvas: canvas('Nowhere') };
	sandbox.misbehave({ on: 'trigger', contactId: '2', code: '910025', times: 1 });
	const refused = await start({ items, parameters: wrong });
	const again = await retried(refused);
	await retried(again);
	expect(sandbox.accepted.length).toBe(3);
	const other = await start({ items, parameters: wrong });
	const { output } = outcomeOf(await retried(other));
	expect(output.map(({ json }) => json.outcome)).toEqual(Array(3).fill('accepted'));
	expect(sandbox.accepted.length).toBe(6);
});

test('Retry after the address of the account was put right sends nobody again', async () => {
	sandbox.misbehave({ on: 'trigger', contactId: '3', code: '910025', times: 1 });
	const failed = await start();
	credentials.add('sobotApi', account({ baseUrl: sandbox.url.replace('127.0.0.1', 'localhost') }));
	const { output } = outcomeOf(await retried(failed));
	expect(output.map(({ json }) => json.ret_code)).toEqual(['000000', '000000', '000000']);
	expect(['1', '2', '3'].map(timesAccepted)).toEqual([1, 1, 1]);
});

test('an operation that does not exist passes nothing on as sent', async () => {
	const { output } = await run({ parameters: { ...DEFINED, operation: 'send' }, node: CONTINUE });
	expect(output.map(({ json }) => json.outcome)).toEqual(['notSent', 'notSent', 'notSent']);
});

test('a contact ID that n8n takes for a network failure does not change the message', async () => {
	sandbox.misbehave({ on: 'trigger', contactId: 'ENOTFOUND', code: '910026' });
	const { error } = await run({ items: people('ENOTFOUND') });
	expect(error?.message).toBe('Sobot found no matching customer (910026): customer ENOTFOUND (item 0).');
});

test('no secret is quoted from an answer that echoes the request', async () => {
	const { canvases } = account();
	const [first] = canvases.canvas;
	await run();
	const { token } = credentials.data('sobotApi');
	const body = JSON.stringify({ ret_code: '777', ret_msg: `secret=${first?.secret} token=${String(token)}` });
	sandbox.misbehave({ on: 'trigger', answerWith: { status: 200, body, contentType: 'application/json' } });
	const { output } = await run({ items: people('9'), node: CONTINUE });
	expect(output[0]?.json.error).toContain('secret=(hidden) token=(hidden)');
});

describe('idempotency keys', () => {
	const keyed = (idempotencyKey: string) => ({ ...DEFINED, options: { idempotencyKey } });

	test('are sent once, in this execution and in later ones', async () => {
		const parameters = keyed('={{ "spring " + $json.id }}');
		await run({ items: people('1', '2'), parameters });
		const { output } = await run({ items: people('1', '2', '3', '3'), parameters });
		expect(output.map(({ json }) => [json.contactId, json.outcome])).toEqual([
			['1', 'alreadySent'],
			['2', 'alreadySent'],
			['3', 'accepted'],
			['3', 'alreadySent'],
		]);
		expect(sandbox.accepted.length).toBe(3);
	});

	test('a fixed text is no key: others do not count as sent', async () => {
		const { output } = await run({ parameters: keyed('summer'), node: CONTINUE });
		expect(output.map(({ json }) => json.outcome)).toEqual(['accepted', 'notSent', 'notSent']);
		expect(String(output[1]?.json.error)).toContain('used for another customer');
	});

	test.each(['={{ "" }}', '={{ NaN }}', '={{ 12345678901234567890 }}', '{{ $json.id }}'])(
		'%s is refused',
		async (key) => {
			const { error } = await run({ parameters: keyed(key) });
			expect(error?.message).toContain("'Idempotency Key'");
			expect(sandbox.triggerCalls).toEqual([]);
		},
	);
});

test.each(['={{ undefined }}', '={{ "" }}', '={{ $json.id === "2" }}'])(
	"'Dry Run' from the expression %s is not the same for all, or not on or off: nothing is sent",
	async (dryRun) => {
		const { error, output } = await run({ parameters: { ...DEFINED, options: { dryRun } } });
		expect(String(error?.message)).toContain("'Dry Run' must be");
		expect(output).toEqual([]);
		expect(sandbox.triggerCalls).toEqual([]);
	},
);

describe("as an agent's tool", () => {
	const asTool = { type: 'n8n-nodes-sobot.sobotRuleEngineTool' };

	test.each<[string, object]>([
		['refused', { code: '910025' }],
		['unknown', { drop: 'after' }],
	])('%s is put out for the model to read, and nothing is thrown', async (outcome, misbehaviour) => {
		sandbox.misbehave({ on: 'trigger', ...misbehaviour });
		const { output, error } = await run({ items: people('1'), node: asTool });
		expect(error).toBeUndefined();
		expect(output[0]?.json).toMatchObject({
			outcome,
			error: expect.stringContaining('customer 1') as string,
		});
	});

	test('bad input too', async () => {
		const { output } = await run({ items: people(''), node: asTool });
		expect(output[0]?.json).toMatchObject({ outcome: 'notSent' });
	});
});

describe('several canvases in one batch', () => {
	const parameters = { ...DEFINED, canvas: canvas('={{ Number($json.id) % 2 ? "Quiet" : "Welcome" }}') };

	test('each customer on the canvas of their item, in order and paired', async () => {
		const { output } = await run({ items: crowd(10), parameters });
		expect(output.map(({ json, pairedItem }) => [json.contactId, pairedItem])).toEqual(
			crowd(10).map(({ json }, item) => [json.id, { item }]),
		);
		for (const { triggerId, contactId } of sandbox.accepted) {
			expect(triggerId).toBe(Number(contactId) % 2 ? '1234567890123456782' : DEMO_CANVAS.triggerId);
		}
		expect(sandbox.accepted.length).toBe(10);
	});

	test('side by side, each at its own rate: 400 customers on two canvases in 5 s', async () => {
		await run({ items: crowd(400), parameters });
		const moments = sandbox.accepted.map(({ arrivedAtMs }) => arrivedAtMs);
		expect(Math.max(...moments) - Math.min(...moments)).toBeLessThan(5000);
		expect(sandbox.accepted.length).toBe(400);
	});

	test('a failure on one ends the other, and Retry sends the rest', async () => {
		sandbox.misbehave({ on: 'trigger', contactId: '11', code: '910025', times: 1 });
		const failed = await start({ items: crowd(100), parameters });
		expect(sandbox.accepted.length).toBeLessThan(90);
		const { output } = outcomeOf(await retried(failed, { parameters }));
		expect(output.length).toBe(100);
		expect(new Set(sandbox.accepted.map(({ contactId }) => contactId)).size).toBe(100);
		expect(sandbox.accepted.length).toBe(100);
	});
});

describe('a dry run', () => {
	const parameters = { ...DEFINED, options: { dryRun: true } };

	test('shows the canvas and the exact body, or what is wrong, and calls nobody', async () => {
		const { output } = await run({ items: people('1', ''), parameters });
		expect(output.map(({ json }) => json)).toEqual([
			{
				contactId: '1',
				outcome: 'dryRun',
				ret_code: null,
				error: null,
				canvas: 'Welcome',
				triggerId: DEMO_CANVAS.triggerId,
				body: '{"Contact_id":"1","nick":"N 1"}',
			},
			{
				contactId: null,
				outcome: 'dryRun',
				ret_code: null,
				error: expect.stringContaining("'Contact ID' is empty") as string,
				canvas: null,
				triggerId: null,
				body: null,
			},
		]);
		expect([sandbox.tokenCalls, sandbox.triggerCalls]).toEqual([[], []]);
	});
});

test('output items keep the fields of their input item, if wanted', async () => {
	const options = { includeInputFields: true };
	const items = [{ json: { id: '1', name: 'N', city: 'Z', outcome: 'theirs' } }];
	const { output } = await run({ items, parameters: { ...DEFINED, options } });
	expect(output[0]?.json).toEqual({ id: '1', name: 'N', city: 'Z', ...ok('1') });
});

test('equal contact IDs in one batch are pointed out', async () => {
	const { hints } = await run({ items: people('1', '2', '1', '1') });
	expect(hints).toContainEqual(
		expect.objectContaining({
			message: expect.stringContaining('The contact ID 1 occurs 3 times') as string,
		}),
	);
});

describe('no secret', () => {
	test('is in the output, in the errors or in the execution data', async () => {
		sandbox.misbehave({ on: 'trigger', contactId: '2', drop: 'after' });
		const runs = [
			await start({ items: people('1', '2') }),
			await start({ items: people('1', 'nobody'), node: { onError: 'continueErrorOutput' } }),
		];
		const shown = JSON.stringify(
			runs.map(({ data }) => [data.resultData, data.resultData.error?.stack, data.resultData.error?.cause]),
		);
		const { token } = credentials.data('sobotApi');
		for (const secret of [String(token), DEMO_CANVAS.secret, 'demo-key']) expect(shown).not.toContain(secret);
	});
});

test.each([
	['Stop', {}],
	['Continue', CONTINUE],
])(
	'stopping the execution with On Error: %s stops the sending, and leaves a record of it',
	async (_, node) => {
		const isSending = until('some calls', () => sandbox.accepted.length >= 10);
		const stopped = await start({ items: crowd(200), node, stopWhen: isSending });
		const atStop = sandbox.triggerCalls.length;
		await sleep(1000);
		expect(sandbox.triggerCalls.length - atStop).toBeLessThanOrEqual(2);
		expect(atStop).toBeLessThan(100);
		const shown = stopped.data.resultData.metadata ?? {};
		expect(shown.sobot_accepted).toMatch(/^Sobot: \d+ customers \(items 0-\d+\)$/);
		expect(shown.sobot_not_accepted).toMatch(/^Sobot: 1\d\d customers \(items .*199\)$/);
		expect(JSON.stringify(stopped.data.executionData?.contextData)).toContain('accepted');
	},
);

test('a batch that failed shows how far it came, for an execution that times out at that moment', async () => {
	sandbox.misbehave({ on: 'trigger', contactId: '2', code: '910026' });
	const failed = await start({ items: people('1', '2', '3') });
	expect(failed.data.resultData.metadata).toMatchObject({
		sobot_accepted: expect.stringContaining('customer') as string,
		sobot_not_accepted: expect.stringContaining('customer') as string,
	});
});

test('a batch without expressions in the credential reads it once, one with expressions for each item', async () => {
	credentials.add('sobotApi', account({ appId: '={{ $json.tenant }}' }));
	const items = ['demo-app', 'other'].map((tenant, i) => ({ json: { id: `${i}`, name: 'N', tenant } }));
	const { output } = await run({ items, node: CONTINUE });
	expect(output.map(({ json }) => json.ret_code)).toEqual(['000000', '900004']);
	expect(sandbox.accepted.map(({ contactId }) => contactId)).toEqual(['0']);
});
