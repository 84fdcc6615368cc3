// The documents: what can be compared with the tree, is.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { RETURN_CODES } from '../../nodes/sobot/returnCodes';

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

test('the architecture names every part of nodes/sobot, and no other', () => {
	const [, section = ''] =
		/^## Parts of `nodes\/sobot`$([^]*?)^## /m.exec(read('docs/architecture.md')) ?? [];
	const rows = [...section.matchAll(/^\| (.*?)\|/gm)].map(([, cell = '']) => cell);
	const named = rows.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name));
	const parts = readdirSync('nodes/sobot').filter((name) => name.endsWith('.ts'));
	expect(named.toSorted()).toEqual(parts.map((name) => name.replace(/\.ts$/, '')).toSorted());
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

test("the README's table of return codes says what the node says", () => {
	const rows = [...read('README.md').matchAll(/^\| `?(\d{6})`? +\| (.*?) +\| (.*?) +\|$/gm)];
	const expected = Object.entries(RETURN_CODES)
		.filter(([code]) => code !== '000000')
		.map(([code, { message, advice }]) => [code, message, advice]);
	expect(rows.map(([, ...cells]) => cells).toSorted()).toEqual(expected.toSorted());
});
