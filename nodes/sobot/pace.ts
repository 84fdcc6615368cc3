// When the next call for a trigger ID may leave: turns, one after the other, for all executions of this process.
import { AdaptiveRate, CALLS_PER_SECOND } from './adaptiveRate';
import type { Clock } from './clock';

const WINDOW_MS = 1000;

/** What late timers and a busy process have cost is caught up, up to this much, */
const MOST_CAUGHT_UP_MS = 100;
/** and never by a burst, which would arrive as one: calls only follow each other by this much closer. */
const CATCHING_UP = 0.8;

export class Pace {
	private readonly rate = new AdaptiveRate();
	/** The moments of the latest calls, at most as many as Sobot takes in a second. */
	private readonly sentMs: number[] = [];
	private nextSlotMs = -Infinity;
	private spacingMs = 0;
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

	/** Sobot refused a call that was sent at `sentMs` for being over the limit. */
	refused(sentMs: number): void {
		this.rate.refused(this.clock.nowMs(), sentMs);
	}

	private async wait(requestsPerSecond: number, stop?: AbortSignal): Promise<boolean> {
		for (let hasSlept = false; ; hasSlept = true) {
			if (stop?.aborted) return false;
			const nowMs = this.clock.nowMs();
			const waitMs = this.earliestMs(requestsPerSecond) - nowMs;
			if (waitMs <= 0) {
				this.take(nowMs, requestsPerSecond, hasSlept);
				return true;
			}
			await this.clock.sleep(Math.ceil(waitMs));
		}
	}

	private earliestMs(requestsPerSecond: number): number {
		const first = this.sentMs.at(-requestsPerSecond);
		const windowEndMs = first === undefined ? -Infinity : first + WINDOW_MS;
		const lastMs = this.sentMs.at(-1) ?? -Infinity;
		return Math.max(
			this.nextSlotMs,
			windowEndMs,
			lastMs + CATCHING_UP * this.spacingMs,
			this.rate.fullUntilMs,
		);
	}

	private take(nowMs: number, requestsPerSecond: number, hasWaited: boolean): void {
		this.sentMs.push(nowMs);
		if (this.sentMs.length > CALLS_PER_SECOND) this.sentMs.shift();
		this.spacingMs = WINDOW_MS / Math.min(this.rate.sent(nowMs), requestsPerSecond);
		// Nothing is caught up of a time in which nobody wanted to send.
		const oldestMs = hasWaited ? nowMs - MOST_CAUGHT_UP_MS : nowMs - this.spacingMs;
		this.nextSlotMs = Math.max(this.nextSlotMs, oldestMs) + this.spacingMs;
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
