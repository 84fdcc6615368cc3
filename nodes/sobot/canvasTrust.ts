// Sobot reports a canvas that it does not know with 910022, and some of its systems a dead token too. What this process
// has seen of a canvas tells which of the two it is.
import type { Clock } from './clock';

/** This many tokens refused in a row, none of which got a customer onto the canvas, show that it is the canvas. */
const TOKENS_FOR_UNPROVED_CANVAS = 3;
/** A canvas that has accepted customers is probably right, and another program is replacing the tokens. */
const TOKENS_FOR_PROVED_CANVAS = 8;
/** After this time a canvas gets another chance: someone may have put it right in Sobot. */
const BLAME_MS = 3_600_000;
const IDLE_MS = 2 * BLAME_MS;

/** The evidence on one canvas, for one trigger ID and secret. */
export class CanvasTrust {
	private readonly refusedTokens = new Set<string>();
	private isProved = false;
	private blamedMs = -Infinity;
	private usedMs: number;

	constructor(private readonly clock: Clock) {
		this.usedMs = clock.nowMs();
	}

	/** Whether what is known here is too old to matter. */
	get isIdle(): boolean {
		return this.clock.nowMs() - this.usedMs > IDLE_MS;
	}

	/** Sobot has put a customer on the canvas. */
	recordAccepted(): void {
		this.isProved = true;
		this.refusedTokens.clear();
		this.blamedMs = -Infinity;
		this.usedMs = this.clock.nowMs();
	}

	/**
	 * Sobot has answered a call with 910022.
	 *
	 * @param token the token of that call
	 * @returns true if the canvas is to blame, so that no other token would help
	 */
	isToBlame(token: string): boolean {
		const nowMs = this.clock.nowMs();
		this.usedMs = nowMs;
		if (nowMs - this.blamedMs < BLAME_MS) return true;
		if (this.blamedMs > -Infinity) {
			this.blamedMs = -Infinity;
			this.refusedTokens.clear();
		}
		this.refusedTokens.add(token);
		const enough = this.isProved ? TOKENS_FOR_PROVED_CANVAS : TOKENS_FOR_UNPROVED_CANVAS;
		if (this.refusedTokens.size < enough) return false;
		this.blamedMs = nowMs;
		return true;
	}
}
