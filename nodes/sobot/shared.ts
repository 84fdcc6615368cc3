// The only state that outlives an execution.
import { accountKey, type Account } from './account/account';
import { CanvasTrust } from './canvas/canvasTrust';
import { RateLimiter } from './canvas/rateLimiter';
import { systemClock } from './clock';
import { KeyClaims } from './ledger/keyClaims';
import { PushMemory } from './push/pushMemory';
import { Registry } from './registry';
import { TokenSession } from './token/tokenSession';

const sessions = new Registry(() => new TokenSession(systemClock));
const rateLimiters = new Registry(() => new RateLimiter(systemClock));
const trusts = new Registry(() => new CanvasTrust(systemClock));
const claims = new Map<string, KeyClaims>();
const pushMemories = new Registry(() => new PushMemory(systemClock));

/** The session that all executions of this process share for an account. */
export function sessionOf(account: Account): TokenSession {
	return sessions.get(accountKey(account));
}

/** The evidence on a canvas. @param key the account, the trigger ID and the secret */
export function trustOf(key: string): CanvasTrust {
	return trusts.get(key);
}

/** What this process knows of a node's keys, for its whole life. @param node the workflow's and the node's ID */
export function claimsOf(node: string): KeyClaims {
	const known = claims.get(node) ?? new KeyClaims();
	claims.set(node, known);
	return known;
}

/** The memory of a trigger's accepted pushes. @param trigger the workflow's and the node's ID */
export function pushMemoryOf(trigger: string): PushMemory {
	return pushMemories.get(trigger);
}

/** The rate limiter that all executions of this process share for a trigger ID at a host. */
export function rateLimiterOf(baseUrl: string, triggerId: string): RateLimiter {
	return rateLimiters.get(`${new URL(baseUrl).host}\n${triggerId}`);
}
