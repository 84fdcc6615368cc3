// Room `token`: one token of this process for an account, shared by all items and executions, replaced once when Sobot
// refuses it, and renewed in the background ahead of its expiry.
import type { Token } from '../account/account';
import type { Clock } from '../clock';
import { RecentValues } from '../recentValues';
import { RenewalBackoff } from './renewalBackoff';
import { RenewalSpread } from './renewalSpread';
import { TokenError } from './tokenApi';

/** The store of the token for all processes: n8n's stored credential. Both methods may reject with any error. */
export interface TokenStore {
	/** The stored token; undefined if there is none. */
	read(): Promise<Token | undefined>;
	/** Fetches a token to replace `previous` and stores it. Rejects with a TokenError when Sobot issues none. */
	renew(previous: Token | undefined): Promise<Token>;
}

/** How many refused and confirmed tokens a session remembers. */
const REMEMBERED_TOKENS = 50;

/** A fetched token is used this long, whatever its lifetime and the wall clock say. This bounds the renewals. */
const SHORTEST_USE_MS = 10_000;

/** How often a waiting renewal checks whether another process has renewed, or no caller wants a token any more. */
const STORE_CHECK_MS = 1000;

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

interface Renewal {
	readonly token: Promise<Token>;
	readonly store: TokenStore;
	/** that token, or an abort: one listener for a signal, since Node.js warns of a leak from eleven on */
	readonly untilAborted: Map<AbortSignal, Promise<Token>>;
}

/** The token of one account in this process. */
export class TokenSession {
	private current?: Token;
	/** how and when (ms of the monotonic clock) a renewal brought the current token; undefined if none did */
	private renewed?: { atMs: number; isFetched: boolean; confirmedAtMs?: number };
	/** when to renew ahead of expiry, in epoch ms */
	private renewAheadAtEpochMs = Infinity;
	/** no sooner than this, in ms of the monotonic clock, after a renewal ahead has failed */
	private renewAheadNotBeforeMs = -Infinity;
	private renewal?: Renewal;
	/** how many callers wait for a renewal */
	private waiting = 0;
	private readonly refused = new RecentValues(REMEMBERED_TOKENS);
	private readonly confirmed = new RecentValues(REMEMBERED_TOKENS);
	private readonly backoff: RenewalBackoff;
	private readonly spread: RenewalSpread;

	constructor(private readonly clock: Clock) {
		this.backoff = new RenewalBackoff(clock);
		this.spread = new RenewalSpread(clock);
	}

	/** Whether this account has ever had a token here. */
	get hasHadToken(): boolean {
		return this.current !== undefined;
	}

