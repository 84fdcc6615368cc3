// Settings > Community nodes, as an admin uses it: the package is installed, found with its version and nodes, and removed.
import { N8n } from '../support/n8n/n8n.mts';
import { PACKAGE, publish, type Published } from '../support/n8n/published.mts';
import { underTest } from '../support/underTest.mts';
import { Editor } from './editor.mts';
import { seeing } from './pictures.mts';

jest.setTimeout(180_000);

let published: Published;
let n8n: N8n;
let editor: Editor;

beforeAll(async () => {
	const { runtime, tarball } = underTest();
	published = await publish(tarball);
	n8n = await N8n.start({ runtime, env: published.env, isWhole: true });
	editor = await Editor.open(n8n.url);
});
afterAll(async () => {
	await editor.close();
	await n8n.stop();
	await published.remove();
});

seeing(
	() => editor.page,
	'the package is installed, listed with its version and nodes, and removed',
	async () => {
		const { version } = published;
		const { page } = editor;
		const card = editor.byId('community-package-card');
		await page.goto(`${n8n.url}/settings/community-nodes`);
		await page.getByRole('button', { name: 'Install' }).first().click();

		const dialog = editor.byId('communityPackageInstall-modal');
		await dialog.locator('input').first().fill(`${PACKAGE}@${version}`);
		await dialog.getByText('I understand the risks').click();
		await editor.byId('install-community-package-button').click();
		await card.waitFor();
		for (const part of [PACKAGE, version, '2 nodes', 'Sobot Rule Engine', 'Sobot Webhook App Trigger']) {
			expect(await card.innerText()).toContain(part);
		}

		await card.getByTestId('action-toggle').click();
		await page.getByText('Uninstall package').click();
		await page.getByRole('dialog').getByRole('button', { name: 'Confirm' }).click();
		await card.waitFor({ state: 'hidden' });
	},
);
