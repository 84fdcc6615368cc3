import { findCanvas, readCanvases } from '../../nodes/sobot/account/canvasRows';

const ID = '1234567890123456789';
const OTHER = '1234567890123456780';
const row = (more: object = {}) => ({ name: 'Welcome', triggerId: ID, secret: 's3cret', ...more });
const read = (...canvas: unknown[]) => readCanvases({ canvases: { canvas } });
const EMPTY = { name: '', triggerId: '', secret: '' };

test('reads the rows, without the blanks around their values', () => {
	const canvases = [row(), row({ name: 'Order', triggerId: OTHER })];
	expect(read(row({ name: ' Welcome ', secret: 's3cret\n' }), canvases[1])).toEqual({ canvases });
});

test.each([
	['an empty collection', { canvases: {} }],
	['no rows', { canvases: { canvas: [] } }],
	['an expression that n8n 1 does not resolve in a test', { canvases: '={{ $vars.canvases }}' }],
	['only empty rows', { canvases: { canvas: [EMPTY, { name: ' ' }, {}] } }],
])('%s: no canvases', (_, fields) => {
	expect(readCanvases(fields)).toEqual({ canvases: [] });
});

test.each([
	['a list', [row()]],
	['JSON', '{"canvas":[]}'],
	['an object that is a row', row()],
	['rows that are an object', { canvas: { 0: row() } }],
	['rows that are a text', { canvas: '[]' }],
	['rows that are texts', { canvas: [ID] }],
	['rows that are null', { canvas: [null] }],
	['another name for the rows', { canvases: [row()] }],
	['a number', 5],
])('%s instead of rows is refused, with the right form', (_, canvases) => {
	expect(readCanvases({ canvases })).toEqual({
		reason: `'Canvases' is not a list of rows. Enter the canvases again in the Sobot API credential, or send this form to n8n's API: {"canvas":[{"name":"Welcome","triggerId":"1234567890123456789","secret":"..."}]}`,
	});
});

test.each([undefined, null])('an expression that gives %s is refused', (canvases) => {
	const reason = expect.stringContaining("The expression in 'Canvases' results in no text.") as string;
	expect(readCanvases({ canvases })).toEqual({ reason });
});

test('a row of other fields is refused, and not taken for an empty one', () => {
	const reason = expect.stringContaining(`Row 2 of 'Canvases' has a field "trigger_id". Enter`) as string;
	expect(read(row(), { trigger_id: OTHER, label: 'x' })).toEqual({ reason });
	expect(read({ ...row(), more: 1 })).toEqual({ canvases: [row()] });
});

test('an empty row is ignored, and counts where a row is named', () => {
	expect(read(EMPTY, row())).toEqual({ canvases: [row()] });
	expect(read(row(), EMPTY, row({ name: 'Welcome', triggerId: OTHER }))).toEqual({
		reason: "Row 3 ('Welcome'): Another row has the same 'Name'.",
	});
});

test('a row without a name is called by its trigger ID', () => {
	expect(read(row({ name: '' }))).toEqual({ canvases: [row({ name: ID })] });
});

test.each([
	['too short', { triggerId: '123456789012345678' }, "'Trigger ID' must have 19 digits; it has 18."],
	['too long', { triggerId: `${ID}0` }, "'Trigger ID' must have 19 digits; it has 20."],
	['not digits', { triggerId: '12345678901234567-8' }, "'Trigger ID' must have 19 digits and nothing else."],
	['missing', { triggerId: ' ' }, "'Trigger ID' is empty. Copy it from the canvas in Sobot."],
	[
		'a number, whose last digits are lost',
		{ triggerId: Number(ID) },
		"'Trigger ID' is a number, which cannot hold 19 digits. Turn it into text.",
	],
	['without a secret', { secret: '' }, "'Secret' is empty. Copy it from the canvas in Sobot."],
	[
		'with a secret that n8n has not restored',
		{ secret: '__n8n_BLANK_VALUE_e5362baf-c777-4d57-a609-6eaf1f9e87f6' },
		"'Secret' is empty. Copy it from the canvas in Sobot.",
	],
	[
		'with a secret of several lines',
		{ secret: 'one\ntwo' },
		"'Secret' contains characters that are not allowed in a header. Copy it again from the canvas in Sobot.",
	],
	['the trigger ID of another row', {}, "Another row has the same 'Trigger ID'."],
	[
		'the name of another row',
		{ triggerId: '9234567890123456789', name: 'First' },
		"Another row has the same 'Name'.",
	],
	[
		'a name that is the trigger ID of another row',
		{ triggerId: '9234567890123456789', name: ID },
		"The 'Trigger ID' of one row is the 'Name' of another.",
	],
])('a row that is %s is refused by its number and name', (_, more, reason) => {
	const second = row({ name: 'Second', ...more });
	expect(read(row({ name: 'First' }), second)).toEqual({ reason: `Row 2 ('${second.name}'): ${reason}` });
});

test('a bad row without a name is named by its number', () => {
	expect(read(row({ name: '', triggerId: '1' }))).toEqual({
		reason: "Row 1: 'Trigger ID' must have 19 digits; it has 1.",
	});
});

describe('a canvas is found', () => {
	const canvases = [row(), row({ name: 'Order', triggerId: OTHER })];

	test.each([
		['by its trigger ID', OTHER, 'Order'],
		['by its name', 'Order', 'Order'],
		['with blanks around it', ` ${ID} `, 'Welcome'],
	])('%s', (_, wanted, name) => {
		expect(findCanvas(canvases, wanted)?.name).toBe(name);
	});

	test.each([
		['another case', 'order'],
		['a part of the name', 'Ord'],
		['nothing', ''],
	])('but not by %s', (_, wanted) => {
		expect(findCanvas(canvases, wanted)).toBeUndefined();
	});
});
