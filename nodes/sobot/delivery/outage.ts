// An outage: Sobot cannot be reached, or gives no clear answers. Sending then pauses, and probes with one call at a time,
// less and less often, until an answer is clear.
import type { Clock } from '../clock';

/** The first pause. Each further one is twice as long. */
const FIRST_PAUSE_MS = 500;

/** Longest pause between two probes. */
const LONGEST_PAUSE_MS = 10_000;

/** One unclear answer can be chance: sending pauses after this many in a row. */
const UNCLEAR_IN_A_ROW = 2;

/** Pauses with exponential backoff and jitter: each is shortened at random by up to a quarter. */
export class Outage {
	private pauseMs = 0;
	private pauseEndMs = -Infinity;
	private startedMs = Infinity;
	private unclear = 0;

	constructor(private readonly clock: Clock) {}

	/** True until a call that was sent during the outage gets a clear answer. */
	get isOn(): boolean {
		return this.startedMs < Infinity;
	}

	/** How long to wait before the next call, in ms. */
	get waitMs(): number {
		return Math.max(0, this.pauseEndMs - this.clock.nowMs());
	}

	/** Begins a pause, or a longer one if one has just ended. */
	extend(): void {
		const nowMs = this.clock.nowMs();
		if (nowMs < this.pauseEndMs) return;
		this.startedMs = Math.min(this.startedMs, nowMs);
		this.pauseMs = Math.min(this.pauseMs * 2 || FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
		this.pauseEndMs = nowMs + this.pauseMs * (1 - this.clock.random() / 4);
	}

	/** Records a call that ended without a clear answer. */
	recordUnclear(): void {
		this.unclear++;
		if (this.unclear >= UNCLEAR_IN_A_ROW) this.extend();
	}

	/** Records a clear answer to a call that was sent at `sentMs`. */
	recordClear(sentMs: number): void {
		this.unclear = 0;
		// A call from before the outage does not show that it is over.
		if (sentMs < this.startedMs) return;
		this.startedMs = Infinity;
		this.pauseMs = 0;
		this.pauseEndMs = -Infinity;
	}
}
