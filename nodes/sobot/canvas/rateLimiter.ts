// Rate limiter for one trigger ID, shared by all executions of this process: first come, first served, except that other
// callers may pass a caller whose own limit does not allow a call yet.
import type { Clock } from '../clock';
import { AdaptiveRate, CALLS_PER_SECOND, SAFE_WINDOW_MS, WINDOW_MS } from './adaptiveRate';

/** Lag from late timers and a busy process is made up, but at most this many ms of it. */
const MOST_CAUGHT_UP_MS = 200;

/** Longest sleep, in ms, before the limiter looks again: a stopped execution waits no longer than this. */
const LONGEST_SLEEP_MS = 250;

/** One caller's wait for a slot. */
interface Waiter {
	readonly requestsPerSecond: number;
	/** Whether the caller no longer wants a slot. */
	isAborted(): boolean;
	resolve(isGranted: boolean): void;
}

/** Hands out the slots of one trigger ID. */
export class RateLimiter {
	private readonly rate: AdaptiveRate;
	/** when the next slot of each 'Requests per Second' begins: a call needs one of each limit that is not below its own */
	private readonly nextMs = new Map([[CALLS_PER_SECOND, -Infinity]]);
	/** the latest calls, oldest first: more than any second may hold */
	private readonly calls: Array<{ readonly sentMs: number; readonly requestsPerSecond: number }> = [];
	private waiting: Waiter[] = [];
	/** when the current timer fires; earlier timers are ignored */
	private wakeMs = Infinity;

	constructor(private readonly clock: Clock) {
		this.rate = new AdaptiveRate(() => clock.random());
	}

	/**
	 * Waits for a slot, in which one call may be sent. Callers that ask for one slot at a time share evenly.
	 *
	 * @param requestsPerSecond the most calls in any one second, 1 to 50, together with all callers that allow no more
	 * @param isAborted whether the caller no longer wants a slot, asked while it waits
	 * @returns false if the wait was aborted before the slot came: then nothing may be sent
	 */
	async takeSlot(requestsPerSecond: number, isAborted = () => false): Promise<boolean> {
		return await new Promise<boolean>((resolve) => {
			this.waiting.push({ requestsPerSecond, isAborted, resolve });
			this.grantDue();
		});
	}

	/** Reports that Sobot refused a call, sent at `sentMs`, because it was over the limit. */
	refused(sentMs: number): void {
		this.rate.refused(this.clock.nowMs(), sentMs);
	}

	/** Grants all slots that are due, and sets one timer for all callers that still wait. */
	private grantDue(): void {
		const waitMs = Math.ceil(Math.min(this.grant(), LONGEST_SLEEP_MS));
		const wakeMs = this.clock.nowMs() + waitMs;
		if (this.waiting.length === 0 || wakeMs >= this.wakeMs) return;
		this.wakeMs = wakeMs;
		void this.clock.sleep(waitMs).then(() => {
			// Ignored: another timer that fires earlier has replaced this one.
			if (this.wakeMs !== wakeMs) return;
			this.wakeMs = Infinity;
			this.grantDue();
		});
	}

	/** Grants each caller, in order, the slot that is due for it. Returns how many ms to wait for the next one. */
	private grant(): number {
		const nowMs = this.clock.nowMs();
		const remaining: Waiter[] = [];
		let earliestMs = Infinity;
		for (const waiter of this.waiting) {
			if (waiter.isAborted()) {
				waiter.resolve(false);
				continue;
			}
			const atMs = this.earliestMs(waiter.requestsPerSecond);
			if (atMs <= nowMs) {
				this.take(nowMs, waiter.requestsPerSecond);
				waiter.resolve(true);
				continue;
			}
			earliestMs = Math.min(earliestMs, atMs);
			remaining.push(waiter);
		}
		this.waiting = remaining;
		return earliestMs - nowMs;
	}

	private earliestMs(requestsPerSecond: number): number {
		if (!this.nextMs.has(requestsPerSecond)) this.nextMs.set(requestsPerSecond, -Infinity);
		let earliestMs = this.rate.pausedUntilMs;
		for (const [limit, nextMs] of this.nextMs) {
			if (limit < requestsPerSecond) continue;
			const oldest = this.calls.filter((call) => call.requestsPerSecond <= limit).at(-limit);
			const windowMs = limit < CALLS_PER_SECOND ? WINDOW_MS : SAFE_WINDOW_MS;
			earliestMs = Math.max(earliestMs, nextMs, (oldest?.sentMs ?? -Infinity) + windowMs);
		}
		return earliestMs;
	}

	private take(sentMs: number, requestsPerSecond: number): void {
		this.calls.push({ sentMs, requestsPerSecond });
		if (this.calls.length > CALLS_PER_SECOND) this.calls.shift();
		this.rate.recordSent(sentMs);
		const rate = this.rate.rateAt(sentMs);
		for (const [limit, nextMs] of this.nextMs) {
			if (limit < requestsPerSecond) continue;
			// A pause is not made up.
			const fromMs = Math.max(nextMs, sentMs - MOST_CAUGHT_UP_MS, this.rate.pausedUntilMs);
			this.nextMs.set(limit, fromMs + WINDOW_MS / Math.min(limit, rate));
		}
	}
}
