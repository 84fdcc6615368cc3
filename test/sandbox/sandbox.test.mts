// The sandbox holds to Sobot's document, whoever calls it.
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { listenOnFreePort } from '../support/freePort.mts';
import { until } from '../support/until.mts';
import { CODES, retMsgOf } from './answers.mts';
import { ASLEEP_CANVAS, DEMO_CANVAS, MEMBER_CANVAS, Sandbox, type SandboxOptions } from './server.mts';

let sandbox: Sandbox;
const open = async (options: SandboxOptions = {}) => (sandbox = await Sandbox.start(options));
afterEach(async () => await sandbox.close());

const now = () => Math.floor(Date.now() / 1000);
const sign = (appid: string, createTime: string, key: string) =>
	createHash('md5')
		.update(appid + createTime + key)
		.digest('hex');
const askToken = async (more: Record<string, string> = {}) => {
	const createTime = more.create_time ?? String(now());
	const query = new URLSearchParams({
		appid: 'demo-app',
		create_time: createTime,
		sign: sign('demo-app', createTime, 'demo-key'),
		...more,
	});
	const answer = await fetch(`${sandbox.url}/api/get_token?${query}`);
	return {
		status: answer.status,
		json: (await answer.json()) as { ret_code: string; item?: { token: string; expires_in: string } },
	};
};
const newToken = async () => (await askToken()).json.item?.token.trim() ?? '';
const trigger = async (headers: Record<string, string>, body = '{"Contact_id":"1","nick":"A"}') => {
	const answer = await fetch(`${sandbox.url}/logi-flow/webhook/trigger`, {
		method: 'POST',
		headers: {
			'content-type': 'application/json',
			'trigger-id': DEMO_CANVAS.triggerId,
			secret: DEMO_CANVAS.secret,
			...headers,
		},
		body,
	});
	return [answer.status, ((await answer.json()) as { ret_code: string }).ret_code];
};

describe('get_token', () => {
	beforeEach(async () => void (await open()));

	test('answers as the document shows: a padded token, the lifetime as text', async () => {
		const { status, json } = await askToken();
		expect(status).toBe(200);
		expect(json).toEqual({
			item: { token: expect.stringMatching(/^ [0-9a-f]{32} $/) as string, expires_in: '86400' },
			ret_code: '000000',
			ret_msg: 'success',
		});
	});

	test.each([
		['an unknown appid', { appid: 'other' }, '900004'],
		['a wrong signature', { sign: '0'.repeat(32) }, '900003'],
		[
			'a signature in upper case',
			{ sign: sign('demo-app', String(now()), 'demo-key').toUpperCase() },
			'900003',
		],
		['milliseconds', { create_time: String(Date.now()) }, '900003'],
		['a clock that is 6 minutes slow', { create_time: String(now() - 360) }, '900003'],
		['a clock that is 6 minutes fast', { create_time: String(now() + 360) }, '900003'],
	])('refuses %s with HTTP 200', async (_, more, code) => {
		expect(await askToken(more)).toEqual({
			status: 200,
			json: {
				ret_code: code,
				ret_msg: code === '900004' ? 'Company api configuration info not found' : 'Incorrect signature',
			},
		});
	});

	test('gives a new token each time, which ends the one before', async () => {
		const [first, second] = [await newToken(), await newToken()];
		expect(await trigger({ token: first })).toEqual([200, '900002']);
		expect(await trigger({ token: second })).toEqual([200, '000000']);
	});
});

test('a token ends with its life', async () => {
	await open({ tokenLifeSeconds: 0 });
	expect(await trigger({ token: await newToken() })).toEqual([200, '900002']);
});

