// Ways in which Sobot may count a canvas's calls against its limit. Its document names the limit only, not how it counts.
// A limiter knows the moments of arrival alone, so that it can be tried without waiting.

/**
 * - `slidingWindow`: at most the limit in any one second; a refused call is not counted
 * - `fixedWindow`: at most the limit in each second of the clock
 * - `tokenBucket`: a bucket of one second's calls, refilled evenly
 * - `countRefused`: as `slidingWindow`, but a refused call is counted too
 * - `ban`: as `slidingWindow`, but after a refusal everything is refused for a minute
 */
export const LIMITER_KINDS = ['slidingWindow', 'fixedWindow', 'tokenBucket', 'countRefused', 'ban'] as const;
export type LimiterKind = (typeof LIMITER_KINDS)[number];

const WINDOW_MS = 1000;
const BAN_MS = 60_000;

/** The calls of one trigger ID. */
export class Limiter {
	/** calls that count, in order */
	private arrivalsMs: number[] = [];
	private level?: number;
	private lastMs = 0;
	private bannedUntilMs = 0;

	constructor(readonly kind: LimiterKind) {}

	/** Is a call that arrives now within the limit? Moments must not go back. */
	take(callsPerSecond: number, nowMs: number): boolean {
		if (this.kind === 'tokenBucket') return this.takeFromBucket(callsPerSecond, nowMs);
		if (nowMs < this.bannedUntilMs) return false;
		this.arrivalsMs = this.arrivalsMs.filter((ms) => this.counts(ms, nowMs));
		const isWithin = this.arrivalsMs.length < callsPerSecond;
		if (isWithin || this.kind === 'countRefused') this.arrivalsMs.push(nowMs);
		if (!isWithin && this.kind === 'ban') this.bannedUntilMs = nowMs + BAN_MS;
		return isWithin;
	}

	private counts(arrivedMs: number, nowMs: number): boolean {
		if (this.kind !== 'fixedWindow') return nowMs - arrivedMs < WINDOW_MS;
		return Math.floor(arrivedMs / WINDOW_MS) === Math.floor(nowMs / WINDOW_MS);
	}

	private takeFromBucket(callsPerSecond: number, nowMs: number): boolean {
		const refilled = ((nowMs - this.lastMs) / WINDOW_MS) * callsPerSecond;
		const level = Math.min((this.level ?? callsPerSecond) + refilled, callsPerSecond);
		this.lastMs = nowMs;
		this.level = level >= 1 ? level - 1 : level;
		return level >= 1;
	}
}
