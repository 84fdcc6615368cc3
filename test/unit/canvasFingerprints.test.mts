// The rows of a credential before and after a user has changed them, as n8n restores their secrets: by the row's number.
import { fingerprintsOf, misplacedSecrets } from '../../nodes/sobot/account/canvasFingerprints';

const KEY = 'app-key';
const [A, B, C, D] = ['A', 'B', 'C', 'D'].map((name, index) => ({
	name,
	triggerId: `123456789012345678${index}`,
	secret: `secret of ${name}`.replaceAll(' ', '-'),
})) as [Row, Row, Row, Row];
const NEW = { name: 'New', triggerId: '9'.repeat(19), secret: 'secret-of-new' };
const EMPTY = { name: '', triggerId: '', secret: '' };
interface Row {
	name: string;
	triggerId: string;
	secret: string;
}

const fields = (rows: readonly Row[], more: object = {}) => ({
	appKey: KEY,
	canvases: { canvas: rows },
	...more,
});
const stored = (rows: readonly Row[]) => ({
	...fields(rows),
	canvasFingerprints: fingerprintsOf(fields(rows)),
});
/** The rows that a user leaves, each with the secret that was in its place. */
const left = (before: readonly Row[], ...rows: Row[]) =>
	rows.map((row, index) => ({ ...row, secret: before[index]?.secret ?? row.secret }));
const found = (before: readonly Row[], now: readonly Row[]) =>
	misplacedSecrets({ ...stored(before), ...fields(now) });

const ALL = [A, B, C];

test('a row deleted: every row below holds the secret of another', () => {
	expect(found(ALL, left(ALL, B, C))).toBe(
		"Row 1 ('B') holds the secret of 'A'. Row 2 ('C') holds the secret of 'B'. Enter their 'Secret' again: when a row is deleted, n8n keeps the secrets in their places.",
	);
	expect(found(ALL, left(ALL, A, C))).toContain("Row 2 ('C') holds the secret of 'B'. Enter");
});

test.each<[string, Row[], Row[]]>([
	['nothing changed', ALL, ALL],
	['the last row deleted', ALL, [A, B]],
	['all rows deleted', ALL, []],
	['a row cleared', ALL, [A, EMPTY, C]],
	['a row added', ALL, [...ALL, NEW]],
	['a new secret', ALL, [A, { ...B, secret: 'another' }, C]],
	['another canvas in a row, with a secret of its own', ALL, [A, NEW, C]],
	['a trigger ID corrected', ALL, [A, { ...B, triggerId: NEW.triggerId }, C]],
	['another name', ALL, [A, { ...B, name: 'Other' }, C]],
	['a row deleted, and all secrets entered again', ALL, [B, C]],
	['two secrets that were in the wrong rows, corrected', swapped(A, B), [A, B]],
	['rows with one secret for all', same(ALL), same([B, C])],
	['canvases whose secret was never stored', [], [A, B]],
])('%s: nothing is wrong', (_, before, now) => {
	expect(found(before, now)).toBeUndefined();
});

test('is known until the secrets are entered again, whatever is stored meanwhile', () => {
	const shifted = { ...stored(ALL), ...fields(left(ALL, B, C)) };
	const renewed = { ...shifted, canvasFingerprints: fingerprintsOf(shifted) };
	expect(misplacedSecrets(renewed)).toContain("Row 1 ('B')");
	const half = { ...renewed, ...fields([B, { ...C, secret: B.secret }]) };
	expect(misplacedSecrets(half)).toBe(
		misplacedSecrets({ ...stored(ALL), ...fields(left(ALL, B, C).with(0, B)) }),
	);
	const right = { ...half, ...fields([B, C]) };
	expect(misplacedSecrets(right)).toBeUndefined();
	const deletedAgain = { ...right, canvasFingerprints: fingerprintsOf(right) };
	expect(misplacedSecrets({ ...deletedAgain, ...fields(left([B, C], C)) })).toContain(
		"Row 1 ('C') holds the secret of 'B'",
	);
});

test('two rows deleted one after the other', () => {
	const all = [A, B, C, D];
	const first = left(all, B, C, D);
	const shifted = { ...stored(all), ...fields(first) };
	const again = { ...shifted, canvasFingerprints: fingerprintsOf(shifted), ...fields(left(first, B, D)) };
	expect(misplacedSecrets(again)).toContain(
		"Row 1 ('B') holds the secret of 'A'. Row 2 ('D') holds the secret of 'B'.",
	);
});

test('a row without a name is called by its trigger ID', () => {
	const nameless = [{ ...A, name: '' }, B];
	expect(found(nameless, left(nameless, B))).toContain(`Row 1 ('B') holds the secret of '${A.triggerId}'`);
});

test.each([
	['no fingerprints', { canvasFingerprints: '' }],
	['something else', { canvasFingerprints: '{"a":[1]}' }],
	['no JSON', { canvasFingerprints: '[[' }],
	['canvases of another form', { canvases: [] }],
])('with %s nothing is known', (_, more) => {
	expect(misplacedSecrets({ ...stored(ALL), ...fields(left(ALL, B, C)), ...more })).toBeUndefined();
});

test('secrets from expressions have no fingerprint: they can differ for each item', () => {
	const expressions = JSON.stringify({ canvases: { canvas: [{ secret: '={{ $json.secret }}' }] } });
	expect(fingerprintsOf(fields(ALL, { expressions }))).toBe('');
});

test('a fingerprint is salted text that shows no secret', () => {
	const text = fingerprintsOf(fields(ALL));
	for (const { secret } of ALL) expect(text).not.toContain(secret);
	expect(text).not.toContain(KEY);
	expect(fingerprintsOf(fields(ALL, { canvasFingerprints: text }))).toBe(text);
	expect(fingerprintsOf(fields(ALL))).not.toBe(text);
	// Two rows with one secret do not show it.
	const digests = (JSON.parse(fingerprintsOf(fields(same(ALL)))) as string[][]).map((row) => row.at(-1));
	expect(new Set(digests.slice(1)).size).toBe(3);
});

function swapped(one: Row, other: Row): Row[] {
	return [
		{ ...one, secret: other.secret },
		{ ...other, secret: one.secret },
	];
}

function same(rows: readonly Row[]): Row[] {
	return rows.map((row) => ({ ...row, secret: 'one-for-all' }));
}
