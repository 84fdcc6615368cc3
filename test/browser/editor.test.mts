// What a builder sees and does in the editor, from the search for the nodes to a push in production.
import { createCredentials, PUSH_SECRET } from '../support/credentials.mts';
import { changeNode, fillIn, importWorkflow, readExample } from '../support/examples.mts';
import { executionsEnded, node, productionPath } from '../support/workflows.mts';
import type { N8n, Workflow } from '../support/n8n/n8n.mts';
import { DEMO_CANVAS, QUIET_CANVAS, Sandbox } from '../sandbox/server.mts';
import { MODEL_SAYS, ScriptedModel } from '../support/scriptedModel.mts';
import { ACKNOWLEDGEMENT } from '../support/pushes.mts';
import { connect } from '../support/underTest.mts';
import { isFulfilled, until } from '../support/until.mts';
import { Editor } from './editor.mts';
import { seeing } from './pictures.mts';

jest.setTimeout(180_000);
// n8n's editor has races of its own, such as a step that cannot be executed in the first moment.
jest.retryTimes(2, { logErrorsBeforeRetry: true });

let n8n: N8n;
let editor: Editor;
let sandbox: Sandbox;
const shown = () => editor.page;

beforeAll(async () => {
	n8n = await connect();
	editor = await Editor.open(n8n.url);
});
beforeEach(async () => {
	sandbox = await Sandbox.start();
});
afterEach(async () => await sandbox.close());
afterAll(async () => await editor.close());

seeing(shown, 'the node panel finds both nodes by "sobot", "zhichi" and "智齿"', async () => {
	await editor.newWorkflow();
	for (const text of ['sobot', 'zhichi', '智齿']) {
		const names = await editor.searchNodes(text, 'Sobot Rule Engine');
		expect(names).toEqual(expect.arrayContaining(['Sobot Rule Engine', 'Sobot Webhook App Trigger']));
	}
	expect(await editor.searchNodes('acknowledge', 'Sobot Rule Engine')).toContain('Sobot Rule Engine');
	await editor.nodeItem('Sobot Rule Engine').click();
	await editor.nodeItem('Put customers on a canvas').waitFor();
	await editor.nodeItem('Acknowledge webhook app push').waitFor();
	// n8n says there that this node has no triggers.
	await editor.byId('node-creator').getByText('use the Sobot Webhook App Trigger').first().waitFor();
});

seeing(shown, "the README's first workflow: an import, a credential, a dry run, a real one", async () => {
	await editor.pasteWorkflow(await readExample('customers-to-canvas'));
	await editor.openNode('Put on canvas');
	await editor.newCredential('Sobot API');
	const { appId, appKey } = sandbox.account.settings;
	const dialog = editor.credentialDialog;
	await editor.choose('region', 'Custom', dialog);
	await editor.fill('baseUrl', sandbox.url, dialog);
	await editor.fill('appId', appId, dialog);
	await editor.fill('appKey', 'wrong', dialog);
	// n8n 2 leaves out the line breaks of a notice here.
	await dialog.getByText('so the test checks only their format. After you delete a row').waitFor();
	const row = await editor.addRow('canvases', dialog);
	await editor.fill('name', 'Our members', row);
	await editor.fill('triggerId', '12', row);
	await editor.fill('secret', QUIET_CANVAS.secret, row);
	expect(await editor.saveWrongCredential('(900003)')).toMatch(/signature.*\(900003\).*App Key/is);
	await editor.fill('appKey', appKey, dialog);
	await editor.saveWrongCredential("Row 1 ('Our members'): 'Trigger ID' must have 19 digits");
	await editor.fill('triggerId', QUIET_CANVAS.triggerId, row);
	await editor.saveRightCredential();
	const tokenCalls = sandbox.tokenCalls.map(({ code }) => code);
	expect([tokenCalls[0], ...new Set(tokenCalls.slice(1))]).toEqual(['900003', '000000']);

	sandbox.forget();
	await editor.chooseFromList('canvas', 'Our members');
	await editor.executeStep();
	await editor.output.getByText('dryRun').nth(2).waitFor();
	const [head, ...rows] = await editor.outputRows();
	expect(head).toEqual(['contactId', 'outcome', 'canvas', 'body', 'triggerId', 'ret_code', 'reason', '']);
	expect(rows.map(([contactId, , canvas, , , , reason]) => [contactId, reason, canvas])).toEqual(
		['c-1', 'c-2', 'c-3'].map((id) => [id, 'empty', 'Our members']),
	);
	expect(rows[1]?.[3]).toBe('{"Contact_id":"c-2","nick":"王小明","order_no":"A-18"}');
	await editor.output.getByText('Dry run: nothing was sent. 3 of 3 could be sent.').waitFor();
	expect([sandbox.tokenCalls, sandbox.triggerCalls]).toEqual([[], []]);

	await editor.removeOption('dryRun');
	await editor.executeStep();
	await editor.output.getByText('accepted', { exact: true }).nth(2).waitFor();
	expect(sandbox.accepted.map(({ triggerId, contactId }) => [triggerId, contactId])).toEqual(
		['c-1', 'c-2', 'c-3'].map((id) => [QUIET_CANVAS.triggerId, id]),
	);
});

