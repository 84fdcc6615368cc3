// The Sobot API credential in n8n-core's own requests: what n8n stores, sends and sends again because of it.
import { createServer } from 'node:http';
import {
	NodeHelpers,
	type ICredentialDataDecryptedObject,
	type IHttpRequestOptions,
	type INodeParameters,
} from 'n8n-workflow';
import { SobotApi } from '../../credentials/SobotApi.credentials';
import { credentialTokenStore } from '../../nodes/SobotRuleEngine/n8n/credentialTokenStore';
import { dependsOnItem } from '../../nodes/SobotRuleEngine/n8n/itemCredentials';
import { readAccount, tokenFromFields } from '../../nodes/sobot/account/credential';
import type { Token } from '../../nodes/sobot/account/account';
import { DEMO_CANVAS, Sandbox } from '../sandbox/server.mts';
import { listenOnFreePort } from '../support/freePort.mts';
import { outcomeOf, runWithCredential } from './runAction.mts';
import { BEHAVIOURS, StoredCredentials } from './storedCredentials.mts';

let sandbox: Sandbox;
let other: Sandbox;

beforeEach(async () => {
	[sandbox, other] = await Promise.all([
		Sandbox.start(),
		Sandbox.start({ appId: 'other-app', appKey: 'other-key' }),
	]);
});
afterEach(async () => await Promise.all([sandbox.close(), other.close()]));

const typed = (more: ICredentialDataDecryptedObject = {}) => ({
	region: 'custom',
	baseUrl: sandbox.url,
	appId: 'demo-app',
	appKey: 'demo-key',
	...more,
});
const otherAccount = () => ({ baseUrl: other.url, appId: 'other-app', appKey: 'other-key' });
const tokensOf = (one: Sandbox) => one.tokenCalls.map(({ code }) => code);
const DECLARED = new SobotApi().properties.map(({ name }) => name);
const anItem = [{ json: { id: '7' } }];

/** n8n's HTTP Request node as it puts a customer on a canvas. */
async function httpRequest(credentials: StoredCredentials, url = sandbox.url, items = anItem) {
	const run = await runWithCredential(credentials, items, async (node, index) => {
		const answer = (await node.helpers.requestWithAuthentication.call(
			node,
			'sobotApi',
			{
				method: 'POST',
				uri: `${url}/logi-flow/webhook/trigger`,
				headers: { 'trigger-id': DEMO_CANVAS.triggerId, secret: DEMO_CANVAS.secret },
				body: { Contact_id: node.getInputData()[index]?.json.id, nick: 'x' },
				json: true,
				timeout: 500,
			},
			undefined,
			index,
		)) as { ret_code: string };
		return answer.ret_code;
	});
	const { output, error } = outcomeOf(run);
	return { codes: output.map(({ json }) => json.result), error };
}

/** As n8n 2.41 tests: with what was typed, and `preAuthentication` only if there is no token. */
async function testCredential(credentials: StoredCredentials, entered: ICredentialDataDecryptedObject) {
	const { test, properties } = new SobotApi();
	const { request } = test;
	const data = NodeHelpers.getNodeParameters(
		properties,
		entered as INodeParameters,
		true,
		false,
		null,
		null,
	) as ICredentialDataDecryptedObject;
	const run = await runWithCredential(credentials, anItem, async (node) => {
		const answer = (await node.helpers.httpRequestWithAuthentication.call(
			node,
			'sobotApi',
			{ ...request, baseURL: String(data.baseUrl) } as IHttpRequestOptions,
			{ credentialsDecrypted: { id: 'sobotApi', name: 'x', type: 'sobotApi', data } },
		)) as { ret_code: string };
		return answer.ret_code;
	});
	const { output, error } = outcomeOf(run);
	return error?.message ?? output[0]?.json.result;
}

/** The store behind the action node, used in a node. */
async function store<Result>(
	credentials: StoredCredentials,
	use: (store: ReturnType<typeof credentialTokenStore>) => Promise<Result>,
): Promise<{ result?: Result; error?: unknown }> {
	let outcome: { result?: Result; error?: unknown } = {};
	await runWithCredential(credentials, anItem, async (node) => {
		const reading = readAccount(typed());
		if ('reason' in reading) throw new Error(reading.reason);
		try {
			outcome = { result: await use(credentialTokenStore(node, reading.account)) };
		} catch (error) {
			outcome = { error };
		}
	});
	return outcome;
}

