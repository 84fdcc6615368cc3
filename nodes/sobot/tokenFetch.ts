// Fetches a new token, once for all who ask for it at the same time in this process, and patiently while Sobot
// stutters. Every new token may end the one before, so a needless fetch costs others a retry.
import { createHash } from 'crypto';
import type { HttpAnswer } from './answer';
import type { Clock } from './clock';
import {
	readToken,
	readTokenFailure,
	tokenRequest,
	type Account,
	type Token,
	type TokenReading,
} from './getToken';

export type SendTokenRequest = (request: ReturnType<typeof tokenRequest>) => Promise<HttpAnswer>;

/** Pauses between tries of `get_token`, each shortened at random by up to a half: about 4 to 8 s in all. */
const PAUSES_MS = [250, 500, 1000, 2000, 4000];

/** Callers without any token of their own, that come this soon after a fetch, were racing with it. */
const RACE_MS = 10_000;

interface Fetched {
	underWay?: Promise<Token>;
	last?: Token;
}

const fetchedByAccount = new Map<string, Fetched>();

/**
 * A token other than the one that no longer serves: the newest that this process has fetched, if it is newer, or a
 * new one from Sobot.
 *
 * @param served the token that was stored so far, if any: refused, expired, or about to expire
 * @throws TokenError when Sobot refuses, or has failed at every try
 */
export async function fetchToken(
	account: Account,
	served: Token | undefined,
	send: SendTokenRequest,
	clock: Clock,
): Promise<Token> {
	const key = accountKey(account);
	const fetched = fetchedByAccount.get(key) ?? {};
	fetchedByAccount.set(key, fetched);
	if (fetched.underWay) return await fetched.underWay;
	const { last } = fetched;
	if (last && serves(last, served, clock.epochMs())) return last;

	fetched.underWay = askUntilAnswered(account, send, clock);
	try {
		fetched.last = await fetched.underWay;
		return fetched.last;
	} finally {
		fetched.underWay = undefined;
	}
}

/** Identifies an account in this process's memory without keeping its key readable there. */
export function accountKey({ baseUrl, appId, appKey }: Account): string {
	return createHash('sha256')
		.update(JSON.stringify([baseUrl, appId, appKey]))
		.digest('hex');
}

function serves(last: Token, served: Token | undefined, nowMs: number): boolean {
	if (nowMs >= last.expiresAtMs) return false;
	if (!served) return nowMs - last.fetchedAtMs < RACE_MS;
	return last.value !== served.value && last.fetchedAtMs > served.fetchedAtMs;
}

async function askUntilAnswered(account: Account, send: SendTokenRequest, clock: Clock): Promise<Token> {
	for (let tries = 0; ; tries++) {
		const reading = await ask(account, send, clock.epochMs());
		if ('token' in reading) return reading.token;
		const pauseMs = PAUSES_MS[tries];
		if (!reading.error.passing || pauseMs === undefined) throw reading.error;
		await clock.sleep(pauseMs * (1 - clock.random() / 2));
	}
}

async function ask(account: Account, send: SendTokenRequest, nowMs: number): Promise<TokenReading> {
	try {
		return readToken(await send(tokenRequest(account, nowMs)), nowMs);
	} catch (error) {
		return { error: readTokenFailure(error) };
	}
}
