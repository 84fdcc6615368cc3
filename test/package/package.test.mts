// The published package: its content, the same bytes from the same source, what n8n's loader makes of it, and no objection of
// n8n's scan of community packages.
import { createHash } from 'node:crypto';
import { appendFile, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { packPackage } from '../support/n8n/n8nProcess.mts';
import { run } from '../support/processes.mts';

jest.setTimeout(300_000);

let folder: string;
let tarball: string;
let unpacked: string;

beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), 'sobot-package-'));
	tarball = await packPackage();
	unpacked = join(folder, 'unpacked');
	await mkdir(unpacked);
	await run('tar', ['-xzf', tarball, '-C', unpacked, '--strip-components=1']);
});
afterAll(async () => {
	await rm(folder, { recursive: true, force: true });
	await rm(dirname(tarball), { recursive: true, force: true });
});

async function sha256(file: string): Promise<string> {
	return createHash('sha256')
		.update(await readFile(file))
		.digest('hex');
}

/** The objections of n8n's scan to a folder's files; empty if it has none. Its steps that need a network are left out. */
async function scan(where: string, patterns: readonly string[]): Promise<string> {
	const program = `
		import { analyzePackage } from '@n8n/scan-community-package/scanner/scanner.mjs';
		const { passed, message, details } = await analyzePackage(${JSON.stringify(where)}, ${JSON.stringify(patterns)});
		process.stdout.write('\\n' + JSON.stringify(passed ? '' : [message, details].join('\\n')));
	`;
	// With Jest's NODE_ENV its rules would treat every file as one of their own tests.
	const env = { NODE_ENV: 'production' };
	const printed = await run(process.execPath, ['--input-type=module', '--eval', program], undefined, env);
	return JSON.parse(printed.trim().split('\n').at(-1) ?? '') as string;
}

const SHIPPED = ['**/*.js', 'package.json'];
const SOURCE = ['package.json', '{nodes,credentials}/**/*.{js,ts,json}'];

test('a copy of the source elsewhere packs to the same bytes', async () => {
	const copy = join(folder, 'copy');
	const files = (await run('git', ['ls-files', '--cached', '--others', '--exclude-standard']))
		.trim()
		.split('\n');
	for (const file of files) await cp(file, join(copy, file));
	await symlink(join(process.cwd(), 'node_modules'), join(copy, 'node_modules'));
	await run('npm', ['run', 'build'], copy);
	await run('npm', ['pack', '--pack-destination', folder], copy);
	const [packed] = (await readdir(folder)).filter((name) => name.endsWith('.tgz'));
	expect(await sha256(join(folder, packed ?? ''))).toBe(await sha256(tarball));
});

test('contains what n8n loads and what a user reads, and nothing else', async () => {
	const files = (await readdir(unpacked, { recursive: true, withFileTypes: true }))
		.filter((entry) => entry.isFile())
		.map((entry) => join(entry.parentPath, entry.name).slice(unpacked.length + 1));
	expect(files.filter((file) => !/^dist\/(credentials|nodes)\/.*\.(js|json|svg)$/.test(file)).sort()).toEqual(
		['CHANGELOG.md', 'LICENSE.md', 'README.md', 'index.js', 'package.json'],
	);
	const { n8n, ...manifest } = JSON.parse(await readFile(join(unpacked, 'package.json'), 'utf8')) as {
		n8n: { credentials: string[]; nodes: string[] };
		dependencies?: unknown;
		scripts: Record<string, string>;
	};
	expect(files).toEqual(expect.arrayContaining([...n8n.credentials, ...n8n.nodes]));
	expect(files.filter((file) => file.includes('__schema__')).length).toBe(2);
	expect(manifest.dependencies).toBeUndefined();
	expect(
		Object.keys(manifest.scripts).filter((name) => /^(pre|post)|^install$|^prepare$/.test(name)),
	).toEqual([]);
});

test('is small enough, and complete enough, for the release to publish it', async () => {
	expect(await run(join(process.cwd(), '.ci/check-tarball'), [])).toBe('');
});