describe.each(Object.entries(BEHAVIOURS))('as %s stores it', (_, behaviour) => {
	let credentials: StoredCredentials;

	beforeEach(() => {
		credentials = new StoredCredentials(behaviour);
		credentials.add('sobotApi', typed());
	});

	test('a token is stored as text, in declared fields alone', async () => {
		expect(await httpRequest(credentials)).toEqual({ codes: ['000000'], error: undefined });
		const stored = credentials.data('sobotApi');
		expect(stored.token).toMatch(/^[0-9a-f]{32}$/);
		expect(Object.keys(stored).filter((name) => !DECLARED.includes(name))).toEqual([]);
		const { canvases: __, ...texts } = stored;
		expect(Object.entries(texts).filter(([, value]) => typeof value !== 'string')).toEqual([]);
	});

	test('a renewal of the action leaves nothing else behind, and sends nothing', async () => {
		const { result } = await store(credentials, async (one) => await one.renew(undefined));
		expect(tokenFromFields(credentials.data('sobotApi'))).toEqual(result);
		const stored = credentials.data('sobotApi');
		expect(Object.keys(stored).filter((name) => !DECLARED.includes(name))).toEqual([]);
		expect([tokensOf(sandbox), sandbox.triggerCalls]).toEqual([['000000'], []]);
	});

	test('expressions stay expressions, and each item has the token of its own account', async () => {
		const canvas = [{ name: 'A', triggerId: DEMO_CANVAS.triggerId, secret: '={{ $json.secret }}' }];
		const expressions = {
			baseUrl: '={{ $json.baseUrl }}',
			appId: '={{ $json.appId }}',
			appKey: '={{ $json.appKey }}',
			canvases: { canvas },
		};
		credentials.add('sobotApi', typed(expressions));
		const items = [typed(), otherAccount()].map((account, index) => ({
			json: { id: `${index}`, ...account },
		}));
		await runWithCredential(credentials, items, async (node, index) => {
			const uri = `${String(node.getInputData()[index]?.json.baseUrl)}/api/any`;
			await node.helpers.requestWithAuthentication.call(
				node,
				'sobotApi',
				{ method: 'GET', uri, json: true },
				undefined,
				index,
			);
		});
		expect([tokensOf(sandbox), tokensOf(other)]).toEqual([['000000'], ['000000']]);
		expect(credentials.data('sobotApi')).toMatchObject(expressions);
	});
});

describe('a stored token belongs to its account', () => {
	let credentials: StoredCredentials;

	beforeEach(async () => {
		credentials = new StoredCredentials();
		credentials.add('sobotApi', typed());
		await httpRequest(credentials);
	});

	test("n8n's HTTP Request node acts as the new account at once", async () => {
		credentials.add('sobotApi', { ...credentials.data('sobotApi'), ...otherAccount() });
		expect((await httpRequest(credentials, other.url)).codes).toEqual(['000000']);
		expect(tokensOf(other)).toEqual(['000000']);
	});

	test.each([
		['App ID', { appId: 'app2' }],
		['App Key', { appKey: 'key2' }],
	])('with another %s nothing is sent with the old token', async (_, more) => {
		credentials.add('sobotApi', { ...credentials.data('sobotApi'), ...more });
		sandbox.forget();
		expect((await httpRequest(credentials)).error?.message).toMatch(/90000[34]/);
		expect(sandbox.triggerCalls).toEqual([]);
	});

	test('the action does not find it, and does not renew for another account', async () => {
		credentials.add('sobotApi', { ...credentials.data('sobotApi'), ...otherAccount() });
		expect(await store(credentials, async (one) => await one.read())).toEqual({ result: undefined });
		const { error } = await store(credentials, async (one) => await one.renew(undefined));
		expect(String(error)).toContain('was changed while the workflow was running');
		expect(tokensOf(other)).toEqual([]);
	});
});

