// Decides when a session may fetch its next token. Programs that share an account but no store end each other's tokens:
// if each replaced its own at once, none of them would get any work done. And sometimes no new token helps.
import type { Clock } from '../clock';
import { TokenError } from './tokenApi';

/** A token dies young if Sobot stops accepting it sooner than this after its first accepted call. */
const YOUNG_MS = 500;

/** The pause before the renewal that follows a young death. */
const FIRST_PAUSE_MS = 500;

/** Each further young death multiplies the pause by this. */
const GROWTH = 4;

/** Each token that did not die young multiplies the pause by this. */
const DECAY = 0.5;

/** The longest pause before a renewal. */
const LONGEST_PAUSE_MS = 10_000;

/** A pause that decays below this ends. */
const NEGLIGIBLE_PAUSE_MS = 60;

/** After this many new tokens in a row that never worked, the session holds. */
const MOST_UNCONFIRMED = 3;

/** The same while Sobot says that it received no token: then no other program can be the cause. */
const MOST_NOT_RECEIVED = 2;

/** Sobot's code for a call that arrived without a token. */
const NOT_RECEIVED = '900001';

/** How long a hold lasts. No token is fetched during it, and one at its end. */
const HOLD_MS = 60_000;

/** A call accepted within this time shows that tokens do work, and are only replaced by another program. */
const CONFIRMATION_COUNTS_MS = 600_000;

/** A refused token, as known to the session that used it. */
export interface RefusedToken {
	/** time since its first accepted call, 0 if none was; undefined for a token that no renewal brought */
	usefulMs: number | undefined;
	/** whether this session had it fetched */
	isFetched: boolean;
	/** whether Sobot has accepted a call with it */
	isConfirmed: boolean;
	/** Sobot's code for the refusal, if known */
	retCode?: string | null;
}

/** Exponential backoff with jitter between the renewals of one session. */
export class RenewalBackoff {
	/** the earliest moment for the next renewal, monotonic */
	notBeforeMs = -Infinity;
	private pauseMs = 0;
	/** whether the next renewal follows without a pause, to see how long its token works */
	private isProbe = false;
	/** how many new tokens in a row never worked */
	private unconfirmed = 0;
	private confirmedAtMs = -Infinity;
	private hold?: { endMs: number; error: TokenError };

	constructor(private readonly clock: Clock) {}

	/** Whether another program keeps replacing the token. */
	get isContested(): boolean {
		return this.pauseMs > 0;
	}

	/** Records that Sobot has accepted a call. */
	confirmed(): void {
		this.confirmedAtMs = this.clock.nowMs();
		this.unconfirmed = 0;
		this.hold = undefined;
	}

	/** Records the first refusal of a token. Throws a TokenError during a hold: then the token stays in use. */
	refused(token: RefusedToken): void {
		const nowMs = this.clock.nowMs();
		if (this.hold && nowMs < this.hold.endMs) throw this.hold.error;
		if (this.hold) this.hold = undefined;
		else this.count(token, nowMs);
		this.adjustPause(token);
		const pauseMs = this.isProbe ? 0 : this.pauseMs;
		this.notBeforeMs = nowMs + pauseMs * (1 - this.clock.random() / 2);
	}

	/** Counts new tokens that never worked. Begins a hold, and throws its error, once there are too many. */
	private count(token: RefusedToken, nowMs: number): void {
		if (!token.isFetched || token.isConfirmed) return;
		this.unconfirmed++;
		const isNotReceived = token.retCode === NOT_RECEIVED;
		if (this.unconfirmed < (isNotReceived ? MOST_NOT_RECEIVED : MOST_UNCONFIRMED)) return;
		if (!isNotReceived && nowMs - this.confirmedAtMs < CONFIRMATION_COUNTS_MS) return;
		const error = isNotReceived ? tokensNotReceived() : newTokensRefused();
		this.hold = { endMs: nowMs + HOLD_MS, error };
		throw error;
	}

	/**
	 * The useful time of a token counts, without the way to Sobot and back. After a pause, the early end of a token may be
	 * chance: a program that fetches once a second soon ends a token that came late in that second. So a young death is
	 * followed by a probe, a renewal without a pause. If its token works for a while, the pauses end, since they would only
	 * cost time. Otherwise they grow.
	 */
	private adjustPause({ usefulMs = Infinity, isConfirmed }: RefusedToken): void {
		const wasProbe = this.isProbe;
		this.isProbe = false;
		if (usefulMs >= YOUNG_MS) {
			const decayedMs = this.pauseMs * DECAY;
			this.pauseMs = wasProbe || decayedMs < NEGLIGIBLE_PAUSE_MS ? 0 : decayedMs;
		} else if (isConfirmed && !wasProbe) {
			this.isProbe = true;
		} else {
			this.pauseMs = Math.min(Math.max(this.pauseMs * GROWTH, FIRST_PAUSE_MS), LONGEST_PAUSE_MS);
		}
	}
}

function newTokensRefused(): TokenError {
	return new TokenError(
		`Sobot refused ${MOST_UNCONFIRMED} new tokens in a row, each at its first call.`,
		"Another program may keep replacing the token of this Sobot account: every new token ends the one before. If there is no such program, check that no proxy changes the header 'token'.",
		'900002',
		true,
	);
}

function tokensNotReceived(): TokenError {
	return new TokenError(
		`Sobot received no token with the calls, although the node sent one (${NOT_RECEIVED}).`,
		"Check that no proxy between this machine and Sobot strips the header 'token'.",
		NOT_RECEIVED,
		false,
	);
}
