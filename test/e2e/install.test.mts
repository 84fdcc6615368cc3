// Installed as users install it: n8n's own installer, behind Settings > Community nodes, from the first install to removal.
import { createCredentials } from '../support/credentials.mts';
import { Sandbox } from '../sandbox/server.mts';
import { N8n, type Workflow } from '../support/n8n/n8n.mts';
import { PACKAGE, publish, type Published } from '../support/n8n/published.mts';
import { connect, underTest } from '../support/underTest.mts';
import { actionWorkflow, FROM_ITEM, outputOf } from '../support/workflows.mts';

jest.setTimeout(120_000);

const PATH = '/rest/community-packages';

let published: Published;
let n8n: N8n;
let sandbox: Sandbox;
beforeAll(async () => {
	const { runtime, tarball } = underTest();
	sandbox = await Sandbox.start();
	published = await publish(tarball);
	n8n = await N8n.start({ runtime, env: published.env });
});
afterAll(async () => {
	await n8n.stop();
	await published.remove();
	await sandbox.close();
});

test('installs, is listed and works, is updated in place, and is removed', async () => {
	const { version, newer } = published;
	const listed = async () => await n8n.get<unknown[]>(PATH);
	const entry = (installedVersion: unknown) => ({
		packageName: PACKAGE,
		installedVersion,
		installedNodes: expect.arrayContaining([
			expect.objectContaining({ name: 'Sobot Rule Engine', type: 'n8n-nodes-sobot.sobotRuleEngine' }),
			expect.objectContaining({
				name: 'Sobot Webhook App Trigger',
				type: 'n8n-nodes-sobot.sobotWebhookAppTrigger',
			}),
		]) as unknown,
	});
	expect(await listed()).toEqual([]);
	// Nor does n8n list what was installed by hand.
	expect(await (await connect()).get(PATH)).toEqual([]);

	// With its version, since n8n 1 asks the registry itself what the latest is, and nothing is published there.
	await n8n.post(PATH, { name: `${PACKAGE}@${version}` });
	expect(await listed()).toEqual([expect.objectContaining(entry(version))]);
	const workflow = await actionWorkflow(
		n8n,
		await createCredentials(n8n, sandbox),
		[{ id: 'c-1', name: 'Ana' }],
		FROM_ITEM,
	);
	expect(await outcomes(workflow)).toEqual(['accepted']);

	await n8n.request('PATCH', PATH, { name: PACKAGE, version: newer });
	expect(await listed()).toEqual([expect.objectContaining(entry(newer))]);
	expect(await outcomes(workflow)).toEqual(['accepted']);
	expect(await published.commands()).toEqual(
		expect.arrayContaining([
			expect.stringMatching(`^pack ${PACKAGE}@${version} `),
			expect.stringMatching(/^install .*--ignore-scripts=true/),
		]),
	);

	await n8n.request('DELETE', `${PATH}?name=${PACKAGE}`);
	expect(await listed()).toEqual([]);
	await expect(outcomes(workflow)).rejects.toThrow();
});

/** What became of each customer. */
async function outcomes(workflow: Workflow): Promise<unknown[]> {
	return outputOf(await n8n.execute(workflow), 'Sobot').map(({ json }) => json.outcome);
}
