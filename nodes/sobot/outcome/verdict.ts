// Room `outcome`: the only place that decides, from the answer or the network error, how a call ended and whether it may be
// sent again. Each call affects a real person, so it is sent again only if Sobot certainly did not carry it out.
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
export const ACCEPTED = Object.freeze({
	outcome: 'accepted',
	retCode: '000000',
	message: 'Accepted',
	advice: '',
} as const);

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

/** Where to look if no connection can be made. */
export const CHECK_ADDRESS =
	"Check 'Region' and 'Base URL' in the Sobot API credential and the network of this machine.";

/** Where the settings of a proxy are. */
const CHECK_PROXY =
	'Check the address and the login of the proxy in the environment variable HTTPS_PROXY (HTTP_PROXY for an http:// address), then restart n8n.';

/**
 * The request could not be made at all: the next call would end the same way. Other TLS errors can also come after
 * Sobot has acted, with its answer.
 */
const NEVER_LEAVES: ReadonlyArray<{ label: RegExp; message: (label: string) => string; advice: string }> = [
	{
		// An alert comes from the server, which wants a certificate from n8n.
		label:
			/^(?!.*_ALERT_).*(CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_|INVALID_(CA|PURPOSE)$|HOSTNAME_MISMATCH|PATH_LENGTH)/,
		message: (label) => `Sobot's TLS certificate was not accepted (${label}).`,
		advice:
			"If a proxy or your own server has a certificate authority of its own, set NODE_EXTRA_CA_CERTS to its file and restart n8n. Otherwise check 'Region' and 'Base URL' in the Sobot API credential.",
	},
	{
		label: /^ERR_INVALID_(CHAR|URL|PROTOCOL)$/,
		message: (label) => `The request to Sobot could not be made (${label}).`,
		advice: "Check 'Region' and 'Base URL' in the Sobot API credential, and the 'Secret' of the canvas.",
	},
	{
		label: /SSRF/i,
		message: () => "n8n's SSRF protection blocked the call to Sobot.",
		advice:
			"Add Sobot's host name to N8N_SSRF_ALLOWED_HOSTNAMES, or its addresses to N8N_SSRF_ALLOWED_IP_RANGES, then restart n8n.",
	},
];

/** A request that certainly never left this machine. */
export interface NotLeft {
	/** `notSent` if the next one would end the same way */
	readonly outcome: 'unreachable' | 'notSent';
	readonly message: string;
	readonly advice: string;
}

/** The answer of a proxy that wants a login: it has passed nothing on. */
export const PROXY_LOGIN: NotLeft = {
	outcome: 'unreachable',
	message: 'The proxy between n8n and Sobot did not accept the login (HTTP 407).',
	advice: CHECK_PROXY,
};

/** The request may have reached Sobot before these. */
const UNKNOWN_ERRORS: ReadonlyMap<unknown, string> = new Map([
	['ECONNABORTED', 'Sobot did not answer in time'],
	['ERR_CANCELED', 'Sobot did not answer in time'],
	['ETIMEDOUT', 'Sobot did not answer in time'],
	['ECONNRESET', 'The connection to Sobot broke after the call was sent'],
	['EPIPE', 'The connection to Sobot broke after the call was sent'],
]);

/** The verdict on Sobot's answer to a canvas trigger. Source: Sobot, "Rule Engine API", Return codes. */
export function judgeAnswer({ statusCode, body }: HttpAnswer): Verdict {
	if (statusCode === 407) return nothingSent(PROXY_LOGIN);
	const sobot = readSobotAnswer(body);
	// An answer that did not come from Sobot's own API, or came while a gateway was failing, proves nothing.
	if (!sobot || statusCode >= 500) {
		const what = sobot ? `code ${sobot.retCode}` : describeBody(body);
		const mayBeElsewhere = statusCode >= 300 && statusCode < 500;
		return unknown(
			sobot?.retCode ?? null,
			`Sobot answered with HTTP ${statusCode} and ${what}`,
			mayBeElsewhere ? `Check 'Region' in the Sobot API credential. ${LOOK_FIRST}` : LOOK_FIRST,
		);
	}
	const { retCode } = sobot;
	const meaning = meaningOf(retCode);
	if (!meaning) {
		return unknown(retCode, `Sobot answered with a code that it does not document${quoted(sobot)}`);
	}
	if (meaning.outcome !== 'accepted') {
		return { ...meaning, retCode, message: withCode(meaning.message, retCode) };
	}
	if (statusCode === 200) return ACCEPTED;
	return unknown(retCode, `Sobot answered with success, but with HTTP ${statusCode}`);
}

/** The verdict on a request that got no answer. */
export function judgeError(error: unknown): Verdict {
	const notLeft = beforeSending(error);
	if (notLeft) return nothingSent(notLeft);
	for (const { code } of causesOf(error)) {
		const words = UNKNOWN_ERRORS.get(code);
		if (words !== undefined) return unknown(null, words);
	}
	return unknown(null, 'The call to Sobot failed without an answer');
}

/** Why a request got no answer, if it certainly never left this machine. */
export function beforeSending(error: unknown): NotLeft | undefined {
	for (const cause of causesOf(error)) {
		const notLeft = neverLeft(cause);
		if (notLeft) return notLeft;
	}
	return undefined;
}

function neverLeft({ code, name, syscall, message, request }: Record<string, unknown>): NotLeft | undefined {
	const label = [code, name].find((one): one is string => typeof one === 'string' && one !== 'Error') ?? '';
	const never = NEVER_LEAVES.find((one) => one.label.test(label));
	if (never) return { outcome: 'notSent', message: never.message(label), advice: never.advice };
	// Only a proxy keeps a request waiting for a connection, until it has one itself.
	if ((request as { socket?: unknown } | undefined)?.socket === null) {
		const words = 'The proxy between n8n and Sobot made no connection.';
		return { outcome: 'unreachable', message: words, advice: CHECK_PROXY };
	}
	const isConnecting =
		syscall === 'connect' ||
		syscall === 'getaddrinfo' ||
		// Node's own message for a connection that broke during the TLS handshake.
		String(message).includes('before secure TLS connection was established');
	if (!isConnecting && !ALWAYS_BEFORE_SENDING.includes(label)) return undefined;
	// Without the code: docs/n8n-behavior.md, X16.
	const words = `${UNREACHABLE[label] ?? 'No connection to Sobot could be made'}.`;
	return { outcome: 'unreachable', message: words, advice: CHECK_ADDRESS };
}

function nothingSent({ advice, ...notLeft }: NotLeft): Verdict {
	return { ...notLeft, retCode: null, advice: `Nothing was sent. ${advice}` };
}

/** @param what what happened, as a sentence without its full stop */
function unknown(retCode: string | null, what: string, advice = LOOK_FIRST): Verdict {
	const message = withCode(`${what}. ${MAY_OR_MAY_NOT}.`, retCode);
	return { outcome: 'unknown', retCode, message, advice };
}

function describeBody(body: unknown): string {
	if (body === undefined || body === null || body === '') return 'an empty body';
	if (typeof body === 'string' && /^\s*</.test(body)) return 'an HTML page';
	return 'a body that is not its JSON';
}
