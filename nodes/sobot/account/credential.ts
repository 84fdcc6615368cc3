// Room `account`: what the fields of the Sobot API credential mean, or the reason why they mean nothing.
import { ENV_IS_BLOCKED } from '../outcome/errors';
import { accountKey, type Account, type Fields, type Token } from './account';
import { readBaseUrl } from './baseUrl';

/** The fields that users fill in, possibly with expressions, and their labels. */
const TYPED_FIELDS: Readonly<Record<string, string>> = {
	region: 'Region',
	baseUrl: 'Base URL',
	appId: 'App ID',
	appKey: 'App Key',
	canvases: 'Canvases',
};

/**
 * The default of the hidden field `expressions`. n8n resolves it with the other fields, to a JSON object of the fields
 * that contain an expression, as they were typed. `typedExpressions` reads it.
 */
export const COLLECT_EXPRESSIONS = `={{ JSON.stringify(Object.fromEntries(${JSON.stringify(Object.keys(TYPED_FIELDS))}.map(name => [name, $self[name]]).filter(([, value]) => (JSON.stringify(value) || "").includes('"=')))) }}`;

/** The account that a credential names, or a text that says what is wrong with its fields: then nothing may be sent. */
export function readAccount(fields: Fields): { account: Account } | { reason: string } {
	// n8n leaves 'Base URL' out where no field for it is shown.
	const address = fields.region === 'custom' ? ['baseUrl'] : [];
	const unresolved = reasonAgainstExpression(fields, ['region', ...address, 'appId', 'appKey']);
	if (unresolved !== undefined) return { reason: unresolved };
	const appId = String(fields.appId ?? '').trim();
	const appKey = String(fields.appKey ?? '').trim();
	const reading = readBaseUrl(fields);
	if (appId === '') return { reason: "'App ID' is empty. Enter it in the Sobot API credential." };
	if (appKey === '') return { reason: "'App Key' is empty. Enter it in the Sobot API credential." };
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

/** The fields to store for a token. All are strings: docs/n8n-behavior.md, C7. */
export function fieldsFromToken(token: Token, account: Account): Record<string, string> {
	return {
		token: token.value,
		tokenFetchedAt: String(token.fetchedAtMs),
		tokenExpiresAt: String(token.expiresAtMs),
		tokenAccount: accountKey(account),
	};
}

/** The fields that contain expressions, as typed, to store with a new token: docs/n8n-behavior.md, C8. */
export function typedExpressions(fields: Fields): Record<string, unknown> {
	const { expressions } = fields;
	if (typeof expressions !== 'string' || !expressions.startsWith('{')) return {};
	return JSON.parse(expressions) as Record<string, unknown>;
}

/** Whether users have entered the same: a token that is renewed meanwhile makes no difference. */
export function sameTypedFields(one: Fields, other: Fields): boolean {
	const typed = (fields: Fields) => JSON.stringify(Object.keys(TYPED_FIELDS).map((name) => fields[name]));
	return typed(one) === typed(other);
}

/**
 * The first of these fields whose expression gives nothing, and what to do, as a text; undefined if there is none. n8n fills
 * every other field with its default. n8n 2 does not tell which fields are expressions.
 */
export function reasonAgainstExpression(fields: Fields, names: readonly string[]): string | undefined {
	const typed = typedExpressions(fields);
	const isEmpty = (value: unknown) => typeof value === 'string' && value.trim() === '';
	const name = names.find(
		(one) => (fields[one] ?? undefined) === undefined || (one in typed && isEmpty(fields[one])),
	);
	if (name === undefined) return undefined;
	const reason = `The expression in '${TYPED_FIELDS[name]}' results in no text. Check it in the Sobot API credential.`;
	const mayUseEnv = !(name in typed) || JSON.stringify(typed[name]).includes('$env');
	return mayUseEnv ? `${reason} ${ENV_IS_BLOCKED}` : reason;
}
