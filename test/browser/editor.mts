// n8n's editor in a real browser, as a builder uses it. The test IDs are those that n8n's own tests use.
import { selectors, type Browser, type Locator, type Page } from 'playwright-core';
import type { SavedWorkflow } from '../support/examples.mts';
import { OWNER, type Workflow } from '../support/n8n/n8n.mts';
import { isFulfilled, until } from '../support/until.mts';
import { startChromium } from './chromium.mts';

selectors.setTestIdAttribute('data-test-id');

export const SIZE = { width: 1280, height: 800 };

export class Editor {
	private constructor(
		private readonly browser: Browser,
		readonly page: Page,
		private readonly url: string,
	) {}

	/** A browser in which the owner has logged in. */
	static async open(url: string): Promise<Editor> {
		const browser = await startChromium();
		try {
			const context = await browser.newContext({
				viewport: SIZE,
				permissions: ['clipboard-read', 'clipboard-write'],
			});
			const page = await context.newPage();
			page.setDefaultTimeout(30_000);
			const editor = new Editor(browser, page, url);
			await editor.logIn();
			return editor;
		} catch (error) {
			await browser.close();
			throw error;
		}
	}

	async close(): Promise<void> {
		await this.browser.close();
	}

	private async logIn(): Promise<void> {
		await this.page.goto(`${this.url}/signin`);
		await this.page.locator('input').first().fill(OWNER.email);
		await this.page.locator('input[type=password]').fill(OWNER.password);
		await this.page.keyboard.press('Enter');
		await this.page.waitForURL(/\/(home|workflow)/);
	}

	async newWorkflow(): Promise<void> {
		await this.page.goto(`${this.url}/workflow/new`);
		await this.byId('canvas-plus-button').waitFor();
	}

	/** Pastes a workflow onto an empty canvas, which imports it as a file does, and saves it. Returns its ID. */
	async pasteWorkflow(saved: SavedWorkflow): Promise<string> {
		await this.newWorkflow();
		await this.page.evaluate(
			async (text) => await navigator.clipboard.writeText(text),
			JSON.stringify(saved),
		);
		await this.page.keyboard.press('ControlOrMeta+v');
		await this.untilDrawn(saved.nodes);
		await this.page.keyboard.press('ControlOrMeta+s');
		await this.page.waitForURL(/\/workflow\/(?!new)/);
		return /\/workflow\/([^/?]+)/.exec(this.page.url())?.[1] ?? '';
	}

	async openWorkflow({ id }: Pick<Workflow, 'id'>): Promise<void> {
		await this.page.goto(`${this.url}/workflow/${id}`);
		await this.byId('canvas-node').first().waitFor();
	}

	/** Opens an execution in the list of those of its workflow, and waits until it shows that a node has succeeded. */
	async showExecution({ id }: Pick<Workflow, 'id'>, execution: string, name: string): Promise<void> {
		await this.page.goto(`${this.url}/workflow/${id}/executions/${execution}`);
		await this.node(name).getByTestId('canvas-node-status-success').waitFor({ timeout: 600_000 });
	}

	byId(testId: string): Locator {
		return this.page.getByTestId(testId);
	}

	/** Opens the node panel, if need be, and searches until it shows the node that is looked for. Returns all names. */
	async searchNodes(text: string, expected: string): Promise<string[]> {
		if (!(await this.byId('node-creator').isVisible())) {
			await this.byId('canvas-plus-button').or(this.byId('node-creator-plus-button')).first().click();
		}
		await this.byId('node-creator-search-bar').fill(text);
		await this.nodeItem(expected).waitFor();
		return await this.byId('node-creator-item-name').allInnerTexts();
	}

	/** a node or an action in the node panel */
	nodeItem(name: string): Locator {
		return this.byId('node-creator').getByTestId('node-creator-item-name').getByText(name, { exact: true });
	}

	/** A new workflow with the action in it, whose details are open. */
	async newAction(): Promise<void> {
		await this.newWorkflow();
		await this.searchNodes('sobot', 'Sobot Rule Engine');
		await this.nodeItem('Sobot Rule Engine').click();
		await this.nodeItem('Put customers on a canvas').click();
	}

