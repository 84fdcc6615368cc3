// The trigger in an n8n of its own, whose log the tests read: refusals, checks at activation, and several triggers in one
// workflow.
import { createPushCredential, PUSH_SECRET } from '../support/credentials.mts';
import { N8n } from '../support/n8n/n8n.mts';
import { TRIGGER } from '../support/nodeTypes.mts';
import { ACKNOWLEDGEMENT, send } from '../support/pushes.mts';
import { underTest } from '../support/underTest.mts';
import { until } from '../support/until.mts';
import {
	acknowledge,
	connectionTo,
	executionsEnded,
	listen,
	node,
	productionPath,
	pushWorkflow,
} from '../support/workflows.mts';

jest.setTimeout(120_000);

const BODY = JSON.stringify({ id: 'c-1', pid: '456' });
const SECRET = 'aSecretOfThisTest';

let n8n: N8n;
beforeAll(async () => {
	const { runtime, tarball } = underTest();
	n8n = await N8n.start({ runtime, tarball, env: { N8N_BLOCK_ENV_ACCESS_IN_NODE: 'true' } });
}, 300_000);
afterAll(async () => await n8n.stop());

const untilLogged = async (line: string) => await until(`the line "${line}"`, () => n8n.log.includes(line));

test('a refused push is in the log, without the secret, and starts nothing', async () => {
	const credentials = await createPushCredential(n8n, {
		method: 'query',
		parameterName: 'key',
		secret: SECRET,
	});
	const { workflow, url } = await listen(n8n, { authentication: 'sobotWebhookAppApi' }, { credentials });
	expect((await send(`${url}?key=wrong`, BODY)).status).toBe(401);
	expect((await send(url, BODY)).status).toBe(401);
	await untilLogged('"Push" refused a push with 401: the query parameter "key" does not match.');
	await untilLogged('"Push" refused a push with 401: the query parameter "key" is missing.');
	expect((await send(`${url}?key=${SECRET}`, BODY)).body).toBe(ACKNOWLEDGEMENT);
	expect(n8n.log).not.toContain(SECRET);
	expect((await executionsEnded(n8n, workflow)).length).toBe(1);
});

test('a trigger whose credential is gone answers 500 and starts nothing', async () => {
	const credentials = await createPushCredential(n8n);
	const { workflow, url } = await listen(n8n, { authentication: 'sobotWebhookAppApi' }, { credentials });
	await n8n.request('DELETE', `/rest/credentials/${credentials.sobotWebhookAppApi?.id}`);
	const answer = await send(`${url}?key=${PUSH_SECRET}`, BODY);
	expect([answer.status, answer.body]).toEqual([500, '{"code":500,"status":1}']);
	await untilLogged('"Push" refused a push with 500');
	expect(await n8n.executions(workflow)).toEqual([]);
});

test.each([
	['$env.PUSH_SECRET', 'N8N_BLOCK_ENV_ACCESS_IN_NODE is false.'],
	['$json.secret', 'Correct it there.'],
])('a secret that is the expression %s: 500, and the log says what to do', async (expression, advice) => {
	const secret = `={{ ${expression} }}`;
	const credentials = await createPushCredential(n8n, { method: 'query', parameterName: 'key', secret });
	const { workflow, url } = await listen(n8n, { authentication: 'sobotWebhookAppApi' }, { credentials });
	expect((await send(`${url}?key=${PUSH_SECRET}`, BODY)).status).toBe(500);
	const refusals = () =>
		n8n.log.split('\n').filter((line) => line.includes('"Push" refused a push with 500'));
	await until('the refusal in the log', () => refusals().some((line) => line.includes(advice)));
	expect(refusals().find((line) => line.includes(advice))).toContain(
		'expression in the Sobot Webhook App API credential',
	);
	expect(await n8n.executions(workflow)).toEqual([]);
});

describe('two triggers before one Acknowledge', () => {
	test.each([
		['connected first', 'Push', 'Other'],
		['connected last', 'Other', 'Push'],
	])('the one that the push came to answers: %s', async (_, waiting, immediate) => {
		const mode = (name: string) => (name === waiting ? 'responseNode' : 'onReceived');
		const other = {
			...node('Other', TRIGGER.type, TRIGGER.typeVersion, { responseMode: mode('Other') }),
			webhookId: `other-${waiting}`,
		};
		const connections = { Other: connectionTo('Answer') };
		const { workflow, url } = await listen(
			n8n,
			{ responseMode: mode('Push') },
			{ after: [acknowledge('failure')], more: { nodes: [other], connections } },
		);
		await n8n.untilListening(`other-${waiting}/webhook`);
		const urls: Record<string, string> = { Push: url, Other: `${n8n.url}/webhook/other-${waiting}/webhook` };
		expect((await send(urls[waiting] ?? '', BODY)).body).toBe('{"code":1,"status":1}');
		expect((await executionsEnded(n8n, workflow)).map(({ status }) => status)).toEqual(['success']);
		expect((await send(urls[immediate] ?? '', BODY)).body).toBe(ACKNOWLEDGEMENT);
		const [latest] = await executionsEnded(n8n, workflow);
		const { error } = (await n8n.execution(latest?.id ?? '')).data.resultData;
		expect(error?.message).toBe(`"${immediate}" does not wait for an acknowledgement.`);
		await n8n.deactivate(workflow);
	});
});

test.each<[string, Record<string, unknown>, string]>([
	[
		'no Acknowledge node',
		{ responseMode: 'responseNode' },
		'No node after this trigger acknowledges the push.',
	],
	[
		'an invalid company ID',
		{ options: { companyIds: '456, #789' } },
		"'Company IDs' contains invalid entries: #789",
	],
])('a workflow with %s cannot be switched on', async (_, parameters, message) => {
	const workflow = await pushWorkflow(n8n, parameters);
	const started = await n8n.activate(workflow).then(
		() => '',
		(error: unknown) => String(error),
	);
	// n8n 2 switches it on in the background.
	await until('the refusal', () => started.includes(message.slice(-20)) || n8n.log.includes(message), 60_000);
	expect((await send(`${n8n.url}/webhook/${productionPath(workflow)}`, BODY)).status).toBe(404);
});
