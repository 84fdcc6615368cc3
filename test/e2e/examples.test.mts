// The example workflows as a user gets them: imported, filled in, run. Others are run by the demo's check
// (customers-to-canvas, push-from-canvas), trigger.test (repeats-removed) and tool.test (agent-tool).
import { Crm } from '../support/crm.mts';
import { createCredentials, PUSH_SECRET } from '../support/credentials.mts';
import { fillIn, importWorkflow, readExample } from '../support/examples.mts';
import { outputOf, executionsEnded, productionPath } from '../support/workflows.mts';
import type { N8n, Workflow } from '../support/n8n/n8n.mts';
import { DEMO_CANVAS, QUIET_CANVAS, Sandbox } from '../sandbox/server.mts';
import { ACKNOWLEDGEMENT } from '../support/pushes.mts';
import { until } from '../support/until.mts';
import { connect } from '../support/underTest.mts';

jest.setTimeout(60_000);

let n8n: N8n;
let sandbox: Sandbox;

beforeAll(async () => {
	n8n = await connect();
});
beforeEach(async () => {
	// Sobot then pushes again after 60 ms instead of a minute.
	sandbox = await Sandbox.start({ timeScale: 0.001 });
});
afterEach(async () => await sandbox.close());

async function switchOn(workflow: Workflow): Promise<string> {
	await n8n.activate(workflow, productionPath(workflow));
	return `${n8n.url}/webhook/${productionPath(workflow)}?key=${PUSH_SECRET}`;
}

test('customers from a sheet onto a canvas: the failures end in a file, with their codes', async () => {
	const example = fillIn(await readExample('sheet-to-canvas'), 'Fetch the sheet', {
		url: `${sandbox.url}/sandbox/customers.csv?count=50`,
	});
	const workflow = await importWorkflow(n8n, example, await createCredentials(n8n, sandbox));
	const execution = await n8n.execute(workflow);
	expect(execution.data.resultData.error?.message).toBeUndefined();
	expect(sandbox.accepted.map(({ contactId }) => contactId)).toEqual(
		Array.from({ length: 50 }, (_, i) => i + 1)
			.filter((number) => number % 25 !== 0)
			.map((number) => `sheet-${number}`),
	);
	const [file] = outputOf(execution, 'Failures as a file');
	const [head = '', ...lines] = (await n8n.fileText(file?.binary?.data ?? { data: '' })).trim().split('\n');
	for (const column of ['id', 'name', 'order', 'outcome', 'ret_code', 'reason'])
		expect(head).toContain(column);
	expect(lines.map((line) => [line.includes('nobody'), line.includes('910026')])).toEqual([
		[true, true],
		[true, true],
	]);
});

test('customers from a canvas into a CRM: acknowledged once the CRM has them, pushed again until then', async () => {
	const crm = await Crm.start();
	try {
		const example = fillIn(await readExample('push-to-crm'), 'Save in the CRM', { url: crm.url });
		const workflow = await importWorkflow(n8n, example, await createCredentials(n8n, sandbox));
		const url = await switchOn(workflow);
		crm.failures = 1;
		const customer = { id: 'crm-1', pid: '456', nick: 'Ana', email: 'a@example.com;b@example.com', tel: '1' };
		await sandbox.pusher.push({ url, method: 'POST' }, customer);
		await until('the second push', () => sandbox.pushes.length === 2);
		expect(sandbox.pushes.map(({ status, body, acknowledged }) => [status, body, acknowledged])).toEqual([
			[200, '{"code":1,"status":1}', false],
			[200, ACKNOWLEDGEMENT, true],
		]);
		expect(crm.saved).toEqual([
			{ id: 'crm-1', name: 'Ana', emails: ['a@example.com', 'b@example.com'], phones: ['1'] },
		]);
	} finally {
		await crm.close();
	}
});

test('round trip: from one canvas through n8n onto another', async () => {
	// The example sends nothing before its user has removed 'Dry Run'.
	const onto = ['Onto the first canvas', 'Onto the second canvas'];
	const real = onto.reduce(
		(saved, name) => fillIn(saved, name, { options: {} }),
		await readExample('round-trip'),
	);
	const workflow = await importWorkflow(n8n, real, await createCredentials(n8n, sandbox), {
		'Onto the second canvas': QUIET_CANVAS,
	});
	sandbox.canvas().webhookApp = { url: await switchOn(workflow), method: 'PUT' };
	await n8n.execute(workflow);
	await until('the second canvas', () => sandbox.accepted.length === 2);
	expect(sandbox.accepted.map(({ triggerId, raw }) => [triggerId, JSON.parse(raw) as unknown])).toEqual([
		[DEMO_CANVAS.triggerId, { Contact_id: 'trip-1', nick: 'Ana' }],
		[QUIET_CANVAS.triggerId, { Contact_id: 'trip-1', nick: 'Ana' }],
	]);
	expect((await executionsEnded(n8n, workflow)).map(({ status }) => status)).toEqual(['success', 'success']);
	await n8n.deactivate(workflow);
});

test('any other Sobot API, through the HTTP Request node', async () => {
	const example = fillIn(await readExample('any-sobot-api'), 'Ask Sobot', { url: `${sandbox.url}/api/any` });
	const workflow = await importWorkflow(n8n, example, await createCredentials(n8n, sandbox));
	const execution = await n8n.execute(workflow);
	expect(outputOf(execution, 'Use the answer').map(({ json }) => json)).toEqual([{ ret_code: '000000' }]);
	expect(sandbox.tokenCalls).toHaveLength(1);

	// Sobot refuses with HTTP 200, which the HTTP Request node takes for success.
	sandbox.account.renewToken(Date.now());
	const refused = await n8n.execute(workflow);
	expect(refused.data.resultData.error?.message).toBe(
		'Sobot refused the call (900002): Token expired. Get a new one',
	);
});