describe("n8n's HTTP Request node sends once", () => {
	let credentials: StoredCredentials;

	beforeEach(async () => {
		credentials = new StoredCredentials();
		credentials.add('sobotApi', typed());
		await httpRequest(credentials);
		sandbox.forget();
	});

	test.each([
		['an answer that is late', { atWork: { minMs: 800, maxMs: 800 } }],
		['a connection that breaks after Sobot acted', { drop: 'after' as const }],
		['a gateway that answers 502', { answerWith: { status: 502, body: '<html>' } }],
		['a refusal', { code: '910026' }],
		['an HTTP 401 that is not about the token', { answerWith: { status: 401, body: '' } }],
	])('at %s', async (_, wrong) => {
		sandbox.misbehave({ on: 'trigger', ...wrong });
		expect((await httpRequest(credentials)).error).toBeDefined();
		expect(sandbox.triggerCalls.length).toBe(1);
		expect(tokensOf(sandbox)).toEqual([]);
	});

	test('also if n8n had to ask for a token before this very call', async () => {
		credentials.add('sobotApi', typed());
		sandbox.misbehave({ on: 'trigger', drop: 'after' });
		expect((await httpRequest(credentials)).error).toBeDefined();
		expect([sandbox.accepted.length, sandbox.triggerCalls.length]).toEqual([1, 1]);
	});

	test('and still renews a token whose end has come', async () => {
		credentials.add('sobotApi', { ...credentials.data('sobotApi'), tokenExpiresAt: '1' });
		expect((await httpRequest(credentials)).codes).toEqual(['000000']);
		expect(tokensOf(sandbox)).toEqual(['000000']);
	});
});

describe('a renewal by the action', () => {
	let credentials: StoredCredentials;

	beforeEach(() => {
		credentials = new StoredCredentials();
		credentials.add('sobotApi', typed());
	});

	test('that Sobot refuses says why', async () => {
		sandbox.account.settings.appKey = 'rotated';
		const { error } = await store(credentials, async (one) => await one.renew(undefined));
		expect(error).toMatchObject({ name: 'TokenError', retCode: '900003' });
	});

	test('gives the token although n8n could not store it', async () => {
		credentials.isReadOnly = true;
		const { result } = await store(credentials, async (one) => await one.renew(undefined));
		expect(result?.value).toMatch(/^[0-9a-f]{32}$/);
		expect(tokensOf(sandbox)).toEqual(['000000']);
	});

	test('replaces the token that it is given, not the one that is stored', async () => {
		const { result } = await store(credentials, async (one) => {
			const first = await one.renew(undefined);
			const older: Token = { ...first, value: 'an older one', fetchedAtMs: first.fetchedAtMs - 1 };
			return [first, await one.renew(older)];
		});
		expect(result?.[1]).toEqual(result?.[0]);
		expect(tokensOf(sandbox)).toEqual(['000000']);
	});
});

describe('a credential with expressions', () => {
	const items = [{}, { app: 'a1' }, {}].map((json) => ({ json: { id: '7', ...json } }));
	const varies = async (more: ICredentialDataDecryptedObject, count = 3) => {
		const credentials = new StoredCredentials();
		credentials.add('sobotApi', typed(more));
		const run = await runWithCredential(credentials, items.slice(0, count), async (node, index) =>
			index === 0 ? await dependsOnItem(node, await node.getCredentials('sobotApi', 0)) : undefined,
		);
		return [outcomeOf(run).output[0]?.json.result, credentials.reads];
	};
	const row = (secret: string) => ({ canvases: { canvas: [{ name: 'a', triggerId: '1', secret }] } });

	test.each([
		['the App ID of the item', { appId: '={{ $json.app }}' }],
		['a default for items without one', { appId: "={{ $json?.app ?? 'demo-app' }}" }],
		['the number of the item', { appKey: '={{ $itemIndex }}' }],
		['the secret of a canvas', row('={{ $json.id }}')],
		['an item of another node', { appId: "={{ $('Items').item.json.app ?? 'demo-app' }}" }],
	])('depends on the item: %s', async (_, more) => {
		expect((await varies(more))[0]).toBe(true);
	});

	test.each([
		['none', {}],
		['a constant', { appId: "={{ 'demo-' + 'app' }}" }],
		['the first item', { appId: '={{ $input.first().json.id }}' }],
	])('does not depend on it, and is read three times: %s', async (_, more) => {
		expect(await varies(more)).toEqual([false, 3]);
	});

	test('is read once for a single item', async () => {
		expect(await varies({ appId: '={{ $json.id }}' }, 1)).toEqual([false, 1]);
	});
});

