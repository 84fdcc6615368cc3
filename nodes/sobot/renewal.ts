// Passes information between the steps of one authentication. n8n passes the same object of credential fields to
// `preAuthentication`, to `authenticate` and, if the request fails, to `preAuthentication` again.
import type { Token } from './account';
import type { TokenError } from './tokenApi';

/** One renewal that this package's own node has requested, and its result. */
export interface Renewal {
	/** the token that it replaces */
	readonly previous: Token | undefined;
	/** the new token, known even if n8n could not store it */
	token?: Token;
	/** why there is none, known even if n8n lost the cause */
	failure?: TokenError;
}

// Known by the object of the fields, since a field of its own could end up in the stored credential.
const renewals = new WeakMap<object, Renewal>();
const granted = new WeakMap<object, Token>();
const attached = new WeakSet<object>();
const tested = new WeakSet<object>();

/** Begins a renewal. n8n fetches a token only if the field `token` is empty, as in the returned fields. */
export function beginRenewal<Fields extends object>(
	fields: Fields,
	previous: Token | undefined,
): { fields: Fields & { token: string }; renewal: Renewal } {
	const cleared = { ...fields, token: '' };
	const renewal: Renewal = { previous };
	renewals.set(cleared, renewal);
	return { fields: cleared, renewal };
}

/** The renewal that these fields belong to; undefined for a request of n8n's own. */
export function renewalOf(fields: object): Renewal | undefined {
	return renewals.get(fields);
}

/** Notes that `preAuthentication` has got this token for these fields. */
export function grant(fields: object, token: Token): void {
	granted.set(fields, token);
}

/** The token that `preAuthentication` has got for these fields, if it was called. */
export function grantedToken(fields: object): Token | undefined {
	return granted.get(fields);
}

/** Notes whether a request with these fields leaves with a token. */
export function noteAttached(fields: object, isAttached: boolean): void {
	if (isAttached) attached.add(fields);
	else attached.delete(fields);
}

/** Whether a request with these fields was sent with a token. Then sending it again could repeat its effect. */
export function wasAttached(fields: object): boolean {
	return attached.has(fields);
}

/** Notes that these fields are those of a credential test. */
export function noteTested(fields: object): void {
	tested.add(fields);
}

/** Whether these are the fields of a credential test. */
export function isTested(fields: object): boolean {
	return tested.has(fields);
}
