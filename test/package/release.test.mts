// The release workflow, as far as it can be tried without GitHub and npm: its last step runs against a registry that only
// notes what it is sent.
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { listenOnFreePort } from '../support/freePort.mts';
import { run } from '../support/processes.mts';

jest.setTimeout(60_000);

interface Step {
	name?: string;
	uses?: string;
	run?: string;
}
interface Workflow {
	permissions: Record<string, string>;
	jobs: Record<string, { needs?: string; permissions?: Record<string, string>; steps: Step[] }>;
}
interface Upload {
	name: string;
	access: string;
	authorization?: string;
}

let release: Workflow;
let folder: string;
let registry: Server;
let registryUrl: string;
const uploads: Upload[] = [];

beforeAll(async () => {
	release = parse(await readFile('.github/workflows/release.yml', 'utf8')) as Workflow;
	folder = await mkdtemp(join(tmpdir(), 'sobot-release-'));
	await writeFile(join(folder, 'package.json'), '{ "name": "n8n-nodes-example", "version": "1.0.0" }');
	registry = createServer((request, response) => {
		let body = '';
		request.on('data', (chunk) => (body += String(chunk)));
		request.on('end', () => {
			const isUpload = request.method === 'PUT';
			const { authorization } = request.headers;
			if (isUpload) uploads.push({ ...(JSON.parse(body) as Upload), authorization });
			response.writeHead(isUpload ? 201 : 404).end('{}');
		});
	});
	registryUrl = await listenOnFreePort(registry);
});
afterAll(async () => {
	await new Promise((resolve) => registry.close(resolve));
	await rm(folder, { recursive: true, force: true });
});
beforeEach(() => uploads.splice(0));

/** Runs the step that publishes. npm can make a provenance statement only on GitHub. */
async function publish(env: { NPM_TOKEN: string; REHEARSAL: string }): Promise<string> {
	const script = release.jobs.publish?.steps.find(({ name }) => name === 'Publish')?.run ?? '';
	expect(script).toContain('npm publish --provenance --access public');
	return await run('bash', ['-euc', script.replace('--provenance', '')], folder, {
		npm_config_registry: `${registryUrl}/`,
		npm_config_userconfig: join(folder, `npmrc-${env.NPM_TOKEN}`),
		...env,
	});
}

test('the first version is published with the token', async () => {
	await publish({ NPM_TOKEN: 'a-token', REHEARSAL: '' });
	expect(uploads).toEqual([
		expect.objectContaining({
			name: 'n8n-nodes-example',
			access: 'public',
			authorization: 'Bearer a-token',
		}),
	]);
});

test('without a token, it is left to npm and GitHub to agree on one', async () => {
	await expect(publish({ NPM_TOKEN: '', REHEARSAL: '' })).rejects.toThrow('ENEEDAUTH');
	expect(uploads).toEqual([]);
});

test('a rehearsal publishes nothing', async () => {
	expect(await publish({ NPM_TOKEN: 'a-token', REHEARSAL: '--dry-run' })).toContain('dry-run');
	expect(uploads).toEqual([]);
});

describe('a tarball is refused', () => {
	const node = 'dist/nodes/Example.node.js';
	let source: string;

	beforeEach(async () => {
		source = await mkdtemp(join(folder, 'source-'));
		await mkdir(join(source, 'dist/nodes'), { recursive: true });
		await writeFile(
			join(source, 'package.json'),
			JSON.stringify({
				name: 'n8n-nodes-example',
				version: '1.0.0',
				n8n: { credentials: [], nodes: [node] },
			}),
		);
	});
	const check = async () => await run(join(process.cwd(), '.ci/check-tarball'), [], source);

	test('without what n8n loads, and not with it', async () => {
		await expect(check()).rejects.toThrow(`has no ${node}`);
		await writeFile(join(source, node), '');
		expect(await check()).toBe('');
	});

	test('of more than 80 KiB', async () => {
		await writeFile(join(source, node), randomBytes(82 * 1024));
		await expect(check()).rejects.toThrow('more than 81920');
	});

	test('before it is published', () => {
		const steps = release.jobs.publish?.steps ?? [];
		const publishing = steps.findIndex(({ name }) => name === 'Publish');
		expect(steps.slice(0, publishing).map((step) => step.run)).toContain('.ci/check-tarball');
	});
});

test('only the job that publishes can identify itself to npm, and only after all tests', () => {
	const { test: tests, publish: publishing } = release.jobs;
	expect(publishing?.needs).toBe('test');
	expect(publishing?.permissions).toEqual({ contents: 'read', 'id-token': 'write' });
	expect([release.permissions, tests?.permissions]).toEqual([{ contents: 'read' }, undefined]);
	expect(tests?.steps.map((step) => step.run)).toContainEqual(expect.stringMatching(/\.ci\/run$/));
});

test.each(['ci', 'next', 'release'])(
	'%s.yml takes the actions of others by commit, which nobody can change',
	async (name) => {
		const { jobs } = parse(await readFile(`.github/workflows/${name}.yml`, 'utf8')) as Workflow;
		const used = Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ uses }) => uses ?? []));
		expect(used).not.toEqual([]);
		expect(used.filter((one) => !/@[0-9a-f]{40}$/.test(one))).toEqual([]);
	},
);