describe("n8n's test of the credential", () => {
	const rows = (triggerId: string) => ({
		canvases: { canvas: [{ name: 'Welcome', triggerId, secret: 'x' }] },
	});

	const canvasRows = (...names: string[]) => ({
		canvases: {
			canvas: names.map((name) => ({
				name,
				triggerId: `123456789012345678${name.charCodeAt(0) % 10}`,
				secret: `secret-${name}`,
			})),
		},
	});

	let credentials: StoredCredentials;
	let used: ICredentialDataDecryptedObject;

	beforeEach(async () => {
		credentials = new StoredCredentials();
		credentials.add('sobotApi', typed());
		await httpRequest(credentials);
		used = credentials.data('sobotApi');
		sandbox.forget();
	});

	test('fetches one token, though one is stored, and tries it', async () => {
		sandbox.account.renewToken(Date.now());
		expect(await testCredential(credentials, { ...used })).toBe('910021');
		expect(tokensOf(sandbox)).toEqual(['000000']);
		expect((await httpRequest(credentials)).codes).toEqual(['000000']);
	});

	test.each([
		['a wrong App Key', { appKey: 'wrong' }, /900003/],
		['an unknown App ID', { appId: 'nobody' }, /900004/],
		['a page of the console as Base URL', { baseUrl: 'http://127.0.0.1/console/#/login' }, /'Base URL'/],
		['a bad row', rows('1'), /Row 1 \('Welcome'\): 'Trigger ID' must have 19 digits; it has 1\./],
		['canvases as a list', { canvases: [{ name: 'Welcome' }] as never }, /this form.*\{"canvas":\[/],
		['canvases as JSON', { canvases: '{"canvas":[]}' }, /this form.*\{"canvas":\[/],
	])('with %s says so', async (_, more, message) => {
		expect(await testCredential(credentials, { ...used, ...more })).toMatch(message);
		expect(sandbox.triggerCalls).toEqual([]);
	});

	test.each(Object.keys(BEHAVIOURS))(
		'names the rows whose secrets moved as one was deleted, in %s',
		async (n8n) => {
			const stored = new StoredCredentials(BEHAVIOURS[n8n]);
			stored.add('sobotApi', { ...typed(), ...canvasRows('A', 'B', 'C') });
			await httpRequest(stored);
			const before = stored.data('sobotApi');
			expect(before.canvasFingerprints).toMatch(/^\[/);
			// n8n restores the secrets by the number of their row.
			const { canvas } = canvasRows('B', 'C').canvases;
			const [first, second] = canvasRows('A', 'B', 'C').canvases.canvas;
			const moved = canvas.map((row, index) => ({ ...row, secret: [first, second][index]?.secret }));
			stored.add('sobotApi', { ...before, canvases: { canvas: moved } as never });
			const message =
				/^Row 1 \('B'\) holds the secret of 'A'\. Row 2 \('C'\) holds the secret of 'B'\. Enter/;
			for (const _try of [1, 2])
				expect(await testCredential(stored, stored.data('sobotApi'))).toMatch(message);
			// A run is not kept from anything, and its renewal does not hide it.
			expect((await httpRequest(stored)).codes).toEqual(['000000']);
			expect(await testCredential(stored, stored.data('sobotApi'))).toMatch(message);
			stored.add('sobotApi', { ...stored.data('sobotApi'), ...canvasRows('B', 'C') });
			expect(await testCredential(stored, stored.data('sobotApi'))).toBe('910021');
		},
	);

	test('is the only request that checks the rows: other calls do not depend on them', async () => {
		credentials.add('sobotApi', { ...used, ...rows('1') });
		expect((await httpRequest(credentials)).codes).toEqual(['000000']);
		expect((await store(credentials, async (one) => await one.renew(undefined))).error).toBeUndefined();
	});
});

test.each(['GET', 'POST'] as const)(
	'a redirect of a %s carries the token to no other address',
	async (method) => {
		const seen: unknown[] = [];
		const thief = createServer((request, response) => {
			seen.push(request.headers.token);
			response.end('{"ret_code":"910021"}');
		});
		const thiefUrl = await listenOnFreePort(thief);
		const redirecting = createServer((request, response) => {
			if (request.url?.startsWith('/api/get_token')) {
				response.end('{"ret_code":"000000","item":{"token":"a-token","expires_in":"100"}}');
			} else response.writeHead(307, { location: `${thiefUrl}${request.url}` }).end();
		});
		const redirectingUrl = await listenOnFreePort(redirecting);
		const data = typed({ baseUrl: redirectingUrl });
		const credentials = new StoredCredentials();
		credentials.add('sobotApi', data);
		const uri = `${redirectingUrl}/api/any`;
		// As n8n's HTTP Request node asks unless its user says otherwise.
		const options = { method, uri, json: true, followRedirect: true, followAllRedirects: true };
		const { error } = outcomeOf(
			await runWithCredential(
				credentials,
				anItem,
				async (node) =>
					(await node.helpers.requestWithAuthentication.call(node, 'sobotApi', options)) as unknown,
			),
		);
		await testCredential(credentials, { ...credentials.data('sobotApi') });
		thief.close();
		redirecting.close();
		expect([error?.message, seen]).toEqual([expect.stringContaining('307'), []]);
	},
);
