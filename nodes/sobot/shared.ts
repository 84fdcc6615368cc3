// The only state that outlives an execution. It grows with the accounts, canvases and triggers of a process, not with time.
import { accountKey, type Account } from './account/account';
import { CanvasTrust } from './canvas/canvasTrust';
import { RateLimiter } from './canvas/rateLimiter';
import { systemClock } from './clock';
import { KeyClaims } from './ledger/keyClaims';
import { PushMemory } from './push/pushMemory';
import { TokenSession } from './token/tokenSession';

/** A function that returns the same value for the same key, for the life of the process. */
function oneForEachKey<Value>(create: () => Value): (key: string) => Value {
	const values = new Map<string, Value>();
	return (key) => {
		const value = values.get(key) ?? create();
		values.set(key, value);
		return value;
	};
}

const sessionOfKey = oneForEachKey(() => new TokenSession(systemClock));
const rateLimiterOfKey = oneForEachKey(() => new RateLimiter(systemClock));

/** The evidence on a canvas. The key: the account, the trigger ID and the secret. */
export const trustOf = oneForEachKey(() => new CanvasTrust(systemClock));

/** What this process knows of a node's keys. The key: the workflow's and the node's ID. */
export const claimsOf = oneForEachKey(() => new KeyClaims());

/** The memory of a trigger's accepted pushes. The key: the workflow's and the node's ID. */
export const pushMemoryOf = oneForEachKey(() => new PushMemory(systemClock));

/** The session that all executions of this process share for an account. */
export function sessionOf(account: Account): TokenSession {
	return sessionOfKey(accountKey(account));
}

/** The rate limiter that all executions of this process share for a trigger ID at a host. */
export function rateLimiterOf(baseUrl: string, triggerId: string): RateLimiter {
	return rateLimiterOfKey(`${new URL(baseUrl).host}\n${triggerId}`);
}
