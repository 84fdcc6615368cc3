// n8n's own HTTP Request node with the Sobot API credential, and the test of a credential that is in use.
import type { Execution } from '../support/n8n/n8n.mts';
import type { Misbehaviour } from '../sandbox/misbehaviour.mts';
import { thisN8n } from '../support/differences.mts';
import { sobotApiFields } from '../support/credentials.mts';
import { shareSetting } from '../support/underTest.mts';
import { chain, httpRequestNode, node, outputOf } from '../support/workflows.mts';

jest.setTimeout(60_000);

const setting = shareSetting();

async function callOnce(contactId: string): Promise<Execution> {
	const body = JSON.stringify({ Contact_id: contactId, nick: 'x' });
	const workflow = await setting.n8n.createWorkflow({
		name: 'HTTP Request under test',
		nodes: [
			node('By hand', 'n8n-nodes-base.manualTrigger', 1, {}),
			httpRequestNode(setting.sandbox, setting.credentials, body, { timeout: 1000 }),
		],
		connections: chain('By hand', 'HTTP'),
	});
	return await setting.n8n.execute(workflow);
}

const CASES: Array<[string, Omit<Misbehaviour, 'on'>, number]> = [
	['an answer that is late', { atWork: { minMs: 1500, maxMs: 1500 } }, 1],
	['a connection that breaks after Sobot acted', { drop: 'after' }, 1],
	['a connection that breaks before', { drop: 'before' }, 0],
	['a gateway that answers 502 after Sobot acted', { answerWith: { status: 502, body: '<html>' } }, 1],
	['910026', { code: '910026' }, 0],
];

test.each(CASES)('sends once, and fetches no token, at %s', async (_, wrong, accepted) => {
	await callOnce('to have a token');
	setting.sandbox.forget();
	setting.sandbox.misbehave({ on: 'trigger', ...wrong });
	const execution = await callOnce('7');
	expect(execution.status).toBe('error');
	expect(setting.sandbox.accepted.length).toBe(accepted);
	expect(setting.sandbox.triggerCalls.length).toBeLessThanOrEqual(1);
	expect(setting.sandbox.tokenCalls).toEqual([]);
});

describe('once a credential is in use', () => {
	const open = async () => {
		const { id } = setting.credentials.sobotApi ?? { id: '' };
		const { data } = await setting.n8n.get<{ data: Record<string, unknown> }>(
			`/rest/credentials/${id}?includeData=true`,
		);
		return data;
	};
	const testCredential = async (data: Record<string, unknown>) => {
		const { id, name } = setting.credentials.sobotApi ?? { id: '', name: '' };
		return await setting.n8n.post<{ status: string; message: string }>('/rest/credentials/test', {
			credentials: { id, name, type: 'sobotApi', data },
		});
	};
	const rows = (triggerId: string) => ({
		canvases: { canvas: [{ name: 'Welcome', triggerId, secret: 'a-secret' }] },
	});

	beforeEach(async () => {
		await callOnce('to have a token');
		setting.sandbox.forget();
	});

	test('it opens, with every secret blanked', async () => {
		const data = await open();
		const { canvas } = data.canvases as { canvas: Array<{ secret: string }> };
		const hidden = ['token', 'tokenFetchedAt', 'tokenExpiresAt', 'tokenAccount', 'canvasFingerprints'];
		const secrets = [
			...['appKey', ...hidden].map((name) => data[name]),
			...canvas.map(({ secret }) => secret),
		];
		for (const secret of secrets) expect(secret).toMatch(/^__n8n_BLANK_VALUE/);
	});

	test('and a row is deleted, its test names the rows whose secrets have moved', async () => {
		const { n8n, sandbox } = setting;
		const canvases = ['Welcome', 'Asleep', 'Members', 'Quiet'].map((name, index) => ({
			name,
			triggerId: `123456789012345678${index}`,
			secret: `secret-of-${name}`,
		}));
		const fields = sobotApiFields(sandbox, { canvases: { canvas: canvases } });
		const { id, name } = await n8n.createCredential('sobotApi', 'A row less', fields);
		const test = async (data: Record<string, unknown>) =>
			await n8n.post<{ status: string; message: string }>('/rest/credentials/test', {
				credentials: { id, name, type: 'sobotApi', data },
			});
		expect(await test(fields)).toEqual({ status: 'OK', message: 'Connection successful!' });
		const { data } = await n8n.get<{ data: Record<string, unknown> }>(
			`/rest/credentials/${id}?includeData=true`,
		);
		const { canvas } = data.canvases as { canvas: object[] };
		const saved = { ...data, canvases: { canvas: canvas.toSpliced(1, 1) } };
		await n8n.request('PATCH', `/rest/credentials/${id}`, { name, type: 'sobotApi', data: saved });
		expect(await test(saved)).toEqual({
			status: 'Error',
			message: expect.stringMatching(
				/^Row 2 \('Members'\) holds the secret of 'Asleep'\. Row 3 \('Quiet'\) holds the secret of 'Members'\./,
			) as string,
		});
	});

	test.each([
		['a wrong App Key', { appKey: 'wrong' }, /\(900003\)/],
		['an unknown App ID', { appId: 'nobody' }, /\(900004\)/],
		['a page of the console', { baseUrl: 'http://127.0.0.1:1/console/#/login' }, /Enter only the first part/],
		['a port that is closed', { baseUrl: 'http://127.0.0.1:9' }, /connection to Sobot was refused/],
		['a bad row', rows('123'), /^Row 1 \('Welcome'\): 'Trigger ID' must have 19 digits; it has 3\.$/],
		['canvases of another form', { canvases: [{ name: 'Welcome' }] }, /^'Canvases' is not a list of rows/],
	])('its test says so: %s', async (_, more, message) => {
		const said = await testCredential({ ...(await open()), ...more });
		expect([said.status, said.message]).toEqual(['Error', expect.stringMatching(message)]);
	});

	test('its test replaces a token that another program has ended, by one request', async () => {
		setting.sandbox.account.renewToken(Date.now());
		// n8n 1 stores what it tests, also the bad row of another test.
		expect((await testCredential({ ...(await open()), canvases: {} })).status).toBe('OK');
		expect(setting.sandbox.tokenCalls.map(({ code }) => code)).toEqual(['000000']);
		expect(outputOf(await callOnce('8'), 'HTTP')[0]?.json).toEqual({ ret_code: '000000' });
		expect(setting.sandbox.tokenCalls.length).toBe(1);
	});
});

test('the secret of pushes is not for this node, where n8n can see to that', async () => {
	const { n8n, sandbox, credentials } = setting;
	const { sobotWebhookAppApi } = credentials;
	const http = httpRequestNode(sandbox, credentials, '{}');
	const saving = n8n.createWorkflow({
		name: 'HTTP Request with the secret of pushes',
		nodes: [
			{
				...http,
				parameters: { ...http.parameters, nodeCredentialType: 'sobotWebhookAppApi' },
				credentials: { sobotWebhookAppApi },
			},
		],
		connections: {},
	});
	if (thisN8n.restrictsCredentials) await expect(saving).rejects.toThrow('cannot use credential type');
	else await expect(saving).resolves.toEqual(expect.objectContaining({ active: false }));
});
