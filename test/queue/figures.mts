// The figures that the queue tests have seen: printed when they are through, and with WRITE_FIGURES=1 put into
// docs/scaling.md, where each table has its place.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** @param place the name of the table's place in docs/scaling.md */
export function report(place: string, head: string[], rows: readonly string[][]): void {
	const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
	const table = lines.join('\n');
	// The error stream is where Jest leaves it alone.
	process.stderr.write(`\n### ${place}\n\n${table}\n\n`);
	const file = join(process.cwd(), 'docs/scaling.md');
	const text = readFileSync(file, 'utf8');
	const [begin, end] = [`<!-- figures: ${place} -->`, '<!-- end of figures -->'];
	const from = text.indexOf(begin);
	const to = text.indexOf(end, from);
	if (from < 0 || to < 0) throw new Error(`docs/scaling.md has no place for "${place}".`);
	if (!process.env.WRITE_FIGURES) return;
	writeFileSync(file, `${text.slice(0, from)}${begin}\n\n${table}\n\n${text.slice(to)}`);
}
