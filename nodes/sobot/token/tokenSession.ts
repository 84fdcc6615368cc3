// Room `token`: one token of this process for an account, shared by all items and executions, replaced once when Sobot
// refuses it, and renewed in the background ahead of its expiry.
import type { Token } from '../account/account';
import type { Clock } from '../clock';
import { TokenError } from './tokenApi';
import { TokenFetch } from './tokenFetch';

/** The store of the token for all processes: n8n's stored credential. Both methods may reject with any error. */
export interface TokenStore {
	/** The stored token; undefined if there is none. */
	read(): Promise<Token | undefined>;
	/** Fetches a token to replace `previous` and stores it. Rejects with a TokenError when Sobot issues none. */
	renew(previous: Token | undefined): Promise<Token>;
}

/** How many refused tokens a session remembers. */
const REMEMBERED_TOKENS = 50;

/** How often a waiting renewal checks whether another process has renewed. */
const STORE_CHECK_MS = 1000;

/** Processes that share a store notice a dead token at once, and share no lock: they renew at random within this time. */
const WIDEST_SPREAD_MS = 500;

/** The same for a process that renews alone. */
const NARROWEST_SPREAD_MS = 8;

/** A new token dies young if Sobot stops accepting it sooner than this after its first accepted call. */
const YOUNG_MS = 500;

/**
 * The pauses before a renewal, by how many tokens in a row have died young. Programs that share an account but no store end
 * each other's tokens: if each replaced its own at once, none of them would get any work done. One young death is chance.
 */
const PAUSES_MS = [0, 0, 500, 2000, 8000];

/** The pause after more of them. */
const LONGEST_PAUSE_MS = 10_000;

/** Sobot's code for a call that arrived without a token. */
const NOT_RECEIVED = '900001';

/** A new token that never worked is replaced no sooner than this, once others have not helped. */
const HOLD_MS = 60_000;

/** A call accepted within this time shows that tokens do work, and are only replaced by another program. */
const ACCEPTANCE_COUNTS_MS = 600_000;

/**
 * The moment to renew ahead of expiry, in epoch ms: at random between a tenth and a twentieth of the token's lifetime
 * before it, at most 10 to 5 minutes. Each process picks its own, which keeps several from renewing at once without a
 * lock.
 *
 * @param random at least 0, below 1
 * @see Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic Cache Stampede Prevention", VLDB 2015
 */
export function pickRenewalMoment(token: Token, random: number): number {
	const lifeMs = token.expiresAtMs - token.fetchedAtMs;
	const earliestMs = Math.min(lifeMs / 10, 10 * 60_000);
	return token.expiresAtMs - earliestMs * (1 - random / 2);
}

/** The token of one account in this process. */
export class TokenSession {
	private current?: Token;
	/** when a renewal brought the current token, in ms of the monotonic clock; undefined if none did */
	private renewedAtMs?: number;
	/** when Sobot first accepted a call with the current token, in ms of the monotonic clock */
	private confirmedAtMs?: number;
	/** when Sobot last accepted a call, in ms of the monotonic clock */
	private acceptedAtMs = -Infinity;
	/** when to renew ahead of expiry, in epoch ms */
	private renewAheadAtEpochMs = Infinity;
	private renewal?: { readonly token: Promise<Token>; readonly store: TokenStore };
	/** the earliest moment for the next renewal, in ms of the monotonic clock */
	private notBeforeMs = -Infinity;
	/** how many new tokens in a row died young */
	private youngDeaths = 0;
	/** the longest wait before this process renews, in ms: a process that renewed first before hardly waits */
	private spreadMs = WIDEST_SPREAD_MS;
	/** whether another process was faster the last time */
	private isFollowing = false;
	/** the latest tokens that Sobot has refused: one may still be stored, or be refused once more */
	private readonly refused = new Set<string>();
	/** the requests of all renewals in this process, those of n8n's own nodes too */
	readonly requests: TokenFetch;

	constructor(private readonly clock: Clock) {
		this.requests = new TokenFetch(clock);
	}

	/** Whether this account has ever had a token here. */
	get hasHadToken(): boolean {
		return this.current !== undefined;
	}

	/** What to tell the user when a caller gives up while another program keeps replacing the token. */
	get contention(): TokenError | undefined {
		if (this.youngDeaths < 2) return undefined;
		return new TokenError(
			'Another program keeps replacing the token of this Sobot account.',
			"Every new token ends the one before. Find the program that fetches tokens with the same 'App ID'. Let it share one token or fetch fewer. If there is none, check that no proxy changes the header 'token'.",
			'900002',
			true,
		);
	}

