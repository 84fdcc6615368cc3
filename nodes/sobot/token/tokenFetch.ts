// Fetches a token: single-flight per account, with backoff and jitter on transient failures. Every new token may end
// the one before, so a needless fetch costs other programs a retry.
import type { Account, Token } from '../account/account';
import type { Clock } from '../clock';
import type { HttpAnswer } from '../outcome/answer';
import { RecentValues } from '../recentValues';
import { readRequestFailure, readToken, tokenRequest, type TokenReading } from './tokenApi';

/** Sends a request for a token; rejects if no answer came. */
export type SendTokenRequest = (request: ReturnType<typeof tokenRequest>) => Promise<HttpAnswer>;

/** Pauses between attempts at `get_token`. Jitter shortens each by up to a half: 4 to 8 s in all. */
const PAUSES_MS = [250, 500, 1000, 2000, 4000];

/** No further attempt this long after the first: if Sobot hangs, each takes 10 s. */
const LONGEST_ROUND_MS = 15_000;

/** A caller without a token that arrives within this window raced with the fetch, and gets its result. */
const RACE_MS = 10_000;

/** How many of the tokens it fetched a process remembers, to tell which of two is the newer. */
const REMEMBERED_TOKENS = 50;

/** The requests for tokens of one account. */
export class TokenFetch {
	private inFlight?: Promise<Token>;
	/** the newest token, and when (monotonic) it was fetched */
	private last?: { token: Token; atMs: number };
	private readonly fetched = new RecentValues(REMEMBERED_TOKENS);

	constructor(private readonly clock: Clock) {}

	/**
	 * A token to replace `previous`: the newest that this process has fetched, if it is newer, or a new one from Sobot.
	 *
	 * @param previous the token stored so far, if any: refused, expired, or about to expire
	 * @throws TokenError when Sobot refuses, or no attempt succeeds; nothing else
	 */
	async fetch(account: Account, previous: Token | undefined, send: SendTokenRequest): Promise<Token> {
		const { last } = this;
		if (!this.inFlight && last && this.replaces(last, previous)) return last.token;
		return await this.fetchNew(account, send);
	}

	/** A token from a request that is in flight at this moment or starts now. Throws TokenError only. */
	async fetchNew(account: Account, send: SendTokenRequest): Promise<Token> {
		this.inFlight ??= this.run(account, send).finally(() => (this.inFlight = undefined));
		return await this.inFlight;
	}

	private async run(account: Account, send: SendTokenRequest): Promise<Token> {
		const reading = await this.askUntilAnswered(account, send);
		if ('error' in reading) throw reading.error;
		this.last = { token: reading.token, atMs: this.clock.nowMs() };
		this.fetched.add(reading.token.value);
		return reading.token;
	}

	/** Whether the last fetched token replaces `previous`: it has not expired, and is newer. */
	private replaces(last: { token: Token; atMs: number }, previous: Token | undefined): boolean {
		const { token, atMs } = last;
		if (this.clock.epochMs() >= token.expiresAtMs) return false;
		if (!previous) return this.clock.nowMs() - atMs < RACE_MS;
		if (previous.value === token.value) return false;
		// The wall clock may have jumped between two fetches of this process: their order is known without it.
		return this.fetched.has(previous.value) || token.fetchedAtMs > previous.fetchedAtMs;
	}

	private async askUntilAnswered(account: Account, send: SendTokenRequest): Promise<TokenReading> {
		const startedMs = this.clock.nowMs();
		for (let attempt = 0; ; attempt++) {
			const reading = await this.ask(account, send);
			const pauseMs = PAUSES_MS[attempt];
			if ('token' in reading || !reading.error.transient || pauseMs === undefined) return reading;
			if (this.clock.nowMs() - startedMs >= LONGEST_ROUND_MS) return reading;
			await this.clock.sleep(pauseMs * (1 - this.clock.random() / 2));
		}
	}

	private async ask(account: Account, send: SendTokenRequest): Promise<TokenReading> {
		const askedAtMs = this.clock.epochMs();
		try {
			return readToken(await send(tokenRequest(account, askedAtMs)), askedAtMs);
		} catch (error) {
			return { error: readRequestFailure(error) };
		}
	}
}
