// What the action makes of the outcome of a call: an error, an output item or another try, and never a secret of the account.
import { createServer } from 'node:http';
import { fieldsFromToken } from '../../nodes/sobot/account/credential';
import { CODES } from '../sandbox/answers.mts';
import type { Misbehaviour } from '../sandbox/misbehaviour.mts';
import { DEMO_CANVAS } from '../sandbox/server.mts';
import { listenOnFreePort } from '../support/freePort.mts';
import { ACTION } from '../support/nodeTypes.mts';
import { until } from '../support/until.mts';
import { accepted } from '../support/workflows.mts';
import { shareAction } from './actionSetting.mts';
import { canvas, CONTINUE, DEFINED, people } from './customers.mts';
import { outcomeOf } from './runAction.mts';
import { StoredCredentials } from './storedCredentials.mts';

// Batches that take longer than a second have a ledger.
jest.setTimeout(30_000);

const setting = shareAction(() => new StoredCredentials());
const { account, run, start, retried, timesAccepted, timesSent } = setting;

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
		setting.sandbox.misbehave({ on: 'trigger', code });
		const { error } = await run({ parameters: { ...DEFINED, options: { giveUpAfter: 0 } } });
		expect(error?.name).toBe('NodeApiError');
		expect(error?.message).toContain(`(${code})`);
		expect(error?.message).toMatch(/^Customer \d \(item \d\): /);
		expect(error?.description).toMatch(
			/^[A-Z].*\. (Nobody was put on the canvas\. Correct this, and execute the workflow again\.$|Accepted: no customers of 3\..* Unknown: )/,
		);
	});

	test.each(refused)('%s becomes an output item with On Error: Continue', async (code) => {
		setting.sandbox.misbehave({ on: 'trigger', code, contactId: '2' });
		const { output } = await run({
			parameters: { ...DEFINED, options: { giveUpAfter: 0 } },
			node: CONTINUE,
		});
		expect(output.map(({ pairedItem }) => pairedItem)).toEqual([0, 1, 2].map((item) => ({ item })));
		expect([output[0]?.json, output[2]?.json]).toEqual([accepted('1'), accepted('3')]);
		expect(output[1]?.json).toEqual({
			contactId: '2',
			outcome: expect.stringMatching(/^(refused|overLimit|unknown)$/) as string,
			ret_code: code,
			reason: expect.stringMatching(`^Customer 2 \\(item 1\\): .*\\(${code}\\)`) as string,
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
		expect(output.map(({ json }) => json)).toEqual([accepted('1'), accepted('3')]);
		expect(errorOutput.map(({ json }) => json)).toEqual([
			{
				// n8n adds the fields of the input item.
				id: 'nobody',
				name: 'N nobody',
				contactId: 'nobody',
				outcome: 'refused',
				ret_code: '910026',
				reason: expect.stringContaining('Customer nobody (item 1): ') as string,
			},
		]);
	});
});

