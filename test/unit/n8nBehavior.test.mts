// docs/n8n-behavior.md and the findings: what they name is there.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const PAGE = readFileSync('docs/n8n-behavior.md', 'utf8');
const FINDINGS = readdirSync('findings').filter((name) => name.endsWith('.sh') && name !== 'lib.sh');

/** The rows of the page: their number, and the paths in their last cell. */
const ROWS = [...PAGE.matchAll(/^\| ([A-Z]\d+) +\|.*\|([^|]*)\|$/gm)].map(
	([, number = '', shownBy = '']) => ({
		number,
		paths: [...shownBy.matchAll(/`([^`]+)`/g)].map(([, path = '']) => path),
	}),
);

test('every row of docs/n8n-behavior.md has a number of its own, and the tables have no other rows', () => {
	const numbers = ROWS.map(({ number }) => number);
	expect(numbers.length).toBeGreaterThan(40);
	expect(new Set(numbers).size).toBe(numbers.length);
	const lines = PAGE.split('\n').filter((line) => line.startsWith('|') && !/^\| (No\.|-)/.test(line));
	expect(lines.length).toBe(numbers.length);
});

test.each(ROWS)('row $number names a test or a finding, and each one is there', ({ paths }) => {
	expect(paths).not.toEqual([]);
	for (const path of paths) {
		expect(path).toMatch(/^test\/\w+\/\w+\.test\.mts$|^findings\/[\w-]+\.sh$/);
		expect([path, existsSync(path)]).toEqual([path, true]);
	}
});

test('comments in the code point to rows that are there', () => {
	const files = ['nodes', 'credentials'].flatMap((folder) =>
		readdirSync(folder, { recursive: true, encoding: 'utf8' })
			.filter((name) => name.endsWith('.ts'))
			.map((name) => join(folder, name)),
	);
	expect(files.length).toBeGreaterThan(40);
	const numbers = ROWS.map(({ number }) => number);
	const named = files.flatMap((file) =>
		[...readFileSync(file, 'utf8').matchAll(/n8n-behavior\.md,? ((?:[A-Z]\d+(?:,| and| to)? ?)+)/g)].flatMap(
			([, list = '']) => (list.match(/[A-Z]\d+/g) ?? []).map((number) => [file, number]),
		),
	);
	expect(named.length).toBeGreaterThan(15);
	expect(named.filter(([, number = '']) => !numbers.includes(number))).toEqual([]);
});

test('findings/README.md lists every finding, and no other', () => {
	const listed = [...readFileSync('findings/README.md', 'utf8').matchAll(/^\| \[[^\]]*\]\(([^)]*)\)/gm)];
	expect(listed.map(([, file = '']) => file).toSorted()).toEqual(FINDINGS.toSorted());
});

test.each(FINDINGS)('%s says what was expected, what came, and of which versions', (file) => {
	const text = readFileSync(join('findings', file), 'utf8');
	for (const part of ['Versions', 'Expected', 'Real'])
		expect(text).toMatch(new RegExp(`^# ${part} +\\S`, 'm'));
	expect(text).toContain('asStated(');
});
