// The only state that outlives an execution.
import { accountKey, type Account, type Token } from './account';
import { systemClock } from './clock';
import { Registry } from './registry';
import type { TokenError } from './tokenApi';
import { TokenFetch, type SendTokenRequest } from './tokenFetch';
import { TokenSession } from './tokenSession';

const sessions = new Registry(() => new TokenSession(systemClock));
const tokenFetches = new Registry(() => new TokenFetch(systemClock));

/** The session that all executions of this process share for an account. */
export function sessionOf(account: Account): TokenSession {
	return sessions.get(accountKey(account));
}

/** A token to replace `previous`, shared by all callers in this process. Rejects only with TokenError. */
export async function fetchToken(
	account: Account,
	previous: Token | undefined,
	send: SendTokenRequest,
): Promise<Token> {
	return await tokenFetches.get(accountKey(account)).fetch(account, previous, send);
}

/** A token from a new request, however young the last token is. Rejects only with TokenError. */
export async function fetchNewToken(account: Account, send: SendTokenRequest): Promise<Token> {
	return await tokenFetches.get(accountKey(account)).fetchNew(account, send);
}

/** Why the last fetch for an account failed, if it ended at or after `sinceMs` by the monotonic clock. */
export function lastFailure(account: Account, sinceMs: number): TokenError | undefined {
	return tokenFetches.get(accountKey(account)).failureSince(sinceMs);
}