describe('the canvas itself refuses', () => {
	beforeEach(() => {
		const { canvases } = account();
		const wrong = { name: 'Wrong secret', triggerId: '1234567890123456783', secret: 'wrong' };
		setting.credentials.add('sobotApi', account({ canvases: { canvas: [...canvases.canvas, wrong] } }));
	});

	test.each([
		['a canvas that is not active', canvas('Asleep'), '(910025)'],
		['a wrong secret', canvas('Wrong secret'), '(910022)'],
	])('%s', async (_, refusing, code) => {
		const { error } = await run({ parameters: { ...DEFINED, canvas: refusing } });
		expect(error?.message).toContain(code);
		expect(setting.sandbox.accepted).toEqual([]);
	});

	test('for a wrong secret: 20 executions cost at most two new tokens', async () => {
		await run();
		setting.sandbox.forget();
		const parameters = { ...DEFINED, canvas: canvas('Wrong secret') };
		for (let i = 0; i < 20; i++) {
			expect((await run({ items: people('9'), parameters })).error?.message).toContain('(910022)');
		}
		expect(setting.sandbox.tokenCalls.length).toBeLessThanOrEqual(2);
	});

	// Then the others would be refused, too, and n8n retries no execution that has succeeded.
	test.each(['910025', '700046'])(
		'%s in the middle: no advice to go on without the customer',
		async (code) => {
			setting.sandbox.misbehave({ on: 'trigger', contactId: '2', code });
			const parameters = { ...DEFINED, options: { requestsPerSecond: 2 } };
			const { error } = await run({ items: people('1', '2', '3', '4', '5', '6'), parameters });
			expect(error?.description).toContain('Accepted: 1 customer (item 0) of 6.');
			expect(error?.description).toContain('Not reached yet:');
			expect(error?.description).not.toContain('Continue');
		},
	);

	test('an unknown customer, and the error tells what is left to send', async () => {
		setting.sandbox.misbehave({ on: 'trigger', atWork: { minMs: 30, maxMs: 30 } });
		const parameters = { ...DEFINED, options: { requestsPerSecond: 2 } };
		const failed = await start({ items: people('1', 'nobody', '3', '4', '5', '6'), parameters });
		const { error } = outcomeOf(failed);
		expect(error?.message).toBe('Customer nobody (item 1): Sobot found no matching customer (910026).');
		expect(error?.description).toContain(
			'Accepted: 1 customer (item 0) of 6. Failed: 1 customer (item 1). Not reached yet: 4 customers (items 2-5).',
		);
		expect(setting.sandbox.accepted.map(({ contactId }) => contactId)).toEqual(['1']);
		expect(error?.description).toContain(
			"To leave out whom Sobot does not know, set 'On Error' to 'Continue' in this node's settings, save, and choose 'Retry with currently saved workflow'.",
		);
		const again = outcomeOf(await retried(failed, { parameters }));
		expect(again.error?.message).toBe(error?.message);
		await retried(failed, { parameters, node: CONTINUE });
		expect(timesAccepted('1', 'nobody', '3', '4', '5', '6')).toEqual([1, 0, 1, 1, 1, 1]);
	});
});

describe('never twice', () => {
	test.each<[string, Partial<Misbehaviour>, string, number?]>([
		['a timeout', { atWork: { minMs: 400, maxMs: 400 } }, 'Sobot did not answer in time'],
		['a connection dropped after acting', { drop: 'after' }, 'The connection to Sobot broke'],
		['a connection dropped before acting', { drop: 'before' }, 'The connection to Sobot broke', 0],
		['an HTML page', { answerWith: { status: 200, body: '<html>proxy</html>' } }, 'an HTML page'],
		['HTTP 502', { answerWith: { status: 502, body: '<html>bad gateway</html>' } }, 'HTTP 502'],
		['an empty body', { answerWith: { status: 200, body: '' } }, 'an empty body'],
		['a redirect', { answerWith: { status: 302, body: '' } }, 'HTTP 302'],
	])('after %s', async (_, misbehaviour, words, recorded = 1) => {
		// Once only: a second call would be accepted, and seen.
		setting.sandbox.misbehave({ on: 'trigger', contactId: '2', times: 1, ...misbehaviour });
		const { output } = await run({
			parameters: { ...DEFINED, options: { timeout: 0.2 } },
			node: CONTINUE,
		});
		expect(output[1]?.json).toEqual({
			contactId: '2',
			outcome: 'unknown',
			ret_code: '',
			reason: expect.stringMatching(
				`^Customer 2 \\(item 1\\): .*${words}.*Sobot may or may not have put this customer on the canvas\\.`,
			) as string,
		});
		expect([output[0]?.json, output[2]?.json]).toEqual([accepted('1'), accepted('3')]);
		expect(timesSent('2')).toEqual([recorded]);
	});

	test('after an answer that never ends: it is given up in time, and its connection closed', async () => {
		const closed = jest.fn();
		const server = createServer(({ socket }, answer) => {
			const writing = setInterval(() => answer.write(' '), 50);
			socket.on('close', () => {
				clearInterval(writing);
				closed();
			});
		});
		const slow = { baseUrl: await listenOnFreePort(server), appId: 'demo-app', appKey: 'demo-key' };
		const token = { value: 'a-token', fetchedAtMs: Date.now(), expiresAtMs: Date.now() + 86_400_000 };
		setting.credentials.add('sobotApi', account({ ...slow, ...fieldsFromToken(token, slow) }));
		const { output } = await run({
			parameters: { ...DEFINED, options: { timeout: 0.4 } },
			node: CONTINUE,
		});
		expect(output.map(({ json }) => json.outcome)).toEqual(Array(3).fill('unknown'));
		expect(output[0]?.json.reason).toContain('Sobot did not answer in time');
		await until('the end of all connections', () => closed.mock.calls.length === 3);
		server.close();
	});

	test('but again after 910024, until it is accepted', async () => {
		setting.sandbox.misbehave({ on: 'trigger', contactId: '2', code: '910024', times: 3 });
		const { output } = await run();
		expect(output.map(({ json }) => json)).toEqual(['1', '2', '3'].map(accepted));
		expect(
			setting.sandbox.triggerCalls.filter(({ contactId }) => contactId === '2').map(({ code }) => code),
		).toEqual(['910024', '910024', '910024', '000000']);
	});
});

