// The figures that the queue tests measure. A plain run uses volumes that are just large enough to show a bug, and prints
// the figures. WRITE_FIGURES=1 uses the volumes of docs/scaling.md, and writes each table into its place there.
import { writeFigures, WRITES_FIGURES } from '../support/figures.mts';

export { WRITES_FIGURES };

/** A volume: large enough to show a bug, or the one that the document reports. */
export function volume(enough: number, ofTheDocument: number): number {
	return WRITES_FIGURES ? ofTheDocument : enough;
}

/** @param place the name of the table's place in docs/scaling.md */
export function report(place: string, head: string[], rows: readonly string[][]): void {
	writeFigures('scaling', place, head, rows);
}
