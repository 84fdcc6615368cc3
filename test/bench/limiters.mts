// Ways in which Sobot may count calls: it documents "50 calls a second", not how it counts them.
export interface Limiter {
	/** Whether a call that arrives at this moment is accepted. Moments never go backwards. */
	accepts(arrivedMs: number): boolean;
}

/** At most `limit` accepted calls in any `windowMs`; with `countsRefused`, refused calls count too. */
export function slidingWindow(limit: number, windowMs = 1000, countsRefused = false): Limiter {
	const window: number[] = [];
	return {
		accepts(arrivedMs) {
			while (window[0] !== undefined && window[0] <= arrivedMs - windowMs) window.shift();
			const isAccepted = window.length < limit;
			if (isAccepted || countsRefused) window.push(arrivedMs);
			return isAccepted;
		},
	};
}

/** At most `limit` calls from each full second to the next. */
export function fixedWindow(limit: number): Limiter {
	let second = -1;
	let count = 0;
	return {
		accepts(arrivedMs) {
			if (Math.floor(arrivedMs / 1000) !== second) count = 0;
			second = Math.floor(arrivedMs / 1000);
			return ++count <= limit;
		},
	};
}

/** A bucket of `burst` tokens that fills at `perSecond`; each accepted call takes one. */
export function tokenBucket(perSecond: number, burst: number): Limiter {
	let tokens = burst;
	let filledMs = 0;
	return {
		accepts(arrivedMs) {
			tokens = Math.min(burst, tokens + ((arrivedMs - filledMs) / 1000) * perSecond);
			filledMs = arrivedMs;
			// A token that is full but for rounding is full.
			if (tokens < 1 - 1e-9) return false;
			tokens--;
			return true;
		},
	};
}

/** Refuses everything for `banMs` once `limiter` has refused a call; with `extends`, from each refused call on. */
export function banning(limiter: Limiter, banMs: number, isExtended: boolean): Limiter {
	let bannedUntilMs = -Infinity;
	return {
		accepts(arrivedMs) {
			const isBanned = arrivedMs < bannedUntilMs;
			if (!isBanned && limiter.accepts(arrivedMs)) return true;
			if (!isBanned || isExtended) bannedUntilMs = arrivedMs + banMs;
			return false;
		},
	};
}