	/** At the start of an execution: takes over the stored token, unless this process already has a newer one. */
	begin(stored: Token | undefined): void {
		const { current } = this;
		if (!stored || stored.value === current?.value || this.refused.has(stored.value)) return;
		if (current && this.isUsable(current) && current.fetchedAtMs > stored.fetchedAtMs) return;
		this.adopt(stored);
	}

	/** The token to send with now; undefined if the caller has to wait for one. Renews ahead in the background. */
	ready(store: TokenStore): Token | undefined {
		if (!this.current || !this.isUsable(this.current)) return undefined;
		if (!this.renewal && this.clock.epochMs() >= this.renewAheadAtEpochMs) this.renewAhead(store);
		return this.current;
	}

	/** The token to send with now. Waits only without a usable one. Rejects with a TokenError, also at an abort. */
	async token(store: TokenStore, signal?: AbortSignal): Promise<Token> {
		return this.ready(store) ?? (await this.renewOnce(store, signal));
	}

	/**
	 * A replacement for a token that Sobot refused. Concurrent callers share one renewal; a failed renewal is not
	 * cached. Waits longer each time if new tokens die young. Rejects with a TokenError, also at an abort.
	 *
	 * @param retCode Sobot's code for the refusal: after 900001 it becomes clear sooner that new tokens do not help
	 */
	async replace(
		refused: Token,
		store: TokenStore,
		signal?: AbortSignal,
		retCode?: string | null,
	): Promise<Token> {
		// A late refusal of an older token says nothing about the current one.
		const isNews = refused.value === this.current?.value && !this.refused.has(refused.value);
		if (isNews) this.delayRenewal(retCode);
		this.refused.add(refused.value);
		const [oldest = ''] = this.refused;
		if (this.refused.size > REMEMBERED_TOKENS) this.refused.delete(oldest);
		return await this.token(store, signal);
	}

	/** Whether this is the token to send with at this moment: not expired, refused or replaced. */
	isCurrent(token: Token): boolean {
		return token.value === this.current?.value && this.isUsable(this.current);
	}

	/** An answer has shown that Sobot accepts this token. */
	confirm(token: Token): void {
		this.acceptedAtMs = this.clock.nowMs();
		if (token.value === this.current?.value) this.confirmedAtMs ??= this.clock.nowMs();
	}

	/**
	 * Delays the renewal if new tokens die young. The useful time of a token counts, without the way to Sobot and back.
	 * Throws a TokenError if no new token has worked: then this one stays in use, in case it does after all.
	 */
	private delayRenewal(retCode?: string | null): void {
		const { renewedAtMs = -Infinity, confirmedAtMs } = this;
		const nowMs = this.clock.nowMs();
		const isYoung = renewedAtMs > -Infinity && nowMs - (confirmedAtMs ?? nowMs) < YOUNG_MS;
		const youngDeaths = isYoung ? this.youngDeaths + 1 : 0;
		if (confirmedAtMs === undefined && nowMs - renewedAtMs < HOLD_MS) {
			const hasWorked = nowMs - this.acceptedAtMs < ACCEPTANCE_COUNTS_MS;
			if (retCode === NOT_RECEIVED && youngDeaths > 1) throw notReceived();
			// `contention` is known from the second young death on.
			if (!hasWorked && youngDeaths > 2 && this.contention) throw this.contention;
		}
		this.youngDeaths = youngDeaths;
		const pauseMs = PAUSES_MS[youngDeaths] ?? LONGEST_PAUSE_MS;
		this.notBeforeMs = nowMs + pauseMs * (1 - this.clock.random() / 2);
	}

	private renewAhead(store: TokenStore): void {
		this.renewOnce(store).catch(() => {
			// The old token is still valid, and calls continue with it: try again before it expires.
			const nowMs = this.clock.epochMs();
			const leftMs = Math.max(0, (this.current?.expiresAtMs ?? 0) - nowMs);
			this.renewAheadAtEpochMs = nowMs + (leftMs * (1 + this.clock.random())) / 10;
		});
	}

