import type { Profile } from '../sandbox/account.mts';
import { createPushCredential, PUSH_SECRET } from '../support/credentials.mts';
import { fillIn, importWorkflow, readExample } from '../support/examples.mts';
import {
	executionsEnded,
	productionPath,
	node,
	listen,
	outputOf,
	acknowledge,
	type SavedNode,
} from '../support/workflows.mts';
import { TRIGGER } from '../support/nodeTypes.mts';
import { thisN8n } from '../support/differences.mts';
import { N8n, type Workflow } from '../support/n8n/n8n.mts';
import { Sandbox } from '../sandbox/server.mts';
import { until } from '../support/until.mts';
import { ACKNOWLEDGEMENT, send } from '../support/pushes.mts';
import { connect, underTest } from '../support/underTest.mts';

jest.setTimeout(120_000);

let n8n: N8n;
let sandbox: Sandbox;
const active: Workflow[] = [];

beforeAll(async () => {
	n8n = await connect();
	sandbox = await Sandbox.start({ timeScale: 0.001 });
});
afterEach(async () => {
	for (const workflow of active.splice(0)) await n8n.deactivate(workflow);
	sandbox.forget();
});
afterAll(async () => await sandbox.close());

const PROFILE: Profile = { id: 'c-1', pid: '456', nick: '王小明', email: 'a@b.c;d@e.f', is_vip: '1' };

/** A workflow behind the trigger, switched on until the test ends. */
async function start(parameters?: Record<string, unknown>, more?: Parameters<typeof listen>[2]) {
	const listening = await listen(n8n, parameters, more);
	active.push(listening.workflow);
	return listening;
}

test.each(['POST', 'PUT'] as const)(
	'%s: the exact acknowledgement as JSON, and one execution with the simplified profile',
	async (method) => {
		const { url, ended } = await start();
		const push = await sandbox.pusher.push({ url, method }, PROFILE);
		expect([push.status, push.contentType, push.body]).toEqual([
			200,
			expect.stringMatching(/^application\/json/),
			ACKNOWLEDGEMENT,
		]);
		expect(push.acknowledged).toBe(true);
		const executions = await ended();
		expect(executions.map(({ status }) => status)).toEqual(['success']);
		const execution = await n8n.execution(executions[0]?.id ?? '');
		expect(outputOf(execution, 'Next')).toEqual([
			{
				json: {
					customerId: 'c-1',
					companyId: '456',
					nickname: '王小明',
					emails: ['a@b.c', 'd@e.f'],
					phones: [],
					isVip: true,
					labelIds: [],
					deliveryKey: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
				},
				pairedItem: { item: 0 },
			},
		]);
	},
);

