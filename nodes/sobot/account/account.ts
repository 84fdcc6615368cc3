// An account at Sobot, and the token of its calls.
import { createHash } from 'crypto';

/** An App ID and its key at one of Sobot's hosts. Every account has its own token. */
export interface Account {
	baseUrl: string;
	appId: string;
	appKey: string;
}

/** The fields of a stored credential, of any type: an expression can stand in each. */
export type Fields = Readonly<Record<string, unknown>>;

/** A token and its lifetime, in epoch milliseconds by the clock of the machine that fetched it. */
export interface Token {
	value: string;
	fetchedAtMs: number;
	expiresAtMs: number;
}

/** Identifies an account without keeping its App Key readable. */
export function accountKey({ baseUrl, appId, appKey }: Account): string {
	return createHash('sha256')
		.update(JSON.stringify([baseUrl, appId, appKey]))
		.digest('hex');
}
