// Figures that tests measure. Each table has a place of its own in a document: a plain run prints it, and one with
// WRITE_FIGURES=1 writes it there.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { printTable, table } from './table.mts';

/** Whether this run writes its figures into the documents. It then measures with the documents' volumes. */
export const WRITES_FIGURES = Boolean(process.env.WRITE_FIGURES);

/**
 * @param document the name of a file in docs, without `.md`
 * @param place the name of the table's place in it
 */
export function writeFigures(
	document: string,
	place: string,
	head: readonly string[],
	rows: readonly string[][],
): void {
	printTable(place, head, rows);
	const { file, before, after } = read(document, place);
	if (WRITES_FIGURES) writeFileSync(file, `${before}\n\n${table(head, rows)}\n\n${after}`);
}

/** The rows that stand in a document now, without their head. */
export function figuresIn(document: string, place: string): string[][] {
	const [, , ...lines] = read(document, place).figures.trim().split('\n');
	return lines.map((line) =>
		line
			.split('|')
			.slice(1, -1)
			.map((cell) => cell.trim()),
	);
}

function read(document: string, place: string) {
	const file = join(process.cwd(), 'docs', `${document}.md`);
	const text = readFileSync(file, 'utf8');
	const begin = `<!-- figures: ${place} -->`;
	const from = text.indexOf(begin) + begin.length;
	const to = text.indexOf('<!-- end of figures -->', from);
	if (from < begin.length || to < 0) throw new Error(`docs/${document}.md has no place for "${place}".`);
	return { file, before: text.slice(0, from), figures: text.slice(from, to), after: text.slice(to) };
}
