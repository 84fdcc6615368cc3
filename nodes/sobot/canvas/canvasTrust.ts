// 910022 means a canvas that Sobot does not know, and in some of its systems also a dead token. The earlier calls of this
// process to a canvas show which of the two it is.
import type { Clock } from '../clock';

/** After this many refused tokens in a row, none of which put a customer on the canvas, the canvas is to blame. */
const TOKENS_FOR_UNPROVED_CANVAS = 3;
/** A canvas that has accepted customers is probably right, and another program is replacing the tokens. */
const TOKENS_FOR_PROVED_CANVAS = 8;
/** Refusals count for this time, acceptances for twice as long: someone may have changed the canvas in Sobot. */
const EVIDENCE_MS = 3_600_000;

/** The evidence on one canvas, for one trigger ID and secret. */
export class CanvasTrust {
	private readonly refusedTokens = new Set<string>();
	private refusedSinceMs = -Infinity;
	private provedMs = -Infinity;

	constructor(private readonly clock: Clock) {}

	/** Records that Sobot has put a customer on the canvas. */
	recordAccepted(): void {
		this.provedMs = this.clock.nowMs();
		this.refusedTokens.clear();
	}

	/**
	 * Records that Sobot has answered a call with 910022.
	 *
	 * @param token the token of that call
	 * @returns true if the canvas is to blame, so that no other token would help
	 */
	recordNotFound(token: string): boolean {
		const nowMs = this.clock.nowMs();
		if (nowMs - this.refusedSinceMs >= EVIDENCE_MS) this.refusedTokens.clear();
		if (this.refusedTokens.size === 0) this.refusedSinceMs = nowMs;
		const isProved = nowMs - this.provedMs < 2 * EVIDENCE_MS;
		const enough = isProved ? TOKENS_FOR_PROVED_CANVAS : TOKENS_FOR_UNPROVED_CANVAS;
		if (this.refusedTokens.size < enough) this.refusedTokens.add(token);
		return this.refusedTokens.size >= enough;
	}
}