describe('who may push', () => {
	const protectedBy = async (data: Record<string, unknown>) => {
		return await start(
			{ authentication: 'sobotWebhookAppApi', options: { includeRequest: true } },
			{ credentials: await createPushCredential(n8n, data) },
		);
	};
	const BASIC = { authorization: `Basic ${Buffer.from('sobot:s3cret').toString('base64')}` };

	test.each<[string, Record<string, unknown>, string, Record<string, string>]>([
		['query', { method: 'query', parameterName: 'key', secret: 's3cret' }, '?key=s3cret', {}],
		[
			'header',
			{ method: 'header', headerName: 'x-sobot-key', secret: 's3cret' },
			'',
			{ 'x-sobot-key': 's3cret' },
		],
		['basic', { method: 'basic', user: 'sobot', secret: 's3cret' }, '', BASIC],
	])(
		'%s: the right secret is let in, none or a wrong one is told 401 and starts nothing, and it shows nowhere',
		async (method, data, query, headers) => {
			const { url, ended } = await protectedBy(data);
			const body = JSON.stringify(PROFILE);
			const refusals = [
				await send(url, body),
				await send(url + query.replace('s3cret', 'wrong'), body, {
					'x-sobot-key': 'wrong',
					authorization: 'Basic d3Jvbmc6eA==',
				}),
			];
			for (const refusal of refusals) {
				expect([refusal.status, refusal.body]).toEqual([401, '{"code":401,"status":1}']);
				expect(refusal.headers.has('www-authenticate')).toBe(method === 'basic');
			}
			expect((await send(url + query, body, headers)).body).toBe(ACKNOWLEDGEMENT);
			const executions = await ended();
			expect(executions.length).toBe(1);
			const shown = JSON.stringify(await n8n.execution(executions[0]?.id ?? ''));
			for (const secret of ['s3cret', BASIC.authorization]) expect(shown).not.toContain(secret);
		},
	);

	describe('the address list behind a proxy that n8n trusts', () => {
		let own: N8n;
		beforeAll(async () => {
			const { runtime, tarball } = underTest();
			// `::` makes callers by IPv4 show as addresses mapped into IPv6.
			own = await N8n.start({ runtime, tarball, env: { N8N_PROXY_HOPS: '1', N8N_LISTEN_ADDRESS: '::' } });
		});
		afterAll(async () => await own.stop());

		test.each<[string, string, string | undefined, number]>([
			['IPv4', '203.0.113.0/24', '203.0.113.7', 200],
			['IPv6', '2001:db8::/32', '2001:db8::7', 200],
			['another address', '203.0.113.0/24', '198.51.100.1', 403],
			['a caller who claims an address of the list', '203.0.113.0/24', '203.0.113.7, 198.51.100.1', 403],
			['not through the proxy, IPv4 mapped into IPv6', '127.0.0.0/8', undefined, 200],
		])('%s', async (_, ipAllowlist, forwardedFor, status) => {
			const { url, ended } = await listen(own, { options: { ipAllowlist } });
			const headers: Record<string, string> = forwardedFor ? { 'x-forwarded-for': forwardedFor } : {};
			expect((await send(url, JSON.stringify(PROFILE), headers)).status).toBe(status);
			expect((await ended()).length).toBe(status === 200 ? 1 : 0);
		});
	});

	test('the header of a proxy that n8n does not trust is ignored', async () => {
		const { url } = await start({ options: { ipAllowlist: '203.0.113.0/24' } });
		const answer = await send(url, JSON.stringify(PROFILE), { 'x-forwarded-for': '203.0.113.7' });
		expect(answer.status).toBe(403);
	});

	test('an address that is not on the list gets 403', async () => {
		const { workflow, url } = await start({ options: { ipAllowlist: '203.0.113.0/24' } });
		expect(await send(url, JSON.stringify(PROFILE))).toEqual(
			expect.objectContaining({ status: 403, body: '{"code":403,"status":1}' }),
		);
		expect(await n8n.executions(workflow)).toEqual([]);
	});
});

test('pushes of other companies are acknowledged and start nothing', async () => {
	const { url, ended } = await start({ options: { companyIds: '456' } });
	expect((await send(url, JSON.stringify({ ...PROFILE, pid: '999' }))).body).toBe(ACKNOWLEDGEMENT);
	expect((await send(url, JSON.stringify(PROFILE))).body).toBe(ACKNOWLEDGEMENT);
	expect((await ended()).length).toBe(1);
});

describe('redeliveries', () => {
	test('are acknowledged and dropped within the window, also after a restart; other pushes are not', async () => {
		const { runtime, tarball } = underTest();
		let own = await N8n.start({ runtime, tarball });
		const shared = n8n;
		try {
			n8n = own;
			const { workflow, url, ended } = await start();
			active.length = 0;
			const [a = '', b = '', c = ''] = ['a', 'b', 'c'].map((remark) =>
				JSON.stringify({ ...PROFILE, remark }),
			);
			for (const one of [a, a, b, a, b]) expect((await send(url, one)).body).toBe(ACKNOWLEDGEMENT);
			expect((await ended()).length).toBe(2);
			own = await own.restart();
			const path = productionPath(workflow);
			await own.untilListening(path);
			for (const one of [b, a, c, b, c]) {
				expect((await send(`${own.url}/webhook/${path}`, one)).body).toBe(ACKNOWLEDGEMENT);
			}
			expect((await executionsEnded(own, workflow)).length).toBe(3);
		} finally {
			n8n = shared;
			await own.stop();
		}
	}, 300_000);

	test('Remove Duplicates on deliveryKey, as in the example: each push gets through once, whatever came between', async () => {
		// Otherwise the trigger itself drops these repeats.
		const saved = fillIn(await readExample('repeats-removed'), 'Customer pushed', {
			options: { ignoreRepeatsMinutes: 0 },
		});
		const workflow = await importWorkflow(n8n, saved, await createPushCredential(n8n));
		active.push(workflow);
		await n8n.activate(workflow, productionPath(workflow));
		const greeted: unknown[] = [];
		for (const nick of ['Ann', 'Bob', 'Ann', 'Cid', 'Bob', 'Ann']) {
			const url = `${n8n.url}/webhook/${productionPath(workflow)}?key=${PUSH_SECRET}`;
			expect((await send(url, JSON.stringify({ ...PROFILE, nick }))).body).toBe(ACKNOWLEDGEMENT);
			const [latest] = await executionsEnded(n8n, workflow);
			const output = outputOf(await n8n.execution(latest?.id ?? ''), 'Greet');
			greeted.push(output.map(({ json }) => json.greeting));
		}
		expect(greeted).toEqual([['Hello Ann!'], ['Hello Bob!'], [], ['Hello Cid!'], [], []]);
	});

	test('start the workflow again with 0, and after the window', async () => {
		const body = JSON.stringify(PROFILE);
		const off = await start({ options: { ignoreRepeatsMinutes: 0 } });
		const short = await start({ options: { ignoreRepeatsMinutes: 0.01 } });
		for (const { url } of [off, short]) await send(url, body);
		const endMs = Date.now() + 600;
		await until('the window to pass', () => Date.now() > endMs);
		for (const { url } of [off, short]) await send(url, body);
		expect((await off.ended()).length).toBe(2);
		expect((await short.ended()).length).toBe(2);
	});
});