seeing(shown, 'a used credential: opened, tested with what is typed, its rows changed', async () => {
	const example = fillIn(await readExample('customers-to-canvas'), 'Put on canvas', { options: {} });
	const workflow = await importWorkflow(n8n, example, await createCredentials(n8n, sandbox));
	await n8n.execute(workflow);
	await editor.openWorkflow(workflow);
	await editor.openNode('Put on canvas');
	await editor.openCredential();
	const dialog = editor.credentialDialog;
	const field = (name: string, row: number) =>
		dialog.getByTestId(`parameter-input-${name}`).locator('input').nth(row);
	await editor.fill('appKey', 'wrong', dialog);
	await editor.saveWrongCredential('(900003)');
	await editor.fill('appKey', sandbox.account.settings.appKey, dialog);
	await field('triggerId', 2).fill(DEMO_CANVAS.triggerId);
	await editor.saveWrongCredential("Row 3 ('Members'): Another row has the same 'Trigger ID'.");
	for (const name of ['name', 'triggerId', 'secret']) await field(name, 2).fill('');
	await editor.saveRightCredential();

	await editor.openCredential();
	expect([await field('name', 3).inputValue(), await field('triggerId', 2).inputValue()]).toEqual([
		QUIET_CANVAS.name,
		'',
	]);
	await dialog.getByRole('button', { name: 'Close' }).click();
	await dialog.waitFor({ state: 'hidden' });
	// The secrets below the cleared row are still their own.
	await editor.chooseFromList('canvas', QUIET_CANVAS.name);
	await editor.executeStep();
	await until('three more', () => sandbox.accepted.length === 6);
	expect(sandbox.accepted.slice(3).map(({ triggerId }) => triggerId)).toEqual(
		Array(3).fill(QUIET_CANVAS.triggerId),
	);
	await editor.page.goto(`${n8n.url}/home/credentials`);
	await editor.byId('resources-list-item').first().waitFor();
});

seeing(shown, 'an expression that is typed and stays text is refused, and nobody is sent', async () => {
	const example = fillIn(await readExample('customers-to-canvas'), 'Put on canvas', {
		contactId: '',
		options: {},
	});
	const workflow = await importWorkflow(n8n, example, await createCredentials(n8n, sandbox));
	await editor.openWorkflow(workflow);
	await editor.openNode('Put on canvas');
	await editor.type('contactId', '{{ $json.id }}', async () => {
		const { nodes } = await n8n.get<Workflow>(`/rest/workflows/${workflow.id}`);
		return nodes.some(({ parameters }) => parameters.contactId === '{{ $json.id }}');
	});
	await editor.executeStep();
	await editor.output
		.getByText("'Contact ID' is still the text {{ $json.id }}. Switch the field from Fixed to Expression")
		.first()
		.waitFor();
	expect(sandbox.triggerCalls).toEqual([]);
});

seeing(shown, 'the Sobot Webhook App API credential: its form is checked', async () => {
	await editor.newWorkflow();
	await editor.searchNodes('sobot', 'Sobot Webhook App Trigger');
	await editor.nodeItem('Sobot Webhook App Trigger').click();
	await editor.byId('node-creator').getByText('Add to workflow').click();
	await editor.details.waitFor();
	await editor.details.getByText('Without authentication, anybody who knows the URL').waitFor();
	await editor.choose('authentication', 'Sobot Webhook App Credential');
	await editor.newCredential('Sobot Webhook App API');
	const dialog = editor.credentialDialog;
	await editor.choose('method', 'Header', dialog);
	await editor.fill('headerName', 'my key', dialog);
	await editor.fill('secret', 'a-long-random-text', dialog);
	await editor.saveWrongCredential("'Header Name' is not a valid HTTP header name");
	await editor.fill('headerName', 'x-my-key', dialog);
	await editor.saveRightCredential();
});

