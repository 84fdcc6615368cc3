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
	const file = join(process.cwd(), 'docs', `${document}.md`);
	const text = readFileSync(file, 'utf8');
	const [begin, end] = [`<!-- figures: ${place} -->`, '<!-- end of figures -->'];
	const from = text.indexOf(begin);
	const to = text.indexOf(end, from);
	if (from < 0 || to < 0) throw new Error(`docs/${document}.md has no place for "${place}".`);
	if (!WRITES_FIGURES) return;
	writeFileSync(file, `${text.slice(0, from)}${begin}\n\n${table(head, rows)}\n\n${text.slice(to)}`);
}