test('the sample that the panel offers is what the trigger makes of a push, and what the examples carry', async () => {
	const answer = await fetch(`${n8n.url}/types/nodes.json`, { headers: n8n.headers });
	const nodes = (await answer.json()) as Array<{
		name: string;
		hints: Array<{ message: string }>;
	}>;
	const trigger = nodes.find(({ name }) => name === TRIGGER.type);
	const samples = (trigger?.hints ?? []).filter(({ message }) => message.includes('{'));
	const [simplified, raw] = samples.map(
		({ message }) => JSON.parse(message.slice(message.indexOf('{'))) as Record<string, unknown>,
	);
	const { url, ended } = await start();
	await send(url, JSON.stringify(raw));
	const [latest] = await ended();
	const output = outputOf(await n8n.execution(latest?.id ?? ''), 'Push').map(({ json }) => json);
	expect([{ ...output[0], deliveryKey: 'sample' }]).toEqual([simplified]);
	for (const name of ['push-from-canvas', 'repeats-removed']) {
		expect((await readExample(name)).pinData).toEqual({ 'Customer pushed': [{ json: output[0] }] });
	}
});

describe('the workflow acknowledges', () => {
	const wait = (seconds: number) =>
		node('Wait', 'n8n-nodes-base.wait', 1.1, { amount: seconds, unit: 'seconds' });
	const fail = node('Fail', 'n8n-nodes-base.stopAndError', 1, { errorMessage: 'The CRM is down' });
	/** one branch of two */
	const onlyIf = (isVip: boolean) =>
		node('If', 'n8n-nodes-base.if', 2.2, {
			conditions: {
				options: { caseSensitive: true, typeValidation: 'loose', version: 2 },
				combinator: 'and',
				conditions: [
					{
						leftValue: '={{ $json.isVip }}',
						rightValue: '',
						operator: { type: 'boolean', operation: String(isVip), singleValue: true },
					},
				],
			},
		});

	const body = JSON.stringify(PROFILE);
	const ACKNOWLEDGED = [200, ACKNOWLEDGEMENT];
	const FAILED = [200, '{"code":1,"status":1}'];
	const CASES: Array<[string, SavedNode[], Array<number | string>, string]> = [
		['success', [acknowledge('success')], ACKNOWLEDGED, 'success'],
		['failure', [acknowledge('failure')], FAILED, 'success'],
		['from a branch', [onlyIf(true), acknowledge('success')], ACKNOWLEDGED, 'success'],
		[
			'twice: the first counts',
			[acknowledge('success'), acknowledge('failure', 'Again')],
			ACKNOWLEDGED,
			'error',
		],
		['an error after it', [acknowledge('success'), fail], ACKNOWLEDGED, 'error'],
		['after a pause', [wait(1), acknowledge('success')], ACKNOWLEDGED, 'success'],
		['an error before it', [fail, acknowledge('success')], thisN8n.answerToFailedWorkflow, 'error'],
		['never', [onlyIf(false), acknowledge('success')], [200, ''], 'success'],
	];

	test.each(CASES)('%s', async (_, after, expected, status) => {
		const { url, ended } = await start({ responseMode: 'responseNode' }, { after });
		const answer = await send(url, body);
		expect([answer.status, answer.body]).toEqual(expected);
		if (answer.body === ACKNOWLEDGEMENT) expect(answer.type).toMatch(/^application\/json/);
		expect((await ended()).map((execution) => execution.status)).toEqual([status]);
	});

	test.each(CASES.filter(([what]) => ['success', 'failure'].includes(what)))(
		"in the editor's test run: %s",
		async (_, after, expected, status) => {
			const { workflow, url, ended } = await start({ responseMode: 'responseNode' }, { after });
			await n8n.listenForTest(workflow, 'Push');
			const answer = await send(url.replace('/webhook/', '/webhook-test/'), body);
			expect([answer.status, answer.body]).toEqual(expected);
			expect((await ended()).map((execution) => execution.status)).toEqual([status]);
		},
	);

	test('what is not acknowledged, Sobot pushes three times in all', async () => {
		const { url, ended } = await start({ responseMode: 'responseNode' }, { after: [acknowledge('failure')] });
		await sandbox.pusher.push({ url, method: 'POST' }, PROFILE);
		await until('three pushes', () => sandbox.pushes.length === 3 && sandbox.pusher.pending === 0);
		expect(sandbox.pushes.map(({ body: answered }) => answered)).toEqual(
			Array(3).fill('{"code":1,"status":1}'),
		);
		expect((await ended()).length).toBe(3);
	});

	test('a trigger that does not wait: the node explains itself', async () => {
		const { url, ended } = await start({}, { after: [acknowledge('success')] });
		expect((await send(url, body)).body).toBe(ACKNOWLEDGEMENT);
		const [latest] = await ended();
		const { error } = (await n8n.execution(latest?.id ?? '')).data.resultData;
		expect(error?.message).toBe('"Push" does not wait for an acknowledgement.');
	});
});

