// README.md beside this file: its examples work, and it leaves out no call of the control API.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Sandbox } from './server.mts';

const read = (file: string) => readFileSync(join(process.cwd(), 'test/sandbox', file), 'utf8');
const readme = read('README.md');
const examples = [...readme.matchAll(/```sh\n(.*?)```/gs)].flatMap(([, block = '']) =>
	block.trim().split('\n'),
);

/** What curl would do, on a machine that may not have it. */
async function curl(command: string): Promise<Response> {
	const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? '');
	const after = (flag: string) => (words.includes(flag) ? words[words.indexOf(flag) + 1] : undefined);
	const body = after('--data');
	return await fetch(words.find((word) => word.startsWith('http')) ?? '', {
		method: after('--request') ?? (body === undefined ? 'GET' : 'POST'),
		body,
		headers: body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' },
	});
}

let sandbox: Sandbox;

beforeAll(async () => {
	sandbox = await Sandbox.start();
});
afterAll(async () => await sandbox.close());

test.each(examples)('%s', async (example) => {
	// Nothing listens at the webhook that the examples name, and here not even by chance.
	const here = example
		.replaceAll('http://127.0.0.1:4700', sandbox.url)
		.replaceAll('http://127.0.0.1:5678', 'http://127.0.0.1:9');
	const answer = await curl(here);
	expect(answer.status).toBe(200);
	expect(await answer.text()).not.toBe('');
});

test('every call of the control API has a section with an example', () => {
	const calls = [...read('server.mts').matchAll(/app\.(get|post|put|delete)\('(\/sandbox[^']*)'/g)].map(
		([, method = '', path = '']) => `${method.toUpperCase()} ${path}`,
	);
	const sections = [...readme.matchAll(/^### `([A-Z]+ [^`]+)`.*?(?=^### |(?![^]))/gms)]
		.filter(([section]) => section.includes('```sh\n'))
		.map(([, call]) => call);
	expect(sections.toSorted()).toEqual(calls.toSorted());
	expect(calls.length).toBeGreaterThan(8);
});