	/** Waits until all of these nodes are on the canvas; notes are drawn in another way. */
	async untilDrawn(nodes: ReadonlyArray<{ name: string; type: string }>): Promise<void> {
		for (const { name } of nodes.filter(({ type }) => type !== 'n8n-nodes-base.stickyNote')) {
			await this.node(name).waitFor();
		}
	}

	/** a node on the canvas */
	node(name: string): Locator {
		return this.page.locator(`[data-test-id="canvas-node"][data-node-name="${name}"]`);
	}

	async openNode(name: string): Promise<void> {
		await this.node(name).dblclick();
		await this.details.waitFor();
	}

	/** the open node, with its input and output */
	get details(): Locator {
		return this.byId('ndv');
	}

	get output(): Locator {
		return this.byId('output-panel');
	}

	async closeNode(): Promise<void> {
		await this.page.keyboard.press('Escape');
		await this.details.waitFor({ state: 'hidden' });
	}

	/** Enters a text or an expression. */
	async fill(parameter: string, value: string, where = this.details): Promise<void> {
		await where.getByTestId(`parameter-input-${parameter}`).locator('input, textarea').first().fill(value);
	}

	/** Types into the open node as a person does, and saves: until then, n8n executes with what it had before. */
	async type(parameter: string, text: string, isSaved: () => Promise<boolean>): Promise<void> {
		const input = this.details.getByTestId(`parameter-input-${parameter}`).locator('input, textarea').first();
		await input.pressSequentially(text, { delay: 60 });
		await input.blur();
		await until(`${parameter} to be saved`, async () => {
			await this.page.keyboard.press('ControlOrMeta+s');
			return await isSaved();
		});
	}

	async removeOption(parameter: string): Promise<void> {
		const option = this.details
			.locator('.parameter-item')
			.filter({ has: this.byId(`parameter-input-${parameter}`) })
			.last();
		await option.hover();
		await option.getByTitle('Delete').click();
		await this.details.getByTestId(`parameter-input-${parameter}`).waitFor({ state: 'hidden' });
	}

	/** The rows of the output's table, as it shows them. */
	async outputRows(): Promise<string[][]> {
		return await this.output
			.locator('tr')
			.evaluateAll((rows) =>
				rows.map((row) =>
					Array.from(row.querySelectorAll('th, td'), (cell) => cell.textContent?.trim() ?? ''),
				),
			);
	}

	async choose(parameter: string, option: string, where = this.details): Promise<void> {
		await where.getByTestId(`parameter-input-${parameter}`).click();
		await this.page.getByRole('option', { name: option }).filter({ visible: true }).click();
	}

	/** Adds a row to a collection, such as the canvases of a credential. Returns it. */
	async addRow(collection: string, where = this.details): Promise<Locator> {
		const all = where.getByTestId(`fixed-collection-${collection}`);
		await all
			.getByTestId('fixed-collection-add')
			.or(all.getByRole('button', { name: /^Add / }))
			.last()
			.click();
		return all;
	}

	/** Chooses from the list of a parameter that offers one, after a search for it. */
	async chooseFromList(parameter: string, name: string): Promise<void> {
		const locator = this.details.getByTestId(`resource-locator-${parameter}`);
		await locator.getByTestId('rlc-input').click();
		await this.byId('rlc-search').fill(name);
		await this.byId('rlc-item').filter({ hasText: name, visible: true }).click();
	}

	async executeStep(): Promise<void> {
		await this.byId('node-execute-button').click();
	}

	/** Lets the open trigger listen for a test event. After a failed one, n8n 1 needs to be told twice. */
	async listen(): Promise<void> {
		const listening = this.details.getByText('Listening for test event');
		await until('the trigger to listen', async () => {
			await this.byId('trigger-execute-button').first().click();
			return await isFulfilled(listening.waitFor({ timeout: 2000 }));
		});
	}

