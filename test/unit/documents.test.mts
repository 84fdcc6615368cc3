// The documents: what can be compared with the tree, is.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { INodeProperties } from 'n8n-workflow';
import { SobotApi } from '../../credentials/SobotApi.credentials';
import { SobotWebhookAppApi } from '../../credentials/SobotWebhookAppApi.credentials';
import { SobotRuleEngine } from '../../nodes/SobotRuleEngine/SobotRuleEngine.node';
import { SobotWebhookAppTrigger } from '../../nodes/SobotWebhookApp/SobotWebhookAppTrigger.node';
import { REMEMBERED_PUSHES, STORED_PUSHES } from '../../nodes/sobot/push/pushMemory';
import { RETURN_CODES } from '../../nodes/sobot/outcome/returnCodes';

const read = (file: string) => readFileSync(file, 'utf8');
const markdownIn = (folder: string) =>
	readdirSync(folder)
		.filter((name) => name.endsWith('.md'))
		.map((name) => join(folder, name));

const DECISIONS = markdownIn('docs/decisions');
const DOCUMENTS = ['.', 'docs', 'docs/examples', 'test/sandbox'].flatMap(markdownIn).concat(DECISIONS);

/** The anchors of a document, as GitHub makes them from its headings. */
function anchorsOf(file: string): string[] {
	return [...read(file).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
		heading
			.toLowerCase()
			.replace(/[^\p{L}\p{N} _-]/gu, '')
			.replaceAll(' ', '-'),
	);
}

test.each(DOCUMENTS)('the links of %s lead somewhere', (file) => {
	const links = [...read(file).matchAll(/\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g)]
		.map(([, link, source]) => link ?? source ?? '')
		.filter((link) => !/^[a-z]+:/.test(link));
	const broken = links.filter((link) => {
		const [path = '', anchor] = link.split('#');
		const target = path === '' ? file : join(dirname(file), path);
		return !existsSync(target) || (anchor !== undefined && !anchorsOf(target).includes(anchor));
	});
	expect(broken).toEqual([]);
});

test('the architecture names every part of every room, first the one that says what the room promises', () => {
	const [, section = ''] = /^## Rooms$([^]*?)^## /m.exec(read('docs/architecture.md')) ?? [];
	const named = new Map<string, string[]>();
	for (const [, room, parts = ''] of section.matchAll(/^\| (?:`(.*?)`)? *\| (`.*?) *\|/gm)) {
		if (room !== undefined) named.set(room, []);
		[...named.values()].at(-1)?.push(...[...parts.matchAll(/`(\w+)`/g)].map(([, part = '']) => part));
	}
	const rooms = readdirSync('nodes/sobot', { withFileTypes: true }).filter((entry) => entry.isDirectory());
	expect([...named.keys()].toSorted()).toEqual(
		['SobotRuleEngine/n8n', 'sobot', ...rooms.map(({ name }) => `sobot/${name}`)].toSorted(),
	);
	for (const [room, parts] of named) {
		const files = readdirSync(`nodes/${room}`).filter((name) => name.endsWith('.ts'));
		expect(parts.map((part) => `${part}.ts`).toSorted()).toEqual(files.toSorted());
		const promises = `// ${room === 'sobot' ? 'The only state' : `Room \`${basename(room)}\`: `}`;
		expect(read(`nodes/${room}/${parts[0]}.ts`).startsWith(promises)).toBe(true);
	}
});

test('the architecture lists every decision', () => {
	const listed = [...read('docs/architecture.md').matchAll(/\]\((decisions\/[^)]+)\)/g)];
	expect(listed.map(([, path = '']) => join('docs', path)).toSorted()).toEqual(DECISIONS.toSorted());
});

test.each(DECISIONS)('%s is a short, dated record', (file) => {
	const lines = read(file).trim().split('\n');
	expect(lines.length).toBeLessThanOrEqual(15);
	expect(lines[2]).toMatch(/^\d{4}-\d\d-\d\d(, revised \d{4}-\d\d-\d\d)?$/);
	for (const part of ['Context', 'Decision', 'Consequence']) expect(read(file)).toContain(`\n**${part}.** `);
});