	private async renewOnce(store: TokenStore, signal?: AbortSignal): Promise<Token> {
		for (;;) {
			if (signal?.aborted) throw stopped();
			const renewal = (this.renewal ??= {
				token: this.renew(store).finally(() => (this.renewal = undefined)),
				store,
			});
			const token = await untilAborted(renewal.token, signal).catch(async (error: Error) => {
				// Without a code of Sobot's, the credential or the engine of the execution that began it may be to blame.
				const isLocal = error instanceof TokenError && !error.transient && error.retCode === null;
				const mayRenew = renewal.store !== store && isLocal;
				return mayRenew ? undefined : await Promise.reject(error);
			});
			if (token) return token;
		}
	}

	private async renew(store: TokenStore): Promise<Token> {
		const previous = this.current;
		const hasTime = previous !== undefined && this.isUsable(previous);
		const found =
			(await this.find(store, previous)) ?? (hasTime ? undefined : await this.waitForTurn(store, previous));
		this.isFollowing = found !== undefined;
		if (found) {
			this.spreadMs = Math.min(2 * this.spreadMs, WIDEST_SPREAD_MS);
			if (found.value !== this.current?.value) this.adopt(found, true);
			return found;
		}
		const message = 'n8n could not renew the token in the stored credential.';
		const token = await withTokenError(store.renew(previous), message);
		this.spreadMs = Math.max(this.spreadMs / 4, NARROWEST_SPREAD_MS);
		// Sobot has just issued it, even if it refused the same value before.
		this.refused.delete(token.value);
		this.adopt(token, true);
		return token;
	}

	/** Waits for the turn to renew. Returns the token of another process that renews meanwhile. */
	private async waitForTurn(store: TokenStore, previous: Token | undefined): Promise<Token | undefined> {
		const random = this.clock.random();
		const share = this.isFollowing ? (1 + random) / 2 : random;
		const endMs = Math.max(this.clock.nowMs(), this.notBeforeMs) + this.spreadMs * share;
		for (;;) {
			const leftMs = endMs - this.clock.nowMs();
			if (leftMs <= 0) return undefined;
			await this.clock.sleep(Math.min(leftMs, STORE_CHECK_MS));
			const found = await this.find(store, previous);
			if (found) return found;
		}
	}

	/** A usable token from elsewhere: from the start of an execution, or stored by another process. */
	private async find(store: TokenStore, previous: Token | undefined): Promise<Token | undefined> {
		const stored = await withTokenError(store.read(), 'n8n could not read the stored credential.');
		const isNew = (token?: Token) => token && token.value !== previous?.value && this.isUsable(token);
		return [this.current, stored].find(isNew);
	}

	private adopt(token: Token, isRenewal = false): void {
		this.current = token;
		this.renewedAtMs = isRenewal ? this.clock.nowMs() : undefined;
		this.confirmedAtMs = undefined;
		this.renewAheadAtEpochMs = pickRenewalMoment(token, this.clock.random());
	}

	private isUsable(token: Token): boolean {
		return !this.refused.has(token.value) && this.clock.epochMs() < token.expiresAtMs;
	}
}

/** Ends the caller's wait at an abort; the renewal goes on for the others. */
async function untilAborted(token: Promise<Token>, signal?: AbortSignal): Promise<Token> {
	if (!signal) return await token;
	// A signal of its own: Node.js warns of a leak if one has eleven listeners.
	const own = AbortSignal.any([signal]);
	return await new Promise<Token>((resolve, reject) => {
		const abort = () => reject(stopped());
		own.addEventListener('abort', abort);
		token.finally(() => own.removeEventListener('abort', abort)).then(resolve, reject);
	});
}

function stopped(): TokenError {
	return new TokenError(
		'The execution was stopped while it waited for a token.',
		'Run it again.',
		null,
		true,
	);
}

function notReceived(): TokenError {
	return new TokenError(
		`Sobot received no token with the calls, although the node sent one (${NOT_RECEIVED}).`,
		"Check that no proxy between this machine and Sobot strips the header 'token'.",
		NOT_RECEIVED,
		false,
	);
}

/** Turns n8n's own error into a transient TokenError; a TokenError stays as it is. */
async function withTokenError<T>(answer: Promise<T>, message: string): Promise<T> {
	return await answer.catch(async (error: unknown) => {
		const advice = "Check n8n's database and log, then run the workflow again.";
		const isKnown = error instanceof TokenError;
		return await Promise.reject(isKnown ? error : new TokenError(message, advice, null, true));
	});
}
