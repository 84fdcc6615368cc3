// An account at Sobot, and the token that its calls are sent with.
import { createHash } from 'crypto';

/** Whose token: an App ID and its key at one of Sobot's hosts. */
export interface Account {
	baseUrl: string;
	appId: string;
	appKey: string;
}

/** A token and its life, in epoch milliseconds by the clock of the machine that fetched it. */
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
