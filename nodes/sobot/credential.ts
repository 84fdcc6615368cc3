// The fields of the Sobot API credential, as n8n stores them, and their meaning.
import { accountKey, type Account, type Token } from './account';
import { readBaseUrl } from './baseUrl';

/** The credential's fields, of any type: an expression can stand in each. */
type Fields = Readonly<Record<string, unknown>>;

/** The fields that users fill in, possibly with expressions. */
const TYPED_FIELDS = ['region', 'baseUrl', 'appId', 'appKey', 'canvases'] as const;

/**
 * The default of the hidden field `expressions`. n8n resolves it with the other fields, to a JSON object of the fields
 * that contain an expression, as they were typed. `typedExpressions` reads it.
 */
export const COLLECT_EXPRESSIONS = `={{ JSON.stringify(Object.fromEntries(${JSON.stringify(TYPED_FIELDS)}.map(name => [name, $self[name]]).filter(([, value]) => (JSON.stringify(value) || "").includes('"=')))) }}`;

/** The account that a credential names, or a text that says what is wrong with its fields: then nothing may be sent. */
export function readAccount(fields: Fields): { account: Account } | { reason: string } {
	const appId = String(fields.appId ?? '').trim();
	const appKey = String(fields.appKey ?? '').trim();
	const reading = readBaseUrl(fields);
	if (appId === '') return { reason: emptyField(fields, 'appId', 'App ID') };
	if (appKey === '') return { reason: emptyField(fields, 'appKey', 'App Key') };
	if ('reason' in reading) return reading;
	return { account: { baseUrl: reading.baseUrl, appId, appKey } };
}

/** The token that is stored in a credential for the account that it names; undefined if there is none. */
export function tokenFromFields(fields: Fields): Token | undefined {
	const { token } = fields;
	if (typeof token !== 'string' || token === '') return undefined;
	const reading = readAccount(fields);
	// The stored token remains when a user changes the App ID. It belongs to the account that it was fetched for.
	if ('reason' in reading || fields.tokenAccount !== accountKey(reading.account)) return undefined;
	return {
		value: token,
		fetchedAtMs: Number(fields.tokenFetchedAt) || 0,
		expiresAtMs: Number(fields.tokenExpiresAt) || 0,
	};
}

/** The fields to store for a token. All are strings: n8n 1.123 cannot open a credential with values of other types. */
export function fieldsFromToken(token: Token, account: Account): Record<string, string> {
	return {
		token: token.value,
		tokenFetchedAt: String(token.fetchedAtMs),
		tokenExpiresAt: String(token.expiresAtMs),
		tokenAccount: accountKey(account),
	};
}

/**
 * The fields that contain expressions, as typed. n8n 1.123 stores their resolved values together with a new token, which
 * these undo.
 */
export function typedExpressions(fields: Fields): Record<string, unknown> {
	const { expressions } = fields;
	if (typeof expressions !== 'string' || !expressions.startsWith('{')) return {};
	return JSON.parse(expressions) as Record<string, unknown>;
}

/** Whether two readings of a credential name the same account and canvases. */
export function sameTypedFields(one: Fields, other: Fields): boolean {
	const typed = (fields: Fields) => JSON.stringify(TYPED_FIELDS.map((name) => fields[name]));
	return typed(one) === typed(other);
}

function emptyField(fields: Fields, name: string, label: string): string {
	return name in typedExpressions(fields)
		? `The expression in '${label}' results in no text. Check it in the Sobot API credential.`
		: `'${label}' is empty. Enter it in the Sobot API credential.`;
}
