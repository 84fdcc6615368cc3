// Passes information between the steps of one authentication. n8n passes the same object of credential fields to
// `preAuthentication`, to `authenticate` and, if the request fails, to `preAuthentication` again.
import type { Token } from '../account/account';
import type { TokenError } from './tokenApi';

/** One renewal that this package's own node has requested, and its result. */
export interface Renewal {
	/** the token that it replaces */
	readonly previous: Token | undefined;
	/** whether n8n has called `preAuthentication` for it: its Engine 2.0 never does */
	isRequested?: boolean;
	/** the new token, known even if n8n could not store it */
	token?: Token;
	/** why there is none, known even if n8n lost the cause */
	failure?: TokenError;
}

/** What the steps of one authentication know of each other. */
export interface Authentication {
	/** the renewal that it serves; undefined for a request of n8n's own */
	readonly renewal?: Renewal;
	/** the token that `preAuthentication` has got, if it was called */
	token?: Token;
	/** whether a request was sent with a token: sending it again could repeat its effect */
	isAttached?: boolean;
	/** whether this is a credential test */
	isTest?: boolean;
}

// Known by the object of the fields: n8n could store a field of our own with the credential.
const authentications = new WeakMap<object, Authentication>();

/** Begins a renewal. n8n fetches a token only if the field `token` is empty, as in the returned fields. */
export function beginRenewal<Fields extends object>(fields: Fields, previous: Token | undefined) {
	const cleared = { ...fields, token: '' };
	const renewal: Renewal = { previous };
	authentications.set(cleared, { renewal });
	return { fields: cleared, renewal };
}

/** The authentication that these fields belong to. */
export function authenticationOf(fields: object): Authentication {
	const authentication = authentications.get(fields) ?? {};
	authentications.set(fields, authentication);
	return authentication;
}
