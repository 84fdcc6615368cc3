// The figures that the queue tests measure. A plain run is as small as shows a fault, and prints them. WRITE_FIGURES=1 runs
// with the volumes of docs/scaling.md, and writes each table into its place there.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { printTable, table } from '../support/table.mts';

export const WRITES_FIGURES = Boolean(process.env.WRITE_FIGURES);

/** A volume: what is enough to see a fault, or what the document measures. */
export function volume(enough: number, ofTheDocument: number): number {
	return WRITES_FIGURES ? ofTheDocument : enough;
}

/** @param place the name of the table's place in docs/scaling.md */
export function report(place: string, head: string[], rows: readonly string[][]): void {
	printTable(place, head, rows);
	const file = join(process.cwd(), 'docs/scaling.md');
	const text = readFileSync(file, 'utf8');
	const [begin, end] = [`<!-- figures: ${place} -->`, '<!-- end of figures -->'];
	const from = text.indexOf(begin);
	const to = text.indexOf(end, from);
	if (from < 0 || to < 0) throw new Error(`docs/scaling.md has no place for "${place}".`);
	if (!WRITES_FIGURES) return;
	writeFileSync(file, `${text.slice(0, from)}${begin}\n\n${table(head, rows)}\n\n${text.slice(to)}`);
}
