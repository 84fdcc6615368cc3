// Sobot's `get_token` on the wire: the request, the quirks of its answer, and which failures are transient.
import { createHash } from 'crypto';
import type { Account, Token } from '../account/account';
import {
	isJsonObject,
	plainAnswerWithin,
	quoted,
	readSobotAnswer,
	type HttpAnswer,
	type SobotAnswer,
} from '../outcome/answer';
import { meaningOf, withCode } from '../outcome/returnCodes';
import { beforeSending, CHECK_ADDRESS, PROXY_LOGIN, type NotLeft } from '../outcome/verdict';

/**
 * Thrown when there is no token to send with. `advice` says what to do, `retCode` is Sobot's code if it sent one.
 * `transient`: a later attempt may succeed. `outcome`: how the call ends that was to be sent with the token; `refused` only
 * if Sobot refused.
 */
export class TokenError extends Error {
	constructor(
		message: string,
		readonly advice: string,
		readonly retCode: string | null,
		readonly transient: boolean,
		readonly outcome: NotLeft['outcome'] | 'refused' = transient
			? 'unreachable'
			: retCode === null
				? 'notSent'
				: 'refused',
	) {
		super(message);
		this.name = 'TokenError';
	}
}

/** What an answer to `get_token` holds. */
export type TokenReading = { token: Token } | { error: TokenError };

/** Sobot's documented maximum, and the lifetime of a token whose answer states none. */
const LONGEST_LIFE_SECONDS = 86_400;

/** A shorter lifetime counts as this. A token that ends before it arrives would be replaced without an end. */
const SHORTEST_LIFE_SECONDS = 2;

/** How long to wait for an answer to `get_token`, in ms. */
const REQUEST_TIMEOUT_MS = 10_000;

const TRY_LATER =
	"Try again in a moment. If this persists, check 'Region' and 'Base URL' in the Sobot API credential.";

/**
 * The request for a new token, signed for this moment: `sign` is the lower-case hex of `md5(appid + create_time + app_key)`,
 * `create_time` Unix time in seconds. Source: Sobot, "Rule Engine API", get_token.
 */
export function tokenRequest(account: Account, epochMs: number) {
	const createTime = String(Math.floor(epochMs / 1000));
	return {
		method: 'GET' as const,
		url: `${account.baseUrl}/api/get_token`,
		qs: {
			appid: account.appId,
			create_time: createTime,
			sign: createHash('md5').update(`${account.appId}${createTime}${account.appKey}`).digest('hex'),
		},
		headers: { accept: 'application/json' },
		...plainAnswerWithin(REQUEST_TIMEOUT_MS),
	};
}

/**
 * The token in an answer to `get_token`. Tolerates the quirks that Sobot's own document shows: a padded token, a lifetime
 * that is a string, several spellings of its name, and failures that arrive as HTTP 200.
 *
 * @param askedAtMs when the request left: the lifetime counts from there, so that it ends early rather than late
 */
export function readToken(answer: HttpAnswer, askedAtMs: number): TokenReading {
	const { statusCode } = answer;
	if (statusCode >= 300 && statusCode < 400) return { error: redirected(statusCode) };
	if (statusCode === 407) return { error: notFetched(PROXY_LOGIN, false) };
	const sobot = readSobotAnswer(answer.body);
	if (!sobot || statusCode >= 500) {
		const what = `Sobot answered the request for a token with HTTP ${statusCode} and no usable JSON.`;
		return { error: transientFailure(what, sobot?.retCode ?? null) };
	}
	if (sobot.retCode === '999999') {
		return { error: transientFailure('Sobot reports an unknown system error.', sobot.retCode) };
	}
	if (sobot.retCode !== '000000') return { error: refusal(sobot) };
	const item = isJsonObject(sobot.json.item) ? sobot.json.item : {};
	const value = typeof item.token === 'string' ? item.token.trim() : '';
	// A token that a header cannot carry would end every call before it leaves.
	if (!/^[\x21-\x7e]+$/.test(value)) {
		return { error: transientFailure('Sobot reported success, but sent no usable token.', sobot.retCode) };
	}
	const expiresAtMs = askedAtMs + readLifeSeconds(item) * 1000;
	return { token: { value, fetchedAtMs: askedAtMs, expiresAtMs } };
}

/** Why a request for a token got no answer. A request changes nothing but the token, so it may always be repeated. */
export function readRequestFailure(error: unknown): TokenError {
	const broke: NotLeft = {
		outcome: 'unreachable',
		message: 'The connection to Sobot broke.',
		advice: CHECK_ADDRESS,
	};
	const notLeft = beforeSending(error) ?? broke;
	return notFetched(notLeft, notLeft.outcome !== 'notSent');
}

function notFetched({ message, advice, outcome }: NotLeft, transient: boolean): TokenError {
	return new TokenError(`Could not fetch a token. ${message}`, advice, null, transient, outcome);
}

/** The first lifetime that is a positive number, under any name that Sobot's document or its clients use. */
function readLifeSeconds(item: Record<string, unknown>): number {
	for (const named of [item.expires_in, item.expire_in, item.expire]) {
		const seconds = typeof named === 'string' || typeof named === 'number' ? Number(named) : NaN;
		if (seconds > 0) return Math.min(Math.max(seconds, SHORTEST_LIFE_SECONDS), LONGEST_LIFE_SECONDS);
	}
	return LONGEST_LIFE_SECONDS;
}

function refusal(answer: SobotAnswer): TokenError {
	const { retCode } = answer;
	const meaning = meaningOf(retCode);
	const message = withCode(meaning?.message ?? `Sobot gave no token${quoted(answer)}`, retCode);
	const advice = meaning?.advice ?? "Check 'App ID', 'App Key' and 'Region' in the Sobot API credential.";
	return new TokenError(message, advice, retCode, false);
}

function redirected(statusCode: number): TokenError {
	return new TokenError(
		`'Base URL' redirects to another address (HTTP ${statusCode}).`,
		'Enter the address that it redirects to in the Sobot API credential. The node does not follow redirects: the token and the secret would go to another host.',
		null,
		false,
	);
}

function transientFailure(message: string, retCode: string | null): TokenError {
	return new TokenError(withCode(message, retCode), TRY_LATER, retCode, true);
}