	/** What to tell the user when a caller gives up while another program keeps replacing the token. */
	get contention(): TokenError | undefined {
		if (!this.backoff.isContested) return undefined;
		return new TokenError(
			'Another program keeps replacing the token of this Sobot account.',
			"Every new token ends the one before. Find the program that fetches tokens with the same 'App ID'. Let it share one token or fetch fewer.",
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
		if (this.isRenewalAheadDue(this.current)) this.renewAhead(store);
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
		this.markRefused(refused, retCode);
		return await this.token(store, signal);
	}

	/** Whether this is the token to send with at this moment: not expired, refused or replaced. */
	isCurrent(token: Token): boolean {
		return token.value === this.current?.value && this.isUsable(this.current);
	}

	/** An answer has shown that Sobot accepts this token. */
	confirm(token: Token): void {
		this.confirmed.add(token.value);
		this.backoff.confirmed();
		if (this.renewed && token.value === this.current?.value)
			this.renewed.confirmedAtMs ??= this.clock.nowMs();
	}

	/** A late refusal of an older token says nothing about the current one. */
	private markRefused({ value }: Token, retCode?: string | null): void {
		if (this.refused.has(value)) return;
		if (value === this.current?.value) {
			const { renewed } = this;
			const nowMs = this.clock.nowMs();
			// If this throws, the token stays in use: if Sobot accepts a later call after all, sending continues.
			this.backoff.refused({
				usefulMs: renewed && nowMs - (renewed.confirmedAtMs ?? nowMs),
				isFetched: renewed?.isFetched === true,
				isConfirmed: this.confirmed.has(value),
				retCode,
			});
		}
		this.refused.add(value);
	}

	private isRenewalAheadDue(current: Token): boolean {
		if (this.renewal || this.isFresh(current)) return false;
		if (this.clock.nowMs() < this.renewAheadNotBeforeMs) return false;
		return this.clock.epochMs() >= this.renewAheadAtEpochMs;
	}

	private renewAhead(store: TokenStore): void {
		this.renewOnce(store).catch(() => {
			// The old token is still valid, and calls continue with it: try again before it expires.
			const leftMs = Math.max(0, (this.current?.expiresAtMs ?? 0) - this.clock.epochMs());
			this.renewAheadNotBeforeMs = this.clock.nowMs() + (leftMs * (1 + this.clock.random())) / 10;
		});
	}

	private async renewOnce(store: TokenStore, signal?: AbortSignal): Promise<Token> {
		this.waiting++;
		try {
			for (;;) {
				if (signal?.aborted) throw this.aborted();
				const renewal = (this.renewal ??= {
					token: this.renew(store).finally(() => (this.renewal = undefined)),
					store,
					untilAborted: new Map(),
				});
				const token = await this.untilAborted(renewal, signal).catch(async (error: Error) => {
					const mayRenew = renewal.store !== store && error instanceof TokenError && error.isLocal;
					return mayRenew ? undefined : await Promise.reject(error);
				});
				if (token) return token;
			}
		} finally {
			this.waiting--;
		}
	}

	private async renew(store: TokenStore): Promise<Token> {
		const previous = this.current;
		const hasTime = previous !== undefined && this.isUsable(previous);
		const found =
			(await this.find(store, previous)) ?? (hasTime ? undefined : await this.waitForTurn(store, previous));
		if (found) {
			this.spread.othersRenewed();
			if (found.value !== this.current?.value) this.adopt(found, false);
			return found;
		}
		const message = 'n8n could not renew the token in the stored credential.';
		const token = await withTokenError(store.renew(previous), message);
		this.spread.nobodyRenewed();
		// Sobot has just issued it, even if it refused the same value before.
		this.refused.delete(token.value);
		this.adopt(token, true);
		return token;
	}

	/** Waits for its turn to renew. Returns the token of another process that renews meanwhile. */
	private async waitForTurn(store: TokenStore, previous: Token | undefined): Promise<Token | undefined> {
		const endMs = Math.max(this.clock.nowMs(), this.backoff.notBeforeMs) + this.spread.pick();
		for (;;) {
			const leftMs = endMs - this.clock.nowMs();
			if (leftMs <= 0) return undefined;
			await this.clock.sleep(Math.min(leftMs, STORE_CHECK_MS));
			if (this.waiting === 0) throw this.aborted();
			const found = await this.find(store, previous);
			if (found) return found;
		}
	}

	/** A usable token from elsewhere: from the start of an execution, or stored by another process. */
	private async find(store: TokenStore, previous: Token | undefined): Promise<Token | undefined> {
		const stored = await withTokenError(store.read(), 'n8n could not read the stored credential.');
		for (const token of [this.current, stored]) {
			if (token && token.value !== previous?.value && this.isUsable(token)) return token;
		}
		return undefined;
	}

	/** @param isFetched whether a renewal had it fetched or found it in the store; undefined without a renewal */
	private adopt(token: Token, isFetched?: boolean): void {
		this.current = token;
		this.renewed = isFetched === undefined ? undefined : { atMs: this.clock.nowMs(), isFetched };
		this.renewAheadAtEpochMs = pickRenewalMoment(token, this.clock.random());
		this.renewAheadNotBeforeMs = -Infinity;
	}

	private isUsable(token: Token): boolean {
		if (this.refused.has(token.value)) return false;
		return this.clock.epochMs() < token.expiresAtMs || this.isFresh(token);
	}

	private isFresh(token: Token): boolean {
		if (token.value !== this.current?.value || !this.renewed?.isFetched) return false;
		return this.clock.nowMs() - this.renewed.atMs < SHORTEST_USE_MS;
	}

	/** Ends the caller's wait at an abort; the renewal goes on for the others. */
	private async untilAborted({ token, untilAborted }: Renewal, signal?: AbortSignal): Promise<Token> {
		if (!signal) return await token;
		const known = untilAborted.get(signal);
		if (known) return await known;
		const first = new Promise<Token>((resolve, reject) => {
			const abort = () => reject(this.aborted());
			signal.addEventListener('abort', abort, { once: true });
			const end = () => signal.removeEventListener('abort', abort);
			token.finally(end).then(resolve, reject);
		});
		untilAborted.set(signal, first);
		return await first;
	}

	private aborted(): TokenError {
		return (
			this.contention ??
			new TokenError('The execution was stopped while it waited for a token.', 'Run it again.', null, true)
		);
	}
}

/** Turns n8n's own error into a transient TokenError; a TokenError stays as it is. */
async function withTokenError<T>(answer: Promise<T>, message: string): Promise<T> {
	return await answer.catch(async (error: unknown) => {
		const advice = "Check n8n's database and log, then run the workflow again.";
		const isKnown = error instanceof TokenError;
		return await Promise.reject(isKnown ? error : new TokenError(message, advice, null, true));
	});
}
