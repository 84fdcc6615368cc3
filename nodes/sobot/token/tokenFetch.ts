// Fetches a token: single-flight per account, with backoff and jitter on transient failures. Every new token may end
// the one before, so a needless fetch costs other programs a retry.
import type { Account, Token } from '../account/account';
import type { Clock } from '../clock';
import type { HttpAnswer } from '../outcome/answer';
import { readRequestFailure, readToken, tokenRequest, type TokenReading } from './tokenApi';

/** Sends a request for a token; rejects if no answer came. */
export type SendTokenRequest = (request: ReturnType<typeof tokenRequest>) => Promise<HttpAnswer>;

/** Pauses between attempts at `get_token`. Jitter shortens each by up to a half: 4 to 8 s in all. */
const PAUSES_MS = [250, 500, 1000, 2000, 4000];

/** No further attempt this long after the first: if Sobot hangs, each takes 10 s. */
const LONGEST_ROUND_MS = 15_000;

/** A caller without a token that arrives within this window raced with the fetch, and gets its result. */
const RACE_MS = 10_000;

/** The requests for tokens of one account. */
export class TokenFetch {
	private inFlight?: Promise<Token>;
	private last?: Token;

	constructor(private readonly clock: Clock) {}

	/**
	 * A token that this process has fetched after a moment, or a new one from Sobot. Concurrent callers share a request.
	 *
	 * @param sinceMs that moment, in epoch ms; Infinity for a new token in any case
	 * @throws TokenError when Sobot refuses, or no attempt succeeds; nothing else
	 */
	async fetch(
		account: Account,
		send: SendTokenRequest,
		sinceMs = this.clock.epochMs() - RACE_MS,
	): Promise<Token> {
		const { last } = this;
		const nowMs = this.clock.epochMs();
		const isNew = last && last.fetchedAtMs > sinceMs && last.fetchedAtMs <= nowMs && nowMs < last.expiresAtMs;
		if (isNew && !this.inFlight) return last;
		this.inFlight ??= this.run(account, send).finally(() => (this.inFlight = undefined));
		return await this.inFlight;
	}

	private async run(account: Account, send: SendTokenRequest): Promise<Token> {
		const startedMs = this.clock.nowMs();
		for (let attempt = 0; ; attempt++) {
			const reading = await this.ask(account, send);
			if ('token' in reading) return (this.last = reading.token);
			const pauseMs = PAUSES_MS[attempt];
			const isOver = pauseMs === undefined || this.clock.nowMs() - startedMs >= LONGEST_ROUND_MS;
			if (isOver || !reading.error.transient) throw reading.error;
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
