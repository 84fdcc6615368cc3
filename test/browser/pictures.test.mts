// The pictures of the README and the docs, light and dark, taken where they show what they claim. WRITE_PICTURES=1 keeps
// them.
import type { Locator } from 'playwright-core';
import { createCredentials, type Credentials } from '../support/credentials.mts';
import { changeNode, fillIn, importWorkflow, readExample } from '../support/examples.mts';
import type { N8n } from '../support/n8n/n8n.mts';
import { Sandbox } from '../sandbox/server.mts';
import { connect } from '../support/underTest.mts';
import { productionPath } from '../support/workflows.mts';
import { Editor, SIZE } from './editor.mts';
import { picture, seeing } from './pictures.mts';

jest.setTimeout(180_000);
// n8n's editor has races of its own, such as a step that cannot be executed in the first moment.
jest.retryTimes(2, { logErrorsBeforeRetry: true });

const EXAMPLES = [
	'customers-to-canvas',
	'sheet-to-canvas',
	'large-campaign',
	'push-from-canvas',
	'push-to-crm',
	'round-trip',
	'repeats-removed',
	'agent-tool',
	'any-sobot-api',
];

/** so that the output shows a whole table */
const WIDE = { width: 2300, height: 800 };

let n8n: N8n;
let editor: Editor;
let sandbox: Sandbox;
const shown = () => editor.page;
let credentials: Credentials;

beforeAll(async () => {
	n8n = await connect();
	editor = await Editor.open(n8n.url);
	sandbox = await Sandbox.start();
	credentials = {
		...(await createCredentials(n8n, sandbox)),
		openAiApi: await n8n.createCredential('openAiApi', 'OpenAI', { apiKey: 'none' }),
	};
});
afterAll(async () => {
	await editor.close();
	await sandbox.close();
});

/** The upper part of the page. */
async function topOf(part: Locator, height: number) {
	const box = await part.boundingBox();
	if (!box) throw new Error('It is not visible.');
	return { ...box, height };
}

/** The column 'outcome' of the output's table. */
async function outcomes(): Promise<Array<string | undefined>> {
	const [, ...rows] = await editor.outputRows();
	return rows.map((cells) => cells[1]);
}

afterEach(() => sandbox.forget());

seeing(shown, 'the search for the nodes', async () => {
	await editor.newWorkflow();
	const names = await editor.searchNodes('sobot', 'Sobot Webhook App Trigger');
	expect(names).toContain('Sobot Rule Engine');
	await picture(editor.page, 'search', await topOf(editor.byId('node-creator'), 350));
});

seeing(shown, 'the Sobot API credential', async () => {
	await editor.newAction();
	await editor.newCredential('Sobot API');
	const dialog = editor.credentialDialog;
	await editor.fill('appId', 'YOUR-APP-ID', dialog);
	await editor.fill('appKey', 'YOUR-APP-KEY', dialog);
	const row = await editor.addRow('canvases', dialog);
	await editor.fill('name', 'Welcome', row);
	await editor.fill('triggerId', '1234567890123456789', row);
	await editor.fill('secret', 'THE-SECRET', row);
	const typed = row.getByTestId('parameter-input-triggerId').locator('input').first();
	expect(await typed.inputValue()).toBe('1234567890123456789');
	// A field in focus shows a tip of n8n's.
	await dialog.getByText('Canvases', { exact: true }).click();
	await editor.page.setViewportSize({ ...SIZE, height: 1100 });
	await editor.page.addStyleTag({
		content: '.el-dialog { height: 1030px !important; max-height: none !important }',
	});
	// Filling in the rows has scrolled the dialog down.
	await dialog.evaluate((element) => {
		for (const part of Array.from(element.querySelectorAll('*'))) part.scrollTop = 0;
	});
	await picture(dialog, 'credential');
	await editor.page.setViewportSize(SIZE);
});

