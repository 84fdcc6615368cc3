// A table as Markdown.
export function table(head: readonly string[], rows: readonly string[][]): string {
	const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
	return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Prints a table past Jest, which leaves only the error stream alone. */
export function printTable(title: string, head: readonly string[], rows: readonly string[][]): void {
	process.stderr.write(`\n### ${title}\n\n${table(head, rows)}\n\n`);
}