seeing(
	shown,
	'an example imported twice: both imports can be switched on, each with its own URL',
	async () => {
		const example = fillIn(await readExample('repeats-removed'), 'Customer pushed', {
			authentication: 'none',
		});
		const ids = [await editor.pasteWorkflow(example), await editor.pasteWorkflow(example)];
		const paths = new Set<string>();
		for (const id of ids) {
			let workflow: Workflow | undefined;
			await until('the workflow to be saved', async () => {
				workflow = await n8n.get<Workflow>(`/rest/workflows/${id}`).catch(() => undefined);
				return (workflow?.nodes.length ?? 0) > 0;
			});
			if (!workflow) throw new Error('It was not saved.');
			await n8n.activate(workflow, productionPath(workflow));
			paths.add(productionPath(workflow));
		}
		expect(paths.size).toBe(2);
		for (const id of ids) await n8n.deactivate({ id } as Workflow);
	},
);

seeing(shown, 'the trigger: its sample push as mock data, for the nodes that follow', async () => {
	const { pinData: _, ...example } = await readExample('repeats-removed');
	await editor.openWorkflow(await importWorkflow(n8n, example, await createCredentials(n8n, sandbox)));
	await editor.openNode('Customer pushed');
	const sample = async (part: string) => {
		const text = await editor.output.getByText(part).first().innerText();
		return JSON.parse(text.slice(text.indexOf('{'))) as Record<string, unknown>;
	};
	expect(Object.keys(await sample('"customerId"'))).toContain('deliveryKey');
	await editor.details.getByTestId('parameter-input-simplify').click();
	const raw = await sample('"user_label"');
	expect(raw).toHaveProperty('ex_fields');
	await editor.output.getByText('set mock data', { exact: true }).click();
	await editor.output.locator('.cm-content').fill(JSON.stringify([raw]));
	await editor.output.getByText('Save', { exact: true }).click();
	await editor.output.getByText('John Doe').first().waitFor();
	await editor.output.getByText('Nothing to push yet?').waitFor({ state: 'hidden' });
});

seeing(shown, "the trigger's URL: with a method, where n8n shows none for a node of several", async () => {
	const several = { multipleMethods: true, httpMethod: ['POST', 'PUT'], path: 'several' };
	const workflow = await n8n.createWorkflow({
		name: 'Methods',
		nodes: [
			node('Customer pushed', 'n8n-nodes-sobot.sobotWebhookAppTrigger', 1, {}),
			{ ...node('Several', 'n8n-nodes-base.webhook', 2.1, several), position: [0, 200] },
		],
		connections: {},
	});
	await editor.openWorkflow(workflow);
	const methodsOf = async (name: string, path: string) => {
		await editor.openNode(name);
		const url = editor.details.getByText(path).first();
		if (!(await isFulfilled(url.waitFor({ timeout: 2000 }))))
			await editor.details.getByText('Webhook URLs', { exact: true }).click();
		await url.waitFor();
		const methods = await editor.details.locator('.http-method').filter({ visible: true }).allInnerTexts();
		await editor.closeNode();
		return methods.map((method) => method.trim());
	};
	expect(await methodsOf('Several', '/webhook-test/several')).toEqual([]);
	expect(await methodsOf('Customer pushed', '/webhook-test/')).toEqual(['POST']);
});

seeing(shown, 'the action on three items: its fields, an error with its advice, the outputs', async () => {
	const example = await readExample('customers-to-canvas');
	const unset = fillIn(example, 'Put on canvas', {
		contactId: '',
		nick: '',
		additionalFields: {},
		options: {},
	});
	await editor.openWorkflow(await importWorkflow(n8n, unset, await createCredentials(n8n, sandbox)));
	await editor.openNode('Put on canvas');
	await editor.fill('contactId', '{{ $json.id }}');
	await editor.fill('nick', '{{ $json.name }}');
	sandbox.misbehave({ on: 'trigger', contactId: 'c-2', code: '910026', times: 1 });
	await editor.executeStep();
	await editor.output
		.getByText('Customer c-2 (item 1): Sobot found no matching customer (910026).', { exact: true })
		.waitFor();
	expect(await editor.output.innerText()).toContain(
		'Check that the contact ID belongs to a customer in Sobot',
	);
	expect(await editor.output.innerText()).toMatch(/Accepted: .* of 3\./);
	sandbox.forget();
	await editor.executeStep();
	await editor.output.getByText('000000').nth(2).waitFor();
	for (const part of ['3 items', 'c-1', 'c-2', 'c-3', 'accepted']) {
		expect(await editor.output.innerText()).toContain(part);
	}
	expect(sandbox.accepted.map(({ contactId }) => contactId)).toEqual(['c-1', 'c-2', 'c-3']);
});

