// Keeps the processes that share a stored token from renewing it at the same moment.
import type { Clock } from './clock';

/** The widest window, also the first: several renewals take place one after another in it. */
const WIDEST_MS = 500;

/** The window of a process that renews alone. */
const NARROWEST_MS = 8;

/** Each renewal that nobody else was faster with divides the window by this. */
const NARROWING = 4;

/** Each renewal that another process was faster with multiplies the window by this. */
const WIDENING = 2;

/**
 * All processes notice a dead token at the same moment and share no lock. Each waits a random part of this window and
 * then re-reads the store in case another process has already renewed. The window adapts, so that one process comes
 * to lead: it hardly waits, and the others wait for it.
 */
export class RenewalSpread {
	private windowMs = WIDEST_MS;
	private isFollowing = false;

	constructor(private readonly clock: Clock) {}

	/** How long to wait this time. */
	pick(): number {
		const random = this.clock.random();
		return this.windowMs * (this.isFollowing ? (1 + random) / 2 : random);
	}

	/** Another process had renewed. */
	othersRenewed(): void {
		this.isFollowing = true;
		this.windowMs = Math.min(this.windowMs * WIDENING, WIDEST_MS);
	}

	/** No other process had renewed. */
	nobodyRenewed(): void {
		this.isFollowing = false;
		this.windowMs = Math.max(this.windowMs / NARROWING, NARROWEST_MS);
	}
}
