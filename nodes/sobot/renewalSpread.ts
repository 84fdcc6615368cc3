// Keeps the processes that share a stored token from renewing it at the same moment.
import type { Clock } from './clock';

/** The window in which several processes renew one after another, so that the later ones find the first one's token. */
const WIDEST_MS = 500;

/** The window of a process that renews alone. */
const NARROWEST_MS = 8;

/**
 * All processes notice a dead token at the same moment and share no lock. Each waits a random part of this window and
 * then re-reads the store in case another process has already renewed. The window adapts to how often one has.
 */
export class RenewalSpread {
	private windowMs = WIDEST_MS;

	constructor(private readonly clock: Clock) {}

	/** How long to wait this time. */
	pick(): number {
		return this.clock.random() * this.windowMs;
	}

	/** Another process had renewed. */
	othersRenewed(): void {
		this.windowMs = Math.min(this.windowMs * 2, WIDEST_MS);
	}

	/** No other process had renewed. */
	nobodyRenewed(): void {
		this.windowMs = Math.max(this.windowMs / 2, NARROWEST_MS);
	}
}