test('a contact ID that n8n takes for a network failure does not change the message', async () => {
	setting.sandbox.misbehave({ on: 'trigger', contactId: 'ENOTFOUND', code: '910026' });
	const { error } = await run({ items: people('ENOTFOUND') });
	expect(error?.message).toBe('Customer ENOTFOUND (item 0): Sobot found no matching customer (910026).');
});

describe("as an agent's tool", () => {
	const asTool = { type: `${ACTION.type}Tool` };

	test.each<[string, object]>([
		['refused', { code: '910025' }],
		['unknown', { drop: 'after' }],
	])('%s is put out for the model to read, and nothing is thrown', async (outcome, misbehaviour) => {
		setting.sandbox.misbehave({ on: 'trigger', ...misbehaviour });
		const { output, error } = await run({ items: people('1'), node: asTool });
		expect(error).toBeUndefined();
		expect(output[0]?.json).toMatchObject({
			outcome,
			reason: expect.stringContaining('Customer 1 ') as string,
		});
	});

	test('bad input too', async () => {
		const { output } = await run({ items: people(''), node: asTool });
		expect(output[0]?.json).toMatchObject({ outcome: 'notSent' });
	});
});

describe('no secret', () => {
	test('is quoted from an answer that echoes the request', async () => {
		await run();
		const { token } = setting.credentials.data('sobotApi');
		const echo = `secret=${DEMO_CANVAS.secret} token=${String(token)}`;
		const body = JSON.stringify({ ret_code: '777', ret_msg: echo });
		setting.sandbox.misbehave({
			on: 'trigger',
			answerWith: { status: 200, body, contentType: 'application/json' },
		});
		const { output } = await run({ items: people('9'), node: CONTINUE });
		expect(output[0]?.json.reason).toContain('secret=(hidden) token=(hidden)');
	});

	test('is in the output, in the errors or in the execution data', async () => {
		setting.sandbox.misbehave({ on: 'trigger', contactId: '2', drop: 'after' });
		const runs = [
			await start({ items: people('1', '2') }),
			await start({ items: people('1', 'nobody'), node: { onError: 'continueErrorOutput' } }),
		];
		const shown = JSON.stringify(
			runs.map(({ data }) => [data.resultData, data.resultData.error?.stack, data.resultData.error?.cause]),
		);
		const { token } = setting.credentials.data('sobotApi');
		for (const secret of [String(token), DEMO_CANVAS.secret, 'demo-key']) expect(shown).not.toContain(secret);
	});
});
