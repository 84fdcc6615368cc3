// Sobot's `get_token` on the wire: the request, the quirks of its answer, and which failures pass by themselves.
import { isJsonObject, readSobotAnswer, type HttpAnswer } from './answer';
import { judgeError, RETURN_CODES } from './returnCodes';
import { signTokenRequest } from './signature';

/** Whose token: an App ID and its key at one of Sobot's hosts. */
export interface Account {
	baseUrl: string;
	appId: string;
	appKey: string;
}

/** A token and its life, epoch milliseconds by the clock of the machine that fetched it. */
export interface Token {
	value: string;
	fetchedAtMs: number;
	expiresAtMs: number;
}

/** No token could be had. `passing`: trying again later may help. */
export class TokenError extends Error {
	constructor(
		message: string,
		readonly advice: string,
		readonly retCode: string | null,
		readonly passing: boolean,
	) {
		super(message);
		this.name = 'TokenError';
	}
}

export type TokenReading = { token: Token } | { error: TokenError };

/** Sobot's documented maximum, and what is assumed where the answer names no lifetime. */
const LONGEST_LIFE_SECONDS = 86_400;
const REQUEST_TIMEOUT_MS = 10_000;

/** The request for a new token, signed for this moment. */
export function tokenRequest(account: Account, nowMs: number) {
	const createTime = String(Math.floor(nowMs / 1000));
	return {
		method: 'GET' as const,
		url: `${account.baseUrl}/api/get_token`,
		qs: {
			appid: account.appId,
			create_time: createTime,
			sign: signTokenRequest(account.appId, account.appKey, createTime),
		},
		headers: { accept: 'application/json' },
		timeout: REQUEST_TIMEOUT_MS,
		encoding: 'text' as const,
		returnFullResponse: true as const,
		ignoreHttpStatusErrors: true,
	};
}

/**
 * The token in an answer to `get_token`. It tolerates what Sobot's own document shows: a padded token, a lifetime
 * that is a string, either spelling of its name, and failures that arrive as HTTP 200.
 *
 * @param askedAtMs when the request left: the lifetime is counted from there, so that it ends early rather than late
 */
export function readToken(answer: HttpAnswer, askedAtMs: number): TokenReading {
	const sobot = readSobotAnswer(answer.body);
	if (!sobot || answer.statusCode >= 500) {
		return passing(
			`Sobot answered the request for a token with HTTP ${answer.statusCode} and no usable JSON`,
			sobot?.retCode ?? null,
		);
	}
	if (sobot.retCode === '999999') return passing('Sobot reports an unknown system error', sobot.retCode);
	if (sobot.retCode !== '000000') {
		const row = RETURN_CODES[sobot.retCode];
		const said = sobot.retMsg ? ` ("${sobot.retMsg.slice(0, 200)}")` : '';
		return {
			error: new TokenError(
				`${row?.message ?? `Sobot gave no token${said}`} (${sobot.retCode}).`,
				row?.advice ?? 'Check App ID, App Key and Region in the Sobot API credential.',
				sobot.retCode,
				false,
			),
		};
	}
	const item = isJsonObject(sobot.json.item) ? sobot.json.item : {};
	const value = typeof item.token === 'string' ? item.token.trim() : '';
	if (value === '') return passing('Sobot reported success, but sent no token', sobot.retCode);
	const named = Number(item.expires_in ?? item.expire_in);
	const lifeSeconds = named > 0 ? Math.min(named, LONGEST_LIFE_SECONDS) : LONGEST_LIFE_SECONDS;
	return { token: { value, fetchedAtMs: askedAtMs, expiresAtMs: askedAtMs + lifeSeconds * 1000 } };
}

/** Why a request for a token got no answer. Asking changes nothing but the token, so it may always be asked again. */
export function readTokenFailure(error: unknown): TokenError {
	const verdict = judgeError(error);
	const said = verdict.outcome === 'unknown' ? 'The connection to Sobot failed.' : verdict.message;
	return new TokenError(
		`No token could be fetched. ${said}`,
		'Check Region and Base URL in the Sobot API credential and the network of this machine.',
		null,
		verdict.outcome !== 'refused',
	);
}

function passing(message: string, retCode: string | null): TokenReading {
	const code = retCode === null ? '' : ` (${retCode})`;
	return {
		error: new TokenError(
			`${message}${code}.`,
			'Try again in a moment. If it stays, check Region and Base URL in the Sobot API credential.',
			retCode,
			true,
		),
	};
}
