// Passes information between the steps of one authentication. n8n passes the same object of credential fields to
// `preAuthentication`, to `authenticate` and, if the request fails, to `preAuthentication` again.
import type { Token } from '../account/account';
import type { TokenError } from './tokenApi';

/** What the steps of one authentication know of each other. */
export interface Authentication {
	/** whether this package's own node has requested it to renew the token, and sends nothing */
	readonly isRenewal?: boolean;
	/** a token that this process fetched after this will do, in epoch ms; Infinity for a new one in any case */
	sinceMs?: number;
	/** the token of the request, known even if n8n could not store it. Sending the request again could repeat its effect */
	token?: Token;
	/** why there is none, known even if n8n lost the cause */
	failure?: TokenError;
}

// Known by the object of the fields: n8n could store a field of our own with the credential.
const authentications = new WeakMap<object, Authentication>();

/** Begins a renewal. n8n fetches a token only if the field `token` is empty, as in the returned fields. */
export function beginRenewal<Fields extends object>(fields: Fields, previous: Token | undefined) {
	const cleared = { ...fields, token: '' };
	const renewal: Authentication = { isRenewal: true, sinceMs: previous?.fetchedAtMs };
	authentications.set(cleared, renewal);
	return { fields: cleared, renewal };
}

/** The authentication that these fields belong to. */
export function authenticationOf(fields: object): Authentication {
	const authentication = authentications.get(fields) ?? {};
	authentications.set(fields, authentication);
	return authentication;
}
