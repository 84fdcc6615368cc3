// When the next call for a trigger ID may leave. Sobot takes 50 calls in any one second, counts them where they
// arrive, and shares them among all programs that use the trigger ID; this process only sees which were refused.
import type { Clock } from './clock';

/** Sobot's limit for a single trigger ID. Source: Sobot, "Rule Engine API", Limit. */
export const CALLS_PER_SECOND = 50;

const WINDOW_MS = 1000;

/**
 * The first rate, a little below the limit: calls that left evenly spaced can arrive squeezed together, and with
 * 30 ms of difference on the way 50 of them fit into a second only if 1.03 s of them left.
 */
const FIRST_RATE = 0.97 * CALLS_PER_SECOND;

/** What one refusal takes off the rate. Small, since a crowd brings many and a squeeze on the way only one. */
const DECREASE = 0.04;
/** What a second without refusals adds, as a share of the limit; it doubles with every quiet second after the second. */
const INCREASE = 0.002;
const QUIET_SECONDS = 2;
const LOWEST_RATE = 0.5;

/** The rate that a trigger ID bears: down with every refusal, up again when they stop. Calls a second. */
export class AdaptiveRate {
	private rate = FIRST_RATE;
	private grownToMs = -Infinity;
	private lastRefusalMs = -Infinity;

	/** The rate at this moment; moments must not go backwards. */
	at(nowMs: number): number {
		if (this.grownToMs === -Infinity) this.grownToMs = nowMs;
		const seconds = (nowMs - this.grownToMs) / 1000;
		const quiet = Math.max(0, (nowMs - this.lastRefusalMs) / 1000 - QUIET_SECONDS);
		const speedUp = Number.isFinite(quiet) ? Math.min(64, 2 ** quiet) : 1;
		this.rate = Math.min(CALLS_PER_SECOND, this.rate + CALLS_PER_SECOND * INCREASE * speedUp * seconds);
		this.grownToMs = nowMs;
		return this.rate;
	}

	/** Sobot has refused a call for being over the limit. */
	refused(nowMs: number): void {
		this.rate = Math.max(LOWEST_RATE, this.at(nowMs) * (1 - DECREASE));
		this.lastRefusalMs = nowMs;
	}
}

/** Hands out turns, one after the other, to all executions of this process that call one trigger ID. */
export class Pace {
	private readonly rate = new AdaptiveRate();
	/** The moments of the latest calls, at most as many as Sobot takes in a second. */
	private readonly sentMs: number[] = [];
	private nextSlotMs = -Infinity;
	private queue: Promise<unknown> = Promise.resolve();

	constructor(private readonly clock: Clock) {}

	/**
	 * Waits for the right to send one call now. Whoever asks for one turn at a time shares evenly with the others.
	 *
	 * @param requestsPerSecond the most that the caller allows in any one second, 1 to 50
	 * @returns false if `stop` was given before the turn came: then nothing may be sent
	 */
	async turn(requestsPerSecond: number, stop?: AbortSignal): Promise<boolean> {
		const turn = this.queue.then(async () => await this.wait(requestsPerSecond, stop));
		this.queue = turn;
		return await turn;
	}

	/** Sobot has refused a call for being over the limit. */
	refused(): void {
		this.rate.refused(this.clock.nowMs());
	}

	private async wait(requestsPerSecond: number, stop?: AbortSignal): Promise<boolean> {
		for (;;) {
			if (stop?.aborted) return false;
			const nowMs = this.clock.nowMs();
			const waitMs = this.earliestMs(requestsPerSecond) - nowMs;
			if (waitMs <= 0) {
				this.take(nowMs, requestsPerSecond);
				return true;
			}
			await this.clock.sleep(Math.ceil(waitMs));
		}
	}

	private earliestMs(requestsPerSecond: number): number {
		const first = this.sentMs.at(-requestsPerSecond);
		const windowEndMs = first === undefined ? -Infinity : first + WINDOW_MS;
		return Math.max(this.nextSlotMs, windowEndMs);
	}

	private take(nowMs: number, requestsPerSecond: number): void {
		this.sentMs.push(nowMs);
		if (this.sentMs.length > CALLS_PER_SECOND) this.sentMs.shift();
		const spacingMs = WINDOW_MS / Math.min(this.rate.at(nowMs), requestsPerSecond);
		// Slots follow a fixed beat, so that late timers do not add up; but what was missed by more than a few
		// slots is not caught up, since a burst would arrive as one.
		const isLate = nowMs - this.nextSlotMs > 2 * spacingMs;
		this.nextSlotMs = (isLate ? nowMs : this.nextSlotMs) + spacingMs;
	}
}

const paces = new Map<string, Pace>();

/** The pace that all executions of this process share for a trigger ID at a host. */
export function paceOf(baseUrl: string, triggerId: string, clock: Clock): Pace {
	const key = `${new URL(baseUrl).host}\n${triggerId}`;
	const pace = paces.get(key) ?? new Pace(clock);
	paces.set(key, pace);
	return pace;
}