test('the promise names tests that exist', () => {
	const named = [...read('docs/promise.md').matchAll(/`(?:test\/)?((?:unit|integration|e2e|queue)\/\w+)/g)];
	const missing = named
		.map(([, path = '']) => path)
		.filter((path) => !existsSync(`test/${path}.test.mts`) && !existsSync(`test/${path}.mts`));
	expect(named.length).toBeGreaterThan(10);
	expect(missing).toEqual([]);
});

test('what documents say of a kill is not better than the kills that were measured', () => {
	const kills = read('docs/kills.md');
	const measured = [...kills.matchAll(/at most (\d+) in one kill/g)].map(([, most]) => Number(most));
	const said = ['README.md', 'docs/promise.md'].flatMap((file) =>
		[
			...read(file).matchAll(
				/at most (?:about )?(\d+)(?= customers of each canvas (?:`unknown`|come back)| +\|)/g,
			),
		].map(([, most]) => Number(most)),
	);
	expect(measured.length).toBeGreaterThan(10);
	expect(said.length).toBeGreaterThan(4);
	expect(Math.min(...said)).toBeGreaterThanOrEqual(Math.max(...measured));
	// The last two cells: missing, sent twice. n8n can have overwritten what Retry begins with, or not tell what it continues.
	const rows = [...kills.matchAll(/^\| (.*?) +\|.*\| (\d+) +\| (\d+) +\|$/gm)];
	const own = rows.filter(([, what = '']) => !/ran nothing|before n8n 2\.14|\*\*all\*\*|^\d/.test(what));
	expect(own.length).toBeGreaterThan(10);
	expect(own.filter(([, , missing]) => missing !== '0')).toEqual([]);
	const twice = own.flatMap(([, what = '', , times]) => (times === '0' ? [] : [what]));
	// What is sent twice has to be named there.
	expect(read('docs/promise.md')).toContain('Retry pressed twice at once can do so too');
	expect(twice.filter((what) => !what.startsWith('two Retries at once on worker'))).toEqual([]);
});

test('the table of return codes says what the node says', () => {
	const rows = [...read('docs/troubleshooting.md').matchAll(/^\| `?(\d{6})`? +\| (.*?) +\| (.*?) +\|$/gm)];
	const expected = Object.entries(RETURN_CODES)
		.filter(([code]) => code !== '000000')
		.map(([code, { message, advice }]) => [code, message, advice]);
	expect(rows.map(([, ...cells]) => cells).toSorted()).toEqual(expected.toSorted());
});

test('the documents name only commands that package.json has', () => {
	const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
	const named = DOCUMENTS.flatMap((file) =>
		[...read(file).matchAll(/npm run (?:--silent )?([\w:]+)/g)].map(([, name = '']) => name),
	);
	expect(named.length).toBeGreaterThan(10);
	expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
});

test.each(['CONTRIBUTING.md', 'docs/publishing.md', 'docs/verification.md'])(
	'the files that %s names are there',
	(file) => {
		const paths = [...read(file).matchAll(/`((?:test|docs|nodes|\.github|\.ci)\/[\w./-]+\w)`/g)].map(
			([, path = '']) => path,
		);
		expect(paths.length).toBeGreaterThan(3);
		expect(paths.filter((path) => !existsSync(path))).toEqual([]);
	},
);

/** The text below a heading of the README, up to the next heading of the same level or above. */
function readmeSection(heading: string): string {
	const [level = ''] = /^#+/.exec(heading) ?? [];
	const section = read('README.md').split(`\n${heading}\n`)[1] ?? '';
	return section.split(new RegExp(`^#{1,${level.length}} `, 'm'))[0] ?? '';
}

/** The rows of the table whose first column has this head. */
function rowsOf(section: string, head: string): string[][] {
	const [, table = ''] = new RegExp(`^\\| ${head} .*\\n\\|.*\\n((?:\\|.*\\n)*)`, 'm').exec(section) ?? [];
	return [...table.matchAll(/^\| (.*) \|$/gm)].map(([, row = '']) =>
		row.split(' | ').map((cell) => cell.trim()),
	);
}

const labels = (properties: readonly INodeProperties[]) =>
	properties
		.filter(({ type }) => type !== 'notice' && type !== 'hidden')
		.map(({ displayName }) => displayName);
const optionsOf = (properties: readonly INodeProperties[]) =>
	properties.find(({ name }) => name === 'options')?.options as INodeProperties[];

const ACTION = new SobotRuleEngine().description.properties;
const TRIGGER = new SobotWebhookAppTrigger().description.properties;

describe('the README names', () => {
	const names = (heading: string) =>
		[...readmeSection(heading).matchAll(/^- \*\*(.+?)\*\*: /gm)].map(([, name]) => name);

	test('each field and option of Canvas: Trigger, with its default', () => {
		const ofCanvas = ACTION.filter(
			({ name, displayOptions }) =>
				displayOptions?.show?.resource?.[0] === 'canvas' && !['operation', 'options'].includes(name),
		);
		expect(names('### Canvas: Trigger').toSorted()).toEqual(labels(ofCanvas).toSorted());
		const shown = rowsOf(readmeSection('### Canvas: Trigger'), 'Option').map(([name, value]) => [
			name,
			value,
		]);
		const defaults = optionsOf(ACTION).map(({ displayName, default: value, options = [] }) => {
			const chosen = options.find((one) => 'value' in one && one.value === value);
			if (value === false) return [displayName, 'off'];
			if (value === 'Contact_id') return [displayName, '`Contact_id`'];
			return [displayName, chosen?.name ?? String(value)];
		});
		expect(shown.toSorted()).toEqual(defaults.toSorted());
	});

	test('each field and option of the trigger', () => {
		const fields = labels(TRIGGER).filter((label) => label !== 'Options');
		expect(names('## Sobot Webhook App Trigger').toSorted()).toEqual(
			[...fields, ...labels(optionsOf(TRIGGER))].toSorted(),
		);
	});

	test('how many pushes the trigger remembers', () => {
		const words = `the latest ${REMEMBERED_PUSHES.toLocaleString('en')} pushes, and ${STORED_PUSHES} across a restart`;
		expect(readmeSection('## Sobot Webhook App Trigger')).toContain(words);
	});

	test('each credential', () => {
		const credentials = [new SobotApi(), new SobotWebhookAppApi()];
		expect(names('## Credentials')).toEqual(credentials.map(({ displayName }) => displayName));
	});

	test('each example, as docs/examples does, with a picture there', () => {
		const files = readdirSync('docs/examples')
			.filter((name) => name.endsWith('.json'))
			.toSorted();
		const linked = [...readmeSection('## Examples').matchAll(/\(docs\/examples\/([\w-]+\.json)\)/g)];
		expect(linked.map(([, name]) => name).toSorted()).toEqual(files);
		const page = read('docs/examples/README.md');
		const shown = [
			...page.matchAll(/\]\(([\w-]+)\.json\)[^#]*src="\.\.\/pictures\/example-([\w-]+)-light\.png"/g),
		];
		expect(shown.map(([, name, picture]) => [name, picture]).toSorted()).toEqual(
			files.map((file) => [file.replace('.json', ''), file.replace('.json', '')]),
		);
	});

	test('messages that a node can show', () => {
		const quoted = rowsOf(read('docs/troubleshooting.md'), 'What you see').flatMap(
			([seen = '']) => /^"(.*)"$/.exec(seen)?.[1] ?? [],
		);
		const sources = ['nodes', 'credentials'].flatMap((folder) =>
			readdirSync(folder, { recursive: true, encoding: 'utf8' })
				.filter((name) => name.endsWith('.ts'))
				.map((name) => read(join(folder, name)).replace(/\$\{[^}]*\}/g, '...')),
		);
		const isThere = (part: string) => sources.some((source) => source.includes(part));
		// `...` and a status stand for what the node fills in.
		const parts = quoted
			.flatMap((text) => text.split(/ ?\.\.\. ?|\d{3}: |\{\{.*$/))
			.filter((part) => part !== '');
		expect(parts.length).toBeGreaterThan(5);
		expect(parts.filter((part) => !isThere(part))).toEqual([]);
	});

	test.each([
		['SobotRuleEngine/SobotRuleEngine', new SobotRuleEngine().description],
		['SobotWebhookApp/SobotWebhookAppTrigger', new SobotWebhookAppTrigger().description],
	])(
		'%s links to its own chapter, with and without its codex file',
		(name, { displayName, documentationUrl }) => {
			const codex = JSON.parse(read(`nodes/${name}.node.json`)) as {
				resources: { primaryDocumentation: Array<{ url: string }> };
			};
			expect(documentationUrl).toMatch(new RegExp(`#${displayName.toLowerCase().replaceAll(' ', '-')}$`));
			expect(codex.resources.primaryDocumentation).toEqual([{ url: documentationUrl }]);
		},
	);

	test('what the nodes and credentials link to', () => {
		const links = [
			...['SobotRuleEngine/SobotRuleEngine', 'SobotWebhookApp/SobotWebhookAppTrigger'].map((name) =>
				read(`nodes/${name}.node.json`),
			),
			new SobotApi().documentationUrl,
			new SobotWebhookAppApi().documentationUrl,
		].flatMap((text) => [...text.matchAll(/nodes-sobot#([\w-]+)/g)].map(([, anchor]) => anchor));
		expect(links.length).toBeGreaterThan(4);
		expect(anchorsOf('README.md')).toEqual(expect.arrayContaining(links));
	});
});