seeing(
	shown,
	'with On Error: Continue, the output says what became of whom, and how many to look at',
	async () => {
		const example = await readExample('customers-to-canvas');
		const real = fillIn(example, 'Put on canvas', { options: {} });
		const continuing = changeNode(real, 'Put on canvas', { onError: 'continueRegularOutput' });
		const credentials = await createCredentials(n8n, sandbox);
		await editor.openWorkflow(await importWorkflow(n8n, continuing, credentials));
		await editor.openNode('Put on canvas');
		sandbox.misbehave({ on: 'trigger', contactId: 'c-2', code: '910026' });
		await editor.executeStep();
		await editor.output.getByText('1 of 3 customers failed or could not be confirmed.').waitFor();
		expect(await editor.outputRows()).toEqual([
			['contactId', 'outcome', 'ret_code', 'reason', ''],
			['c-1', 'accepted', '000000', 'empty', ''],
			['c-2', 'refused', '910026', expect.stringContaining('Customer c-2 (item 1): '), ''],
			['c-3', 'accepted', '000000', 'empty', ''],
		]);
	},
);

seeing(
	shown,
	'the trigger: a refused push, a test push, then its production URL, published, and a production push',
	async () => {
		const { pinData: _, ...example } = await readExample('repeats-removed');
		const workflow = await importWorkflow(n8n, example, await createCredentials(n8n, sandbox));
		await editor.openWorkflow(workflow);
		await editor.openNode('Customer pushed');
		await editor.details.getByText('Receive customers from a Sobot canvas').waitFor();
		expect(await editor.linesOf('Activate (publish) the workflow')).toBeLessThanOrEqual(3);
		expect(await editor.linesOf('In Sobot, end the URL with')).toBeLessThanOrEqual(3);
		await editor.choose('authentication', 'None');
		expect(await editor.linesOf('Without authentication')).toBeLessThanOrEqual(3);
		await editor.choose('authentication', 'Sobot Webhook App Credential');

		const customer = { id: 'c-9', pid: '456', nick: 'Zoë' };
		const push = async (url: string, key = PUSH_SECRET) =>
			await sandbox.pusher.push({ url: `${url}?key=${key}`, method: 'PUT' }, customer);
		const testUrl = `${n8n.url}/webhook-test/${productionPath(workflow)}`;
		await editor.listen();
		const refused = await push(testUrl, 'wrong');
		expect([refused.status, refused.body]).toEqual([401, '{"code":401,"status":1}']);
		await editor.output.getByText('the query parameter "key" does not match').first().waitFor();
		await editor.output.getByText('?key=YOUR-SECRET').waitFor();

		await editor.listen();
		const test = await push(testUrl);
		expect(test.acknowledged).toBe(true);
		await editor.output.getByText('Zoë').first().waitFor();

		await editor.details.getByText('Webhook URLs', { exact: true }).click();
		await editor.details.getByText('Production URL', { exact: true }).click();
		let copied = '';
		await until('the URL to be copied', async () => {
			await editor.details.getByText(`/webhook/${productionPath(workflow)}`).click();
			copied = await editor.page.evaluate(async () => await navigator.clipboard.readText());
			return copied !== '';
		});
		expect(new URL(copied).pathname).toBe(`/webhook/${productionPath(workflow)}`);
		await editor.closeNode();
		await editor.publish();
		await editor.page.getByText('One step is left, in Sobot').waitFor();
		await n8n.untilListening(productionPath(workflow));
		// n8n calls itself localhost.
		const production = await push(`${n8n.url}${new URL(copied).pathname}`);
		expect([production.status, production.body]).toEqual([200, ACKNOWLEDGEMENT]);
		await until('the execution', async () => (await executionsEnded(n8n, workflow)).length > 1);
		await n8n.deactivate(workflow);
	},
);

seeing(shown, 'the action as the tool of an agent, in the chat of the editor', async () => {
	const model = await ScriptedModel.start({ Contact_ID: 'ai-1', Nickname: 'Ana' });
	try {
		const openAiApi = await model.credential(n8n);
		const credentials = { ...(await createCredentials(n8n, sandbox)), openAiApi };
		const workflow = await importWorkflow(n8n, await readExample('agent-tool'), credentials);
		await editor.openWorkflow(workflow);
		await editor.openNode('Put on canvas');
		await editor.details.getByText('Defined automatically by the model').nth(1).waitFor();
		await editor.closeNode();
		await editor.byId('workflow-chat-button').click();
		await editor.byId('canvas-chat').locator('textarea').fill('Put Ana on the canvas.');
		await editor.page.keyboard.press('Enter');
		await editor.page.getByText(MODEL_SAYS).first().waitFor();
		expect(sandbox.accepted.map(({ contactId }) => contactId)).toEqual(['ai-1']);
	} finally {
		model.close();
	}
});
