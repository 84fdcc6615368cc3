// Fingerprints of the canvases' secrets, stored with the token. They show if n8n has moved secrets to other rows:
// docs/n8n-behavior.md, C9.
import { createHmac, randomBytes } from 'crypto';
import type { Fields } from './account';
import { allRows, type NamedCanvas } from './canvasRows';
import { typedExpressions } from './credential';

/** A row as it was: its trigger ID, its name, and the fingerprint of its secret. */
type Fingerprint = readonly [triggerId: string, name: string, digest: string];

/**
 * The fingerprints of all rows, in order, for n8n to store. As long as secrets are in the wrong rows, those stored before:
 * they alone show where each secret belongs. Empty if there is nothing to compare.
 */
export function fingerprintsOf(fields: Fields): string {
	const rows = comparableRows(fields);
	if (rows.length === 0) return '';
	if (misplacedSecrets(fields) !== undefined) return String(fields.canvasFingerprints);
	const { salt = randomBytes(12).toString('base64url') } = parse(fields.canvasFingerprints);
	const prints = rows.map((row): Fingerprint => [row.triggerId, row.name, digestOf(salt, row)]);
	return JSON.stringify([salt, ...prints]);
}

/** Which rows hold the secrets of other rows, and what to do, as a text; undefined if none is known to. */
export function misplacedSecrets(fields: Fields): string | undefined {
	const { salt = '', prints: before } = parse(fields.canvasFingerprints);
	const found = comparableRows(fields).flatMap((row, index) => {
		const there = before[index];
		const own = before.find(([triggerId]) => triggerId === row.triggerId);
		// A canvas whose secret was not stored, or that is where it was, has the secret that its user has entered.
		if (!there || !own || own === there) return [];
		const [triggerId, name, digest] = there;
		if (digestOf(salt, { ...row, triggerId }) !== digest || digestOf(salt, row) === own[2]) return [];
		return [`Row ${index + 1} ('${row.name || row.triggerId}') holds the secret of '${name || triggerId}'.`];
	});
	if (found.length === 0) return undefined;
	return `${found.join(' ')} Enter their 'Secret' again: when a row is deleted, n8n keeps the secrets in their places.`;
}

/** The rows, the empty ones too; none if n8n tells that expressions fill them in, perhaps for each item in another way. */
function comparableRows(fields: Fields): NamedCanvas[] {
	return 'canvases' in typedExpressions(fields) ? [] : (allRows(fields) ?? []);
}

/** Salted: equal secrets of two credentials have different digests. */
function digestOf(salt: string, { triggerId, secret }: Omit<NamedCanvas, 'name'>): string {
	return createHmac('sha256', salt)
		.update(JSON.stringify([triggerId, secret]))
		.digest('base64url')
		.slice(0, 22);
}

/** The salt and the rows as they were stored; none if there is nothing, or something else. */
function parse(stored: unknown): { salt?: string; prints: Fingerprint[] } {
	const nothing = { prints: [] };
	if (typeof stored !== 'string' || !stored.startsWith('[')) return nothing;
	try {
		const [salt, ...prints] = JSON.parse(stored) as unknown[];
		const isPrint = (print: unknown): print is Fingerprint => Array.isArray(print) && print.length === 3;
		return typeof salt === 'string' && prints.every(isPrint) ? { salt, prints } : nothing;
	} catch {
		return nothing;
	}
}
