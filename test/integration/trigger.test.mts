import { push, StoredCredentials } from './core.mts';

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

test('acknowledges and drops pushes of other companies', async () => {
	const options = { companyIds: '999, 456' };
	expect((await push({ body: BODY }, { options })).data.workflowData).toHaveLength(1);
	expect((await push({ body: { ...BODY, pid: '1' } }, { options })).data).toEqual({
		webhookResponse: ACKNOWLEDGED,
	});
	expect((await push({ body: {} }, { options })).data).toEqual({ webhookResponse: ACKNOWLEDGED });
});

test('refuses addresses that are not on the list with 403', async () => {
	const options = { ipAllowlist: '198.51.100.0/24' };
	expect((await push({ body: BODY }, { options })).answer.body).toEqual({ code: 403, status: 1 });
	expect((await push({ body: BODY, ip: '198.51.100.9' }, { options })).data.webhookResponse).toEqual(
		ACKNOWLEDGED,
	);
});
