// The only place that decides, from the answer or the network error, how a call ended and whether it may be sent again.
// Each call affects a real person, so it is sent again only if Sobot certainly did not carry it out.
import { quoted, readSobotAnswer, type HttpAnswer } from './answer';
import { causesOf } from './errors';
import { LOOK_FIRST, MAY_OR_MAY_NOT, meaningOf, withCode, type Outcome } from './returnCodes';

/** An outcome with its texts for the user: what happened, and what to do next. */
export interface Verdict {
	readonly outcome: Outcome;
	/** Sobot's code; null where the answer held none */
	readonly retCode: string | null;
	readonly message: string;
	readonly advice: string;
}

/** One object for all accepted calls, so that an accepted customer costs no memory. */
const ACCEPTED: Verdict = Object.freeze({
	outcome: 'accepted',
	retCode: '000000',
	message: 'Accepted',
	advice: '',
});

/** No connection was made: nothing has left this machine for Sobot. */
const UNREACHABLE: Readonly<Record<string, string>> = {
	ECONNREFUSED: 'The connection to Sobot was refused',
	ENOTFOUND: "Sobot's host name is not known",
	EAI_AGAIN: "Sobot's host name could not be looked up",
	ETIMEDOUT: 'No connection to Sobot could be made in time',
	EHOSTUNREACH: "Sobot's host cannot be reached",
	ENETUNREACH: "Sobot's network cannot be reached",
	EMFILE: 'This machine has no file handles left for a connection to Sobot',
	EADDRNOTAVAIL: 'This machine has no free port left for a connection to Sobot',
};

/** These mean that no connection was made, whatever the system call was. */
const ALWAYS_BEFORE_SENDING = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN'];

/**
 * The request could not be made at all: the next call would end the same way. Other TLS errors can also come after
 * Sobot has acted, with its answer.
 */
const REFUSED_BEFORE_SENDING: ReadonlyArray<readonly [RegExp, string]> = [
	[/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/, "Sobot's TLS certificate was not accepted"],
	[/^ERR_INVALID_(CHAR|URL|PROTOCOL)$/, 'The request to Sobot could not be made'],
	[/SSRF/i, "n8n's protection against server-side request forgery blocked the call to Sobot"],
];

/** The request may have reached Sobot before these. */
const UNKNOWN_ERRORS: Readonly<Record<string, string>> = {
	ECONNABORTED: 'Sobot did not answer in time',
	ETIMEDOUT: 'Sobot did not answer in time',
	ECONNRESET: 'The connection to Sobot broke after the call was sent',
	EPIPE: 'The connection to Sobot broke after the call was sent',
};

/** The verdict on Sobot's answer to a canvas trigger. Source: Sobot, "Rule Engine API", Return codes. */
export function judgeAnswer({ statusCode, body }: HttpAnswer): Verdict {
	const sobot = readSobotAnswer(body);
	// An answer that did not come from Sobot's own API, or came while a gateway was failing, proves nothing.
	if (!sobot || statusCode >= 500) {
		return unknown(
			sobot?.retCode ?? null,
			`Sobot answered with HTTP ${statusCode} and ${sobot ? `code ${sobot.retCode}` : describeBody(body)}`,
			statusCode >= 300 && statusCode < 500
				? `Check 'Region' in the Sobot API credential. ${LOOK_FIRST}`
				: LOOK_FIRST,
		);
	}
	const { retCode } = sobot;
	const meaning = meaningOf(retCode);
	if (!meaning) {
		const what = `Sobot answered with a code that it does not document${quoted(sobot)}`;
		return unknown(retCode, what, LOOK_FIRST);
	}
	if (meaning.outcome !== 'accepted') {
		return { ...meaning, retCode, message: withCode(meaning.message, retCode) };
	}
	if (statusCode === 200) return ACCEPTED;
	return unknown(retCode, `Sobot answered with success, but with HTTP ${statusCode}`, LOOK_FIRST);
}

/** The verdict on a request that got no answer. */
export function judgeError(error: unknown): Verdict {
	for (const cause of causesOf(error)) {
		const verdict = beforeSending(cause);
		if (verdict) return verdict;
	}
	for (const { code } of causesOf(error)) {
		const isKnown = typeof code === 'string' && Object.hasOwn(UNKNOWN_ERRORS, code);
		const words = isKnown ? UNKNOWN_ERRORS[code] : undefined;
		if (words !== undefined) return unknown(null, words, LOOK_FIRST);
	}
	return unknown(null, 'The call to Sobot failed without an answer', LOOK_FIRST);
}

/** A verdict if the request certainly never left this machine. */
function beforeSending({ code, name, syscall, message }: Record<string, unknown>): Verdict | undefined {
	const label = [code, name].find((one): one is string => typeof one === 'string' && one !== 'Error') ?? '';
	const words = REFUSED_BEFORE_SENDING.find(([pattern]) => pattern.test(label))?.[1];
	if (words !== undefined) {
		return {
			outcome: 'refused',
			retCode: null,
			message: `${words} (${label}).`,
			advice: "Nothing was sent. Check 'Region' in the Sobot API credential, your proxy and its certificate.",
		};
	}
	const isConnecting =
		syscall === 'connect' ||
		syscall === 'getaddrinfo' ||
		// Node's own message for a connection that broke during the TLS handshake.
		String(message).includes('before secure TLS connection was established');
	if (!isConnecting && !ALWAYS_BEFORE_SENDING.includes(label)) return undefined;
	return {
		outcome: 'unreachable',
		retCode: null,
		// Without the code: n8n replaces a message that contains one with its own text.
		message: `${UNREACHABLE[label] ?? 'No connection to Sobot could be made'}.`,
		advice: "Nothing was sent. Check 'Region' in the Sobot API credential and the network of this machine.",
	};
}

/** @param what what happened, as a sentence without its full stop */
function unknown(retCode: string | null, what: string, advice: string): Verdict {
	const message = withCode(`${what}. ${MAY_OR_MAY_NOT}.`, retCode);
	return { outcome: 'unknown', retCode, message, advice };
}

function describeBody(body: unknown): string {
	if (body === undefined || body === null || body === '') return 'an empty body';
	if (typeof body === 'string' && /^\s*</.test(body)) return 'an HTML page';
	return 'a body that is not its JSON';
}