seeing(shown, 'the action, with three customers on the canvas, and with one who is not known', async () => {
	const saved = fillIn(await readExample('customers-to-canvas'), 'Put on canvas', { options: {} });
	const workflow = await importWorkflow(n8n, saved, credentials);
	await editor.openWorkflow(workflow);
	await editor.openNode('Put on canvas');
	await editor.executeStep();
	await editor.output.getByText('000000').nth(2).waitFor();
	expect(await outcomes()).toEqual(['accepted', 'accepted', 'accepted']);
	await picture(editor.details, 'action');
	// Right after a success, n8n 2.41 fails now and then to execute a step again ("Cannot read properties of null").
	await editor.openWorkflow(workflow);
	await editor.openNode('Put on canvas');
	sandbox.misbehave({ on: 'trigger', contactId: 'c-2', code: '910026', times: 1 });
	await editor.executeStep();
	await editor.output.getByText('(910026)').first().waitFor();
	expect(await editor.output.innerText()).toContain('Customer c-2 (item 1)');
	await picture(editor.page, 'error', await topOf(editor.output, 360));
});

seeing(shown, 'the output of a dry run, and with On Error: Continue', async () => {
	await editor.page.setViewportSize(WIDE);
	try {
		const dry = await readExample('customers-to-canvas');
		await editor.openWorkflow(await importWorkflow(n8n, dry, credentials));
		await editor.openNode('Put on canvas');
		await editor.executeStep();
		await editor.output.getByText('dryRun').nth(2).waitFor();
		expect(await outcomes()).toEqual(['dryRun', 'dryRun', 'dryRun']);
		await picture(editor.page, 'dry-run', await topOf(editor.output, 290));

		const real = fillIn(dry, 'Put on canvas', { options: {} });
		const continuing = changeNode(real, 'Put on canvas', { onError: 'continueRegularOutput' });
		await editor.openWorkflow(await importWorkflow(n8n, continuing, credentials));
		await editor.openNode('Put on canvas');
		sandbox.misbehave({ on: 'trigger', contactId: 'c-2', code: '910026', times: 1 });
		await editor.executeStep();
		await editor.output.getByText('910026').first().waitFor();
		expect(await outcomes()).toEqual(['accepted', 'refused', 'accepted']);
		await picture(editor.page, 'outcomes', await topOf(editor.output, 350));
	} finally {
		await editor.page.setViewportSize(SIZE);
	}
});

seeing(shown, 'the trigger', async () => {
	const { pinData: _, ...saved } = await readExample('repeats-removed');
	const workflow = await importWorkflow(n8n, saved, credentials);
	await editor.openWorkflow(workflow);
	await editor.openNode('Customer pushed');
	await editor.details.getByText('Webhook URLs', { exact: true }).click();
	await editor.details.getByText('Production URL', { exact: true }).click();
	await editor.details.getByText(`/webhook/${productionPath(workflow)}`).waitFor();
	expect(await editor.details.innerText()).toContain('Respond');
	await picture(editor.details, 'trigger');
});

seeing(shown, 'the examples', async () => {
	for (const name of EXAMPLES) {
		const workflow = await importWorkflow(n8n, await readExample(name), credentials);
		await editor.openWorkflow(workflow);
		await editor.untilDrawn(workflow.nodes);
		const area = await editor.drawnArea();
		expect(area.width).toBeLessThanOrEqual(SIZE.width);
		expect(area.height).toBeLessThanOrEqual(SIZE.height);
		await picture(editor.page, `example-${name}`, area);
	}
});

seeing(shown, 'the local Sobot, after 500 customers', async () => {
	const page = await editor.page.context().newPage();
	try {
		await page.goto(sandbox.url);
		const sheet = fillIn(await readExample('sheet-to-canvas'), 'Fetch the sheet', {
			url: `${sandbox.url}/sandbox/customers.csv?count=500`,
		});
		sandbox.account.expireToken();
		await n8n.execute(await importWorkflow(n8n, sheet, credentials), 500);
		await page.getByText('sheet-499 is on canvas').waitFor();
		expect(await page.locator('#accepted').innerText()).toBe('480');
		await picture(page, 'sandbox');
	} finally {
		await page.close();
	}
});
