// Follows docs/scaling.md as a self-hoster would: its commands work, and its settings are all that the tests need.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { underTest } from '../support/underTest.mts';
import { run } from '../support/processes.mts';
import { readGuide } from './guide.mts';
import { startServers } from './servers.mts';

jest.setTimeout(120_000);

test('the commands of docs/scaling.md install the package where n8n looks for it', async () => {
	const home = await mkdtemp(join(tmpdir(), 'sobot-guide-'));
	try {
		const { commands } = await readGuide();
		const installing = commands.filter((line) => !line.startsWith('n8n '));
		expect(installing.at(-1)).toContain('npm install');
		// The packed package stands in for the published one.
		const script = installing.join(' && ').replace('n8n-nodes-sobot', underTest().tarball);
		await run('bash', ['-c', script], home, { HOME: home });
		const installed = await readdir(join(home, '.n8n/nodes/node_modules'));
		expect(installed).toContain('n8n-nodes-sobot');
		expect(installed).not.toContain('n8n-workflow');
	} finally {
		await rm(home, { recursive: true, force: true });
	}
});

test('docs/scaling.md starts each kind of process, and names every setting that the tests change', async () => {
	const guide = await readGuide();
	expect(guide.commands.filter((line) => line.startsWith('n8n '))).toEqual([
		'n8n start',
		'n8n webhook',
		'n8n worker --concurrency=10',
	]);
	const servers = await startServers();
	try {
		expect(Object.keys(guide.env)).toEqual(
			expect.arrayContaining([...Object.keys(servers.env), 'N8N_ENCRYPTION_KEY']),
		);
	} finally {
		await servers.stop();
	}
});