describe('the canvas trigger', () => {
	beforeEach(async () => void (await open()));

	test.each<[string, Record<string, string>, string | undefined, [number, string]]>([
		['a customer', {}, undefined, [200, '000000']],
		['no token', { token: '' }, undefined, [200, '900001']],
		['a dead token', { token: 'x'.repeat(32) }, undefined, [200, '900002']],
		['no trigger ID', { 'trigger-id': '' }, undefined, [400, '910021']],
		['an unknown trigger ID', { 'trigger-id': '1'.repeat(19) }, undefined, [400, '910022']],
		['a wrong secret', { secret: 'x' }, undefined, [400, '910022']],
		['an inactive canvas', { 'trigger-id': ASLEEP_CANVAS.triggerId }, undefined, [400, '910025']],
		['no contact ID', {}, '{"nick":"A"}', [400, '910023']],
		['a contact ID that is a number', {}, '{"Contact_id":1,"nick":"A"}', [400, '910023']],
		['an array', {}, '[]', [400, '910023']],
		['malformed JSON', {}, '{', [400, '910023']],
		['another content type', { 'content-type': 'text/plain' }, undefined, [400, '910023']],
		['an unknown customer', {}, '{"Contact_id":"nobody","nick":"A"}', [400, '910026']],
		['a new customer without a name', {}, '{"Contact_id":"new"}', [400, '910026']],
	])('%s', async (_, headers, body, expected) => {
		expect(await trigger({ token: await newToken(), ...headers }, body)).toEqual(expected);
	});

	test('takes 50 calls in any one second, and counts them where they arrive', async () => {
		const token = await newToken();
		const burst = await Promise.all(Array.from({ length: 60 }, async () => await trigger({ token })));
		expect(burst.filter(([, code]) => code === '000000').length).toBe(50);
		expect(burst.filter(([status, code]) => status === 400 && code === '910024').length).toBe(10);
		const lastMs = Math.max(...sandbox.accepted.map(({ arrivedAtMs }) => arrivedAtMs));
		await until('the second to pass', () => Date.now() > lastMs + 1000);
		expect(await trigger({ token })).toEqual([200, '000000']);
	});

	test('shares no limit between trigger IDs', async () => {
		const token = await newToken();
		await Promise.all(Array.from({ length: 50 }, async () => await trigger({ token })));
		expect(
			await trigger({ token, 'trigger-id': MEMBER_CANVAS.triggerId }, '{"member_no":"1","nick":"A"}'),
		).toEqual([200, '000000']);
	});
});

describe('misbehaviour', () => {
	beforeEach(async () => void (await open()));

	test('any code, a number of times', async () => {
		const token = await newToken();
		sandbox.misbehave({ on: 'trigger', code: '999999', times: 1 });
		expect(await trigger({ token })).toEqual([200, '999999']);
		expect(await trigger({ token })).toEqual([200, '000000']);
	});

	test.each([
		['before', 0],
		['after', 1],
	] as const)('drops the connection %s acting', async (drop, accepted) => {
		const token = await newToken();
		sandbox.misbehave({ on: 'trigger', drop });
		await expect(trigger({ token })).rejects.toThrow('fetch failed');
		expect(sandbox.accepted.length).toBe(accepted);
	});

	test('time on the way comes before the count, time at work after it', async () => {
		const token = await newToken();
		const span = { minMs: 120, maxMs: 120 };
		sandbox.misbehave({ on: 'trigger', times: 1, onTheWay: span });
		sandbox.misbehave({ on: 'trigger', times: 1, atWork: span });
		const startMs = Date.now();
		await trigger({ token });
		const arrivedAtMs = sandbox.accepted[0]?.arrivedAtMs ?? 0;
		expect(arrivedAtMs - startMs).toBeGreaterThanOrEqual(118);
		expect(Date.now() - arrivedAtMs).toBeGreaterThanOrEqual(118);
	});

	test('is set and read over HTTP', async () => {
		const post = async (path: string, body: unknown) =>
			await fetch(sandbox.url + path, { method: 'POST', body: JSON.stringify(body) });
		const token = await newToken();
		await post('/sandbox/misbehave', {
			on: 'trigger',
			answerWith: { status: 502, body: '<html>' },
			times: 1,
		});
		const answer = await fetch(`${sandbox.url}/logi-flow/webhook/trigger`, {
			method: 'POST',
			headers: { token },
		});
		expect([answer.status, await answer.text()]).toEqual([502, '<html>']);
		await post('/sandbox/kill-token', {});
		expect(await trigger({ token })).toEqual([200, '900002']);
		const { tokenCalls, triggerCalls } = (await (await fetch(`${sandbox.url}/sandbox`)).json()) as {
			tokenCalls: unknown[];
			triggerCalls: unknown[];
		};
		expect([tokenCalls.length, triggerCalls.length]).toEqual([1, 2]);
	});
});

describe('the words of the service', () => {
	const anyApi = async (token: string) => {
		const answer = await fetch(`${sandbox.url}/api/any`, { headers: { token } });
		return [answer.status, await answer.json()] as unknown;
	};

	test('overseas: English, and a success without words', async () => {
		await open();
		expect(await anyApi('')).toEqual([200, { ret_code: '900001', ret_msg: 'Null token' }]);
		expect(await anyApi(await newToken())).toEqual([200, { ret_code: '000000' }]);
	});

	test('mainland: Chinese, also beside a success, and no item beside a refusal', async () => {
		await open({ profile: 'mainland' });
		expect((await askToken({ appid: 'other' })).json).toEqual({
			ret_code: '900004',
			ret_msg: '没有找到公司的api配置信息!',
		});
		expect((await askToken()).json).toEqual({
			item: { token: expect.stringMatching(/[0-9a-f]{32}/) as string, expires_in: '86400' },
			ret_code: '000000',
			ret_msg: '操作成功',
		});
		expect(await anyApi(await newToken())).toEqual([200, { ret_code: '000000', ret_msg: '操作成功' }]);
	});

	test('a plan without API access: 700046 for every call, without an item', async () => {
		await open();
		const token = await newToken();
		sandbox.account.settings.hasApiAccess = false;
		const refusal = { ret_code: '700046', ret_msg: 'The current plan does not support API access' };
		expect(await askToken()).toEqual({ status: 200, json: refusal });
		expect(await anyApi(token)).toEqual([200, refusal]);
		expect(await trigger({ token })).toEqual([200, '700046']);
	});

	test.each(CODES)('%s has words in both languages', (code) => {
		expect(retMsgOf(code, 'overseas')).toMatch(/^[\x20-\x7e]{8,}$/);
		expect(retMsgOf(code, 'mainland')).toMatch(/\p{Script=Han}/u);
	});
});

