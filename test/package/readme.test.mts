// The commands of docs/install.md, done; its `docker run` beside the compose file for one
// n8n; and the tests that docs/verification.md names.
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { PACKAGE, publish, type Published } from '../support/n8n/published.mts';
import { run } from '../support/processes.mts';

jest.setTimeout(120_000);

let install: string;
let home: string;
let published: Published;

beforeAll(async () => {
	install = await readFile('docs/install.md', 'utf8');
	home = await mkdtemp(join(tmpdir(), 'sobot-readme-'));
	// Only its name counts here. What is in the real one needs a build, which other tests do meanwhile.
	await writeFile(join(home, 'package.json'), `{ "name": "${PACKAGE}", "version": "1.0.0" }`);
	const file = (await run('npm', ['pack', '--silent'], home)).trim();
	published = await publish(join(home, file));
});
afterAll(async () => {
	await published.remove();
	await rm(home, { recursive: true, force: true });
});

/** Runs a command of the page in an empty home folder. */
async function type(command: string): Promise<string> {
	return await run('bash', ['-euc', command], home, { ...published.env, HOME: home });
}

/** The command in the table's last column. */
function byHand(row: string): string {
	const [, command = ''] = new RegExp(`^\\| ${row}.*\\| \`([^\`]*)\`[^|]*\\|$`, 'm').exec(install) ?? [];
	expect(command).toContain(PACKAGE);
	return `cd ~/.n8n/nodes && ${command}`;
}

test('by hand: installed, its version seen, updated, removed', async () => {
	const { version, newer } = published;
	const commands = /```sh\n(mkdir.*?)```/s.exec(install)?.[1] ?? '';
	expect(commands).toContain(`npm install --ignore-scripts --legacy-peer-deps ${PACKAGE}\n`);
	await type(commands);
	expect(await type(byHand('Which version'))).toContain(`${PACKAGE}@${version}`);
	await type(byHand('Update'));
	expect(await type(byHand('Which version'))).toContain(`${PACKAGE}@${newer}`);
	await type(byHand('Remove'));
	await expect(type(byHand('Which version'))).rejects.toThrow('(empty)');
});

test('`docker run` starts the n8n of the compose file', async () => {
	const { services } = parse(await readFile('docs/examples/docker/one-n8n.yml', 'utf8')) as {
		services: { n8n: { image: string; ports: string[]; volumes: string[]; environment: object } };
	};
	const { image, ports, volumes, environment } = services.n8n;
	const command = /^docker run (.*?[^\\])$/ms.exec(install)?.[1] ?? '';
	const words = command.split(/[\s\\]+/);
	const values = (flag: string) => words.filter((_, index) => words[index - 1] === flag);
	expect([values('--publish'), values('--volume'), words.at(-1)]).toEqual([ports, volumes, image]);
	expect(Object.keys(environment)).toEqual(
		expect.arrayContaining(values('--env').map((setting) => setting.split('=')[0])),
	);
});

test('each test that docs/verification.md names is there', async () => {
	const text = await readFile('docs/verification.md', 'utf8');
	const cells = [...text.matchAll(/`test\/[^|]*/g)].flatMap(([cell]) => {
		// A name without a folder is in the folder of the one before.
		let folder = '';
		return [...cell.matchAll(/`(?:(test\/\w+)\/)?(\w+\.test\.mts)`/g)].map(
			([, named, file]) => `${(folder = named ?? folder)}/${file}`,
		);
	});
	expect(cells.length).toBeGreaterThan(20);
	expect([...new Set(cells)].filter((file) => !existsSync(file))).toEqual([]);
});