	/** What nodes and notes take up on the canvas, in pixels of the page. */
	async drawnArea(): Promise<{ x: number; y: number; width: number; height: number }> {
		const [left, top, right, bottom] = await this.page.locator('.vue-flow__node').evaluateAll((nodes) => {
			const boxes = nodes.map((node) => node.getBoundingClientRect());
			return [
				Math.min(...boxes.map((box) => box.left)),
				Math.min(...boxes.map((box) => box.top)),
				Math.max(...boxes.map((box) => box.right)),
				Math.max(...boxes.map((box) => box.bottom)),
			] as const;
		});
		// A node's name and its plus stand outside of it.
		return { x: left - 60, y: top - 20, width: right - left + 150, height: bottom - top + 90 };
	}

	/** How many lines a notice of the open node takes, by the text that it begins with. */
	async linesOf(beginning: string): Promise<number> {
		const notice = this.details.getByText(beginning).last();
		return await notice.evaluate((element) => {
			const text = document.createRange();
			text.selectNodeContents(element);
			const middles = Array.from(text.getClientRects(), ({ top, bottom }) => (top + bottom) / 2);
			return middles.sort((a, b) => a - b).filter((y, i) => i === 0 || y - (middles[i - 1] ?? y) > 5).length;
		});
	}

	/** Publishes the open workflow; n8n 1 calls it to activate. */
	async publish(): Promise<void> {
		const open = this.byId('workflow-open-publish-modal-button');
		const activate = this.byId('workflow-activate-switch');
		await open.or(activate).waitFor();
		if (await activate.isVisible()) return await activate.click();
		await open.click();
		await this.byId('workflow-publish-button').click();
	}

	/** Opens the dialog for a new credential of the open node, by the name that the node shows. */
	async newCredential(name: string): Promise<void> {
		const slot = this.credentialSlot(name);
		const connect = slot.getByRole('button', { name: /^Connect to / });
		const list = slot.getByTestId('node-credentials-select').locator('input');
		await connect.or(list).waitFor();
		if (await connect.isVisible()) {
			await connect.click();
		} else {
			const create = this.byId('node-credentials-select-item-new').filter({ visible: true });
			// The first click on an empty list marks it as missing, which closes it again.
			await until(`the list of credentials for ${name}`, async () => {
				await list.click();
				return await isFulfilled(create.waitFor({ timeout: 2000 }));
			});
			await create.click();
		}
		await this.credentialDialog.waitFor();
	}

	/** Opens the credential that the open node uses. */
	async openCredential(): Promise<void> {
		await this.byId('credential-edit-button').click();
		await this.credentialDialog.getByText('Connection tested successfully').waitFor();
	}

	/** n8n 1 knows only the inner of the two. */
	private credentialSlot(name: string): Locator {
		return this.byId('node-credentials-slot')
			.or(this.byId('credentials-label'))
			.filter({ hasText: `Credential for ${name}` })
			.first();
	}

	get credentialDialog(): Locator {
		return this.byId('editCredential-modal');
	}

	/** Saves the credential in the dialog, which n8n then tests, and waits for this message. Returns the dialog's text. */
	async saveWrongCredential(says: string): Promise<string> {
		await this.credentialDialog.getByTestId('credential-save-button').click();
		const details = this.credentialDialog.getByText('More details');
		const reason = this.credentialDialog.getByText(says).first();
		// Once opened, the details stay open.
		await details.or(reason).filter({ visible: true }).first().waitFor();
		if (await details.isVisible()) await details.click();
		await reason.waitFor();
		return await this.credentialDialog.innerText();
	}

	/** Saves the credential in the dialog. n8n 2 closes it once the test has passed; n8n 1 leaves that to its user. */
	async saveRightCredential(): Promise<void> {
		const tested = this.page.waitForResponse(/\/rest\/credentials\/test$/);
		await this.credentialDialog.getByTestId('credential-save-button').click();
		const { data } = (await (await tested).json()) as { data: { status: string; message: string } };
		if (data.status !== 'OK') throw new Error(`The credential's test says: ${data.message}`);
		await this.credentialDialog
			.getByRole('button', { name: 'Close' })
			.click({ timeout: 2000 })
			.catch(() => undefined);
		await this.credentialDialog.waitFor({ state: 'hidden' });
	}
}
