// The figures that the queue tests measure. A plain run is as small as shows a fault, and prints them. WRITE_FIGURES=1 runs
// with the volumes of docs/scaling.md, and writes each table into its place there.
import { writeFigures } from '../support/figures.mts';

export const WRITES_FIGURES = Boolean(process.env.WRITE_FIGURES);

/** A volume: what is enough to see a fault, or what the document measures. */
export function volume(enough: number, ofTheDocument: number): number {
	return WRITES_FIGURES ? ofTheDocument : enough;
}

/** @param place the name of the table's place in docs/scaling.md */
export function report(place: string, head: string[], rows: readonly string[][]): void {
	writeFigures('scaling', place, head, rows);
}
