// The token that the calls of this process are sent with: shared by all items and executions of one credential,
// replaced once when Sobot refuses it, and renewed ahead of its end without holding anything up.
import type { Clock } from './clock';
import type { Account, Token } from './getToken';
import { accountKey } from './tokenFetch';

/** Where the token is kept for all processes: n8n's stored credential. */
export interface TokenStore {
	/** What is stored now; undefined if nothing is. */
	read(): Promise<Token | undefined>;
	/** Fetches a token to follow `served` and stores it. Throws TokenError. */
	renew(served: Token | undefined): Promise<Token>;
}

/** A token, and whether it was newly fetched rather than found in the store. */
export interface Replacement {
	token: Token;
	fetched: boolean;
}

/**
 * The moment to renew ahead of the end: at random between a tenth and a twentieth of the token's life before it,
 * at most 10 to 5 minutes. That each process picks its own keeps several from renewing at once, without a lock
 * (Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic Cache Stampede Prevention", VLDB 2015).
 */
export function pickRenewalMoment(token: Token, random: number): number {
	const lifeMs = token.expiresAtMs - token.fetchedAtMs;
	const earliestMs = Math.min(lifeMs / 10, 10 * 60_000);
	return token.expiresAtMs - earliestMs * (1 - random / 2);
}

/**
 * All processes of an n8n see at the same moment that there is no token alive, and share no lock: each waits for a
 * random part of this, and then looks whether another has renewed meanwhile.
 */
const SPREAD_MS = 500;

export class TokenSession {
	private current?: Token;
	private renewAtMs = Infinity;
	private renewal?: Promise<Replacement>;
	/** the value of a token that Sobot has refused */
	private refused?: string;

	constructor(private readonly clock: Clock) {}

	/** At the start of an execution: takes over what is stored, unless this process already has a newer token. */
	begin(stored: Token | undefined): void {
		if (!stored || stored.value === this.current?.value) return;
		if (this.current && this.serves(this.current) && this.current.fetchedAtMs > stored.fetchedAtMs) return;
		this.adopt(stored);
	}

	/** Has this account ever had a token here? */
	get hasServed(): boolean {
		return this.current !== undefined;
	}

	/** The token to send with now; undefined if one has to be waited for. Renews ahead, in the background. */
	ready(store: TokenStore): Token | undefined {
		if (!this.current || !this.serves(this.current)) return undefined;
		if (this.clock.epochMs() >= this.renewAtMs && !this.renewal) this.renewAhead(store);
		return this.current;
	}

	/** The token to send with now. Waits only if there is none alive. Throws TokenError. */
	async token(store: TokenStore): Promise<Token> {
		return this.ready(store) ?? (await this.renewOnce(store)).token;
	}

	/**
	 * Another token than the one that Sobot refused. Whoever asks while a renewal is under way shares it; after a
	 * failed one the next asks anew. Throws TokenError.
	 */
	async replace(refused: Token | undefined, store: TokenStore): Promise<Replacement> {
		const { current } = this;
		if (current && current.value !== refused?.value && this.serves(current)) {
			return { token: current, fetched: false };
		}
		if (refused) this.refused = refused.value;
		return await this.renewOnce(store);
	}

	/** Is this the token to send with at this moment? Not if it has ended, been refused or been replaced meanwhile. */
	isCurrent(token: Token): boolean {
		return token.value === this.current?.value && this.serves(token);
	}

	private renewAhead(store: TokenStore): void {
		this.renewOnce(store).catch(() => {
			// The old token still lives, and the calls go on with it: try again within what is left of it.
			const leftMs = (this.current?.expiresAtMs ?? 0) - this.clock.epochMs();
			this.renewAtMs = this.clock.epochMs() + (leftMs * (1 + this.clock.random())) / 10;
		});
	}

	private async renewOnce(store: TokenStore): Promise<Replacement> {
		this.renewal ??= this.renew(store).finally(() => {
			this.renewal = undefined;
		});
		return await this.renewal;
	}

	private async renew(store: TokenStore): Promise<Replacement> {
		const served = this.current;
		let found = await this.findIn(store, served);
		if (!found && !(served && this.serves(served))) {
			await this.clock.sleep(this.clock.random() * SPREAD_MS);
			found = await this.findIn(store, served);
		}
		const token = found ?? (await store.renew(served));
		this.adopt(token);
		return { token, fetched: !found };
	}

	/** The stored token, if another process has renewed it. */
	private async findIn(store: TokenStore, served: Token | undefined): Promise<Token | undefined> {
		const stored = await store.read();
		return stored && stored.value !== served?.value && this.serves(stored) ? stored : undefined;
	}

	private adopt(token: Token): void {
		this.current = token;
		this.renewAtMs = pickRenewalMoment(token, this.clock.random());
	}

	private serves(token: Token): boolean {
		return token.value !== this.refused && this.clock.epochMs() < token.expiresAtMs;
	}
}

const sessions = new Map<string, TokenSession>();

/** The session that all executions of this process share for an account. */
export function sessionOf(account: Account, clock: Clock): TokenSession {
	const key = accountKey(account);
	const session = sessions.get(key) ?? new TokenSession(clock);
	sessions.set(key, session);
	return session;
}
