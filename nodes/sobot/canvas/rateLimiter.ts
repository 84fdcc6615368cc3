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
	/** the slots of each 'Requests per Second': a call needs one of each limit that is not below its own */
	private readonly slots = new Map([[CALLS_PER_SECOND, new Slots(CALLS_PER_SECOND)]]);
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
				this.take(nowMs, waiter);
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
		this.addSlots(requestsPerSecond);
		let earliestMs = this.rate.pausedUntilMs;
		for (const [perSecond, slots] of this.slots) {
			if (perSecond >= requestsPerSecond) earliestMs = Math.max(earliestMs, slots.earliestMs);
		}
		return earliestMs;
	}

	private take(nowMs: number, waiter: Waiter): void {
		this.rate.recordSent(nowMs);
		const rate = this.rate.rateAt(nowMs);
		for (const [perSecond, slots] of this.slots) {
			if (perSecond < waiter.requestsPerSecond) continue;
			slots.take(nowMs, Math.min(perSecond, rate), this.rate.pausedUntilMs);
		}
	}

	private addSlots(requestsPerSecond: number): void {
		if (this.slots.has(requestsPerSecond)) return;
		// The slots of the next lower limit hold all earlier calls that count for this one.
		const lower = Math.max(...[...this.slots.keys()].filter((one) => one < requestsPerSecond));
		this.slots.set(requestsPerSecond, new Slots(requestsPerSecond, this.slots.get(lower)));
	}
}

/** Evenly spaced slots, of which no second holds more than `mostPerSecond`. */
class Slots {
	/** when the latest calls left, at most `mostPerSecond` of them */
	private readonly sentMs: number[];
	/** when the next slot begins */
	private nextMs = -Infinity;
	private spacingMs = 0;

	/** @param lower the slots of the next lower limit, whose calls count here too */
	constructor(
		private readonly mostPerSecond: number,
		lower?: Slots,
	) {
		this.sentMs = [...(lower?.sentMs ?? [])];
	}

	/** When the next call may leave. */
	get earliestMs(): number {
		const oldestMs = this.sentMs.at(-this.mostPerSecond) ?? -Infinity;
		const windowMs = Math.min(this.mostPerSecond * this.spacingMs, SAFE_WINDOW_MS);
		return Math.max(this.nextMs, oldestMs + windowMs);
	}

	/**
	 * Records a call that leaves now.
	 *
	 * @param perSecond the rate at which the next call follows
	 * @param pausedUntilMs the end of the last pause, which is not made up
	 */
	take(nowMs: number, perSecond: number, pausedUntilMs: number): void {
		this.sentMs.push(nowMs);
		if (this.sentMs.length > this.mostPerSecond) this.sentMs.shift();
		this.spacingMs = WINDOW_MS / perSecond;
		this.nextMs = Math.max(this.nextMs, nowMs - MOST_CAUGHT_UP_MS, pausedUntilMs) + this.spacingMs;
	}
}