describe('a neighbor that fetches a token for each of its calls', () => {
	beforeEach(async () => void (await open()));

	test("ends everybody else's token a number of times a second, until it is stopped", async () => {
		const token = await newToken();
		sandbox.neighbor.start(100);
		expect(await trigger({ token })).toEqual([200, '900002']);
		await until('some more of its calls', () => sandbox.neighbor.calls >= 5);
		sandbox.neighbor.stop();
		const calls = sandbox.neighbor.calls;
		const own = await newToken();
		expect(await trigger({ token: own })).toEqual([200, '000000']);
		expect([sandbox.neighbor.calls, sandbox.tokenCalls.length]).toEqual([calls, 2]);
	});

	test('is stopped when the sandbox forgets', async () => {
		sandbox.neighbor.start(1000);
		sandbox.forget();
		const token = await newToken();
		const calls = sandbox.neighbor.calls;
		for (let i = 0; i < 5; i++) expect(await trigger({ token })).toEqual([200, '000000']);
		expect(sandbox.neighbor.calls).toBe(calls);
	});
});

describe('the webhook app', () => {
	let receiver: Server;
	let answers: Array<{ status: number; body: string }>;
	let received: Array<{ method?: string; authorization?: string; body: unknown }>;
	beforeEach(async () => {
		received = [];
		receiver = createServer((req, res) => {
			let text = '';
			req.on('data', (chunk) => (text += String(chunk)));
			req.on('end', () => {
				received.push({
					method: req.method,
					authorization: req.headers.authorization,
					body: JSON.parse(text),
				});
				const { status, body } = answers.shift() ?? { status: 500, body: '' };
				res.writeHead(status, { 'content-type': 'application/json' }).end(body);
			});
		});
		const address = await listenOnFreePort(receiver);
		await open({ timeScale: 0.001 });
		const url = `${address.replace('//', '//me:p%20w@')}/hook`;
		sandbox.canvas().webhookApp = { url, method: 'PUT' };
	});
	afterEach(() => receiver.close());

	const ACKNOWLEDGED = { status: 200, body: '{"code":0,"status":0}' };
	const finished = async (pushes: number) =>
		await until('the pushes', () => sandbox.pushes.length === pushes && sandbox.pusher.pending === 0);

	test('pushes the profile of a customer on the canvas, until it is acknowledged exactly as documented', async () => {
		answers = [ACKNOWLEDGED];
		await trigger({ token: await newToken() });
		await finished(1);
		expect(received).toEqual([
			{
				method: 'PUT',
				authorization: `Basic ${Buffer.from('me:p w').toString('base64')}`,
				body: sandbox.account.customers.get('1'),
			},
		]);
		expect(sandbox.pushes[0]?.acknowledged).toBe(true);
	});

	test.each([
		['a space too many', { status: 200, body: '{"code":0, "status":0}' }],
		['the other order', { status: 200, body: '{"status":0,"code":0}' }],
		['HTTP 201', { status: 201, body: '{"code":0,"status":0}' }],
		['a failure', { status: 200, body: '{"code":1,"status":1}' }],
		['nothing', { status: 200, body: '' }],
	])(
		'does not take %s for an acknowledgement, and repeats after 1 and 5 minutes, byte for byte, then never again',
		async (_, answer) => {
			answers = [answer, answer, answer, ACKNOWLEDGED];
			await trigger({ token: await newToken() });
			await finished(3);
			const [first, second, third] = sandbox.pushes;
			expect((second?.atMs ?? 0) - (first?.answeredAtMs ?? 0)).toBeGreaterThanOrEqual(59);
			expect((third?.atMs ?? 0) - (second?.answeredAtMs ?? 0)).toBeGreaterThanOrEqual(299);
			expect(new Set(received.map(({ body }) => JSON.stringify(body))).size).toBe(1);
			expect(sandbox.pushes.map(({ acknowledged }) => acknowledged)).toEqual([false, false, false]);
		},
	);
});