describe('the URLs', () => {
	const paths = async (url: string) => {
		const answers = await Promise.all(
			['POST', 'PUT', 'GET'].map(
				async (method) => (await send(url, method === 'GET' ? undefined : '{}', {}, method)).status,
			),
		);
		return answers.join(' ');
	};

	test('answer while the workflow is on, and only then; the test URL only while the editor listens, once', async () => {
		const { workflow, url } = await start();
		const testUrl = url.replace('/webhook/', '/webhook-test/');
		expect(await paths(url)).toBe('200 200 404');
		expect(await paths(testUrl)).toBe('404 404 404');
		await n8n.listenForTest(workflow, 'Push');
		expect((await send(testUrl, '{"id":"1"}')).body).toBe(ACKNOWLEDGEMENT);
		await until('the test URL to be gone', async () => (await paths(testUrl)) === '404 404 404');
		await n8n.deactivate(workflow);
		await until('the URL to be gone', async () => (await paths(url)) === '404 404 404');
		await n8n.activate(workflow, productionPath(workflow));
		expect(await paths(url)).toBe('200 200 404');
	});

	test('changed options count once the workflow is switched on with them; the URL stays', async () => {
		const { workflow, url, ended } = await start();
		const [push, next] = workflow.nodes;
		if (!push || !next) throw new Error('The workflow has no nodes.');
		const nodes = [{ ...push, parameters: { options: { companyIds: '456' } } }, next];
		const changed = await n8n.updateWorkflow(workflow, { nodes });
		await send(url, '{"id":"1","pid":"999"}');
		const beforeSwitch = thisN8n.savedIsActive ? 0 : 1;
		expect((await ended()).length).toBe(beforeSwitch);
		await n8n.deactivate(workflow);
		await n8n.activate(changed, productionPath(changed));
		await send(url, '{"id":"1","pid":"999"}');
		await send(url, '{"id":"1","pid":"456"}');
		expect((await ended()).length).toBe(beforeSwitch + 1);
	});

	test('a copy that kept its URL cannot be switched on beside the original', async () => {
		const { workflow, url, ended } = await start();
		const copy = await n8n.createWorkflow({ name: 'Copy', nodes: workflow.nodes, connections: {} });
		await expect(n8n.activate(copy)).rejects.toThrow(thisN8n.urlIsTaken);
		expect((await send(url, '{"id":"1"}')).body).toBe(ACKNOWLEDGEMENT);
		expect((await ended()).length).toBe(1);
	});
});
