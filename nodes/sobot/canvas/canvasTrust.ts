// 910022 means a canvas that Sobot does not know, and in some of its systems also a dead token. The earlier calls of this
// process to a canvas show which of the two it is.
import type { Clock } from '../clock';

/** After this many refused tokens in a row, none of which put a customer on the canvas, the canvas is to blame. */
const TOKENS_FOR_UNPROVED_CANVAS = 3;
/** A canvas that has accepted customers is probably right, and another program is replacing the tokens. */
const TOKENS_FOR_PROVED_CANVAS = 8;
/** After this time a canvas gets another chance: someone may have corrected it in Sobot. */
const BLAME_MS = 3_600_000;

/** The evidence on one canvas, for one trigger ID and secret. */
export class CanvasTrust {
	private readonly refusedTokens = new Set<string>();
	private isProved = false;
	private blamedMs = -Infinity;

	constructor(private readonly clock: Clock) {}

	/** Records that Sobot has put a customer on the canvas. */
	recordAccepted(): void {
		this.isProved = true;
		this.refusedTokens.clear();
		this.blamedMs = -Infinity;
	}

	/**
	 * Records that Sobot has answered a call with 910022.
	 *
	 * @param token the token of that call
	 * @returns true if the canvas is to blame, so that no other token would help
	 */
	recordNotFound(token: string): boolean {
		const nowMs = this.clock.nowMs();
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