test("n8n's scan of community packages has no objection, neither to what is shipped nor to its source", async () => {
	expect(await scan(unpacked, SHIPPED)).toBe('');
	expect(await scan(process.cwd(), SOURCE)).toBe('');
});

test.each([
	['what is shipped', 'dist/nodes/sobot/canvas/rateLimiter.js', 'setTimeout(() => {}, 1);', 'setTimeout'],
	[
		'its source, where a node authenticates a request itself',
		'nodes/SobotRuleEngine/SobotRuleEngine.node.ts',
		`// eslint-disable-next-line
		export async function spoilt(this: IExecuteFunctions) {
			await this.getCredentials('sobotApi');
			await this.helpers.httpRequest({ url: '' });
		}`,
		'httpRequestWithAuthentication',
	],
])('that scan would object to %s', async (_, file, fault, words) => {
	const spoilt = await mkdtemp(join(folder, 'spoilt-'));
	for (const part of ['package.json', 'index.js', 'dist', 'nodes', 'credentials', 'CHANGELOG.md'])
		await cp(part, join(spoilt, part), { recursive: true });
	await appendFile(join(spoilt, file), `\n${fault}\n`);
	expect(await scan(spoilt, file.startsWith('dist/') ? SHIPPED : SOURCE)).toContain(words);
});

const ACTION = 'dist/nodes/SobotRuleEngine/SobotRuleEngine.node.js';

interface Loaded {
	/** with which n8n refuses the package */
	error?: string;
	/** the aliases of each node, by which n8n's node panel finds it; none without a codex */
	aliases: Record<string, string[]>;
}

/** Has n8n-core load the package, after a change to one of its files. */
async function load(file = '', change = (text: string) => text): Promise<Loaded> {
	const copy = await mkdtemp(join(folder, 'loaded-'));
	await cp(unpacked, copy, { recursive: true });
	await symlink(join(process.cwd(), 'node_modules'), join(copy, 'node_modules'));
	if (file !== '') {
		const text = await readFile(join(copy, file), 'utf8');
		expect(change(text)).not.toBe(text);
		await writeFile(join(copy, file), change(text));
	}
	const program = `
		const { PackageDirectoryLoader } = require('n8n-core');
		const loader = new PackageDirectoryLoader(${JSON.stringify(copy)});
		loader.loadAll().then(() => undefined, ({ message }) => message).then((error) => {
			const nodes = Object.values(loader.nodeTypes).map(({ type }) => type.description);
			const aliases = Object.fromEntries(nodes.map(({ name, codex }) => [name, codex?.alias ?? []]));
			console.log('\\n' + JSON.stringify({ error, aliases }));
		});
	`;
	const printed = await run(process.execPath, ['--eval', program]);
	return JSON.parse(printed.trim().split('\n').at(-1) ?? '') as Loaded;
}

test('n8n loads both nodes, with what its node panel finds them by', async () => {
	const { error, aliases } = await load();
	expect(error).toBeUndefined();
	expect(Object.keys(aliases)).toEqual(['sobotRuleEngine', 'sobotWebhookAppTrigger']);
	expect(aliases.sobotRuleEngine).toEqual(expect.arrayContaining(['campaign', 'marketing']));
	expect(aliases.sobotWebhookAppTrigger).toContain('push');
});

test('n8n ignores a codex file without resources, and says nothing', async () => {
	const { error, aliases } = await load(`${ACTION}on`, (text) => text.replace('"resources"', '"others"'));
	expect(error).toBeUndefined();
	expect(Object.entries(aliases).map(([name, alias]) => [name, alias.length > 0])).toEqual([
		['sobotRuleEngine', false],
		['sobotWebhookAppTrigger', true],
	]);
});

test('n8n loads nothing of a package with a builder hint on a property named resource', async () => {
	const { error, aliases } = await load(ACTION, (text) =>
		text.replace("name: 'resource',", "name: 'resource', builderHint: { message: 'A hint' },"),
	);
	expect(error).toMatch(/builderHint on the "resource" discriminator property/);
	expect(Object.keys(aliases)).not.toContain('sobotWebhookAppTrigger');
});
