// Keeps the processes that share a stored token from renewing it at the same moment.
import type { Clock } from '../clock';

/** The widest window, also the initial one: long enough for several renewals one after another. */
const WIDEST_MS = 500;

/** The window of a process that renews alone. */
const NARROWEST_MS = 8;

/** Each renewal in which no other process was faster divides the window by this. */
const NARROWING = 4;

/** Each renewal in which another process was faster multiplies the window by this. */
const WIDENING = 2;

/**
 * All processes notice a dead token at the same moment and share no lock. Each waits a random part of this window and
 * then re-reads the store in case another process has already renewed. The window adapts, so that one process takes the
 * lead: it hardly waits, and the others wait for it.
 */
export class RenewalSpread {
	private windowMs = WIDEST_MS;
	private isFollowing = false;

	constructor(private readonly clock: Clock) {}

	/** How long to wait this time, in ms. */
	pick(): number {
		const random = this.clock.random();
		return this.windowMs * (this.isFollowing ? (1 + random) / 2 : random);
	}

	/** Records that another process had renewed. */
	othersRenewed(): void {
		this.isFollowing = true;
		this.windowMs = Math.min(this.windowMs * WIDENING, WIDEST_MS);
	}

	/** Records that no other process had renewed. */
	nobodyRenewed(): void {
		this.isFollowing = false;
		this.windowMs = Math.max(this.windowMs / NARROWING, NARROWEST_MS);
	}
}
