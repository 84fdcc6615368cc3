// The canvases of an account: the rows of names, trigger IDs and secrets in the Sobot API credential.
import type { Canvas } from '../canvas/canvas';
import { isJsonObject } from '../outcome/answer';
import type { Fields } from './account';
import { reasonAgainstExpression } from './credential';

/** A canvas as the credential names it. */
export interface NamedCanvas extends Omit<Canvas, 'baseUrl'> {
	name: string;
}

/** The form of the field for those who make credentials through n8n's API. */
export const FORM_OF_CANVASES =
	'{"canvas":[{"name":"Welcome","triggerId":"1234567890123456789","secret":"..."}]}';

/** n8n's editor gets these placeholders instead of stored secrets. */
const BLANKED = /^__n8n_(BLANK|EMPTY)_VALUE_/;

/** The canvases in a credential without the empty rows, or a text that says what is wrong with the first bad row. */
export function readCanvases(fields: Fields): { canvases: NamedCanvas[] } | { reason: string } {
	const unresolved = reasonAgainstExpression(fields, ['canvases']);
	if (unresolved !== undefined) return { reason: unresolved };
	const rows = rowsOf(fields.canvases);
	if (!rows) return { reason: wrongForm("'Canvases' is not a list of rows.") };
	const canvases: NamedCanvas[] = [];
	for (const [index, row] of rows.entries()) {
		const canvas = readRow(row);
		const isWhole = canvas.triggerId !== '' && canvas.secret !== '';
		const other = Object.keys(row).find((name) => (FIELDS.includes(name) ? !isText(row[name]) : !isWhole));
		if (other !== undefined) {
			const what = FIELDS.includes(other) ? 'no text in' : 'a field';
			return { reason: wrongForm(`Row ${index + 1} of 'Canvases' has ${what} "${other.slice(0, 60)}".`) };
		}
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

/** All rows in a credential as they are, the empty and the bad ones too; undefined if it has none. */
export function allRows(fields: Fields): NamedCanvas[] | undefined {
	return rowsOf(fields.canvases)?.map(readRow);
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

/** The fields of a row. */
const FIELDS = ['name', 'triggerId', 'secret'];

/** The rows as n8n has stored them; undefined if they have another form, which only n8n's API lets through. */
function rowsOf(stored: unknown): Fields[] | undefined {
	if (stored === undefined || stored === null || stored === '') return [];
	// n8n 1 tests a credential without resolving an expression that stands for all rows.
	if (typeof stored === 'string' && stored.startsWith('=')) return [];
	if (!isJsonObject(stored) || Object.keys(stored).some((name) => name !== 'canvas')) return undefined;
	const { canvas = [] } = stored;
	return Array.isArray(canvas) && canvas.every(isJsonObject) ? canvas : undefined;
}

function wrongForm(what: string): string {
	return `${what} Enter the canvases again in the Sobot API credential, or send this form to n8n's API: ${FORM_OF_CANVASES}`;
}

function readRow({ name, triggerId, secret }: Fields): NamedCanvas {
	return { name: trimmed(name), triggerId: trimmed(triggerId), secret: trimmed(secret) };
}

/** Text, or what stands for none or for text. */
const isText = (value: unknown) =>
	value === undefined || value === null || typeof value === 'string' || typeof value === 'number';

function trimmed(value: unknown): string {
	return typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
}

function reasonAgainstRow(row: Fields, { triggerId, secret }: NamedCanvas): string | undefined {
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
