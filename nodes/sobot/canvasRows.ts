// The canvases of an account: the rows of names, trigger IDs and secrets in the Sobot API credential.
import type { Canvas } from './canvas';

/** A canvas as the credential names it. */
export interface NamedCanvas extends Omit<Canvas, 'baseUrl'> {
	name: string;
}

/** A row as n8n provides it. An expression can give its fields any type. */
interface Row {
	name: unknown;
	triggerId: unknown;
	secret: unknown;
}

/** n8n's editor gets these placeholders instead of stored secrets. */
const BLANKED = /^__n8n_(BLANK|EMPTY)_VALUE_/;

/** The canvases in a credential without the empty rows, or a text that says what is wrong with the first bad row. */
export function readCanvases(
	fields: Readonly<Record<string, unknown>>,
): { canvases: NamedCanvas[] } | { reason: string } {
	const canvases: NamedCanvas[] = [];
	for (const [index, row] of rowsOf(fields).entries()) {
		const canvas = readRow(row);
		if (canvas.name === '' && canvas.triggerId === '' && canvas.secret === '') continue;
		const reason = reasonAgainstRow(row, canvas) ?? reasonAgainstClash(canvas, canvases);
		if (reason) {
			const name = canvas.name === '' ? '' : ` ('${canvas.name.slice(0, 60)}')`;
			return { reason: `Row ${index + 1}${name}: ${reason}` };
		}
		canvases.push({ ...canvas, name: canvas.name || canvas.triggerId });
	}
	return { canvases };
}

/** The canvas with this trigger ID, else the one with exactly this name; undefined if there is none. */
export function findCanvas(
	canvases: readonly NamedCanvas[],
	nameOrTriggerId: string,
): NamedCanvas | undefined {
	const wanted = nameOrTriggerId.trim();
	return (
		canvases.find(({ triggerId }) => triggerId === wanted) ?? canvases.find(({ name }) => name === wanted)
	);
}

function rowsOf(fields: Readonly<Record<string, unknown>>): Row[] {
	const { canvas } = (fields.canvases ?? {}) as { canvas?: unknown };
	return (Array.isArray(canvas) ? canvas : []) as Row[];
}

function readRow({ name, triggerId, secret }: Row): NamedCanvas {
	return { name: trimmed(name), triggerId: trimmed(triggerId), secret: trimmed(secret) };
}

function trimmed(value: unknown): string {
	return typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
}

function reasonAgainstRow(row: Row, { triggerId, secret }: NamedCanvas): string | undefined {
	if (triggerId === '') return "'Trigger ID' is empty. Copy it from the canvas in Sobot.";
	if (typeof row.triggerId === 'number') {
		return "'Trigger ID' is a number, which cannot hold 19 digits. Turn it into text.";
	}
	if (/\D/.test(triggerId)) return "'Trigger ID' must have 19 digits and nothing else.";
	if (triggerId.length !== 19) return `'Trigger ID' must have 19 digits; it has ${triggerId.length}.`;
	if (secret === '' || BLANKED.test(secret)) return "'Secret' is empty. Copy it from the canvas in Sobot.";
	return /[^\x21-\x7e]/.test(secret)
		? "'Secret' contains characters that are not allowed in a header. Copy it again from the canvas in Sobot."
		: undefined;
}

function reasonAgainstClash(canvas: NamedCanvas, earlier: readonly NamedCanvas[]): string | undefined {
	for (const other of earlier) {
		if (other.triggerId === canvas.triggerId) return "Another row has the same 'Trigger ID'.";
		if (canvas.name !== '' && other.name === canvas.name) return "Another row has the same 'Name'.";
		if (other.triggerId === canvas.name || other.name === canvas.triggerId) {
			return "The 'Trigger ID' of one row is the 'Name' of another.";
		}
	}
	return undefined;
}
