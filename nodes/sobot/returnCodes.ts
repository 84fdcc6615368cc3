// The one place that decides, by return code and by network error, what became of a call and whether it may be
// sent again. A call behind which stands a person is repeated only if Sobot certainly did not carry it out.
import { causesOf, readSobotAnswer, type HttpAnswer } from './answer';

/**
 * What became of a call:
 * - `accepted`: carried out
 * - `tokenRefused`: not carried out; send again with another token
 * - `tokenDoubtful`: not carried out; another token is worth one try, if this token was not just fetched
 * - `overLimit`: not carried out; send again at its next turn
 * - `unreachable`: no connection was made; send again after a pause
 * - `refused`: not carried out; sending it again would not help
 * - `unknown`: Sobot may or may not have carried it out; never send it again
 */
export type Outcome =
	'accepted' | 'tokenRefused' | 'tokenDoubtful' | 'overLimit' | 'unreachable' | 'refused' | 'unknown';

/** An outcome with its words for the user: what happened, and what to do next. */
export interface Verdict {
	outcome: Outcome;
	/** Sobot's code, null where the answer held none */
	retCode: string | null;
	message: string;
	advice: string;
}

interface Row {
	outcome: Outcome;
	message: string;
	advice: string;
}

const MAY_OR_MAY_NOT = 'Sobot may or may not have put this customer on the canvas';
const LOOK_FIRST =
	'Look in Sobot whether the customer is on the canvas before you send them again. This node never sends such a call twice.';

/** Sobot's return codes for the canvas trigger. Source: Sobot, "Rule Engine API", Return codes. */
export const RETURN_CODES: Readonly<Record<string, Row>> = {
	'000000': { outcome: 'accepted', message: 'Accepted', advice: '' },
	'900001': {
		outcome: 'tokenRefused',
		message: 'Sobot received no token',
		advice:
			'A renewed token did not help either. Test the Sobot API credential, and check that a proxy does not strip headers.',
	},
	'900002': {
		outcome: 'tokenRefused',
		message: 'Sobot says that the token has expired',
		advice:
			'Renewed tokens were refused too. Another program may be fetching tokens with the same App ID: every new token ends the one before.',
	},
	'900003': {
		outcome: 'refused',
		message: 'Sobot did not accept the signature',
		advice: "Check App ID and App Key in the Sobot API credential, and that this machine's clock is right.",
	},
	'900004': {
		outcome: 'refused',
		message: 'Sobot has no API configuration for this company',
		advice:
			'Check App ID, App Key and Region in the Sobot API credential. Sobot may have to enable API access for your company.',
	},
	'999999': {
		outcome: 'unknown',
		message: `Sobot reports an unknown system error. ${MAY_OR_MAY_NOT}`,
		advice: LOOK_FIRST,
	},
	'910021': {
		outcome: 'refused',
		message: 'Sobot misses the trigger ID or the token',
		advice: 'Check Trigger ID in the Sobot Canvas credential.',
	},
	'910022': {
		outcome: 'tokenDoubtful',
		message: 'Sobot did not find this canvas',
		advice:
			'Check Trigger ID and Secret in the Sobot Canvas credential, and that the canvas belongs to the account of the Sobot API credential.',
	},
	'910023': {
		outcome: 'refused',
		message: 'Sobot did not accept the customer ID field',
		advice:
			"Check Contact ID Field: it must be the name of the customer source field in your Sobot account, and this customer's value must not be empty.",
	},
	'910024': {
		outcome: 'overLimit',
		message: 'This trigger ID is over its limit of 50 calls a second',
		advice:
			'The item was tried until Give Up After ran out. Other programs use the same trigger ID: lower their rate, or raise Give Up After.',
	},
	'910025': {
		outcome: 'refused',
		message: 'This canvas is not activated in Sobot',
		advice: 'Activate the canvas in Sobot, then run the workflow again for this item.',
	},
	'910026': {
		outcome: 'refused',
		message: 'Sobot found no matching customer',
		advice: 'Check that the contact ID belongs to a customer in Sobot, and that Contact ID Field is right.',
	},
};

/** Errors of a connection that was never made: nothing has left this machine for Sobot. */
const UNREACHABLE: Readonly<Record<string, string>> = {
	ECONNREFUSED: 'The connection to Sobot was refused',
	ENOTFOUND: "Sobot's host name is not known",
	EAI_AGAIN: "Sobot's host name could not be looked up",
};

/** These say that nothing was sent only if it was the connecting itself that failed. */
const UNREACHABLE_WHILE_CONNECTING: Readonly<Record<string, string>> = {
	ETIMEDOUT: 'No connection to Sobot could be made in time',
	EHOSTUNREACH: "Sobot's host cannot be reached",
	ENETUNREACH: "Sobot's network cannot be reached",
	ECONNRESET: 'No connection to Sobot could be made',
};

/** A failed TLS handshake: the call was not sent, and the next would fail alike. */
const CERTIFICATE_ERROR = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/;

const UNKNOWN_ERRORS: Readonly<Record<string, string>> = {
	ECONNABORTED: 'Sobot did not answer in time',
	ETIMEDOUT: 'Sobot did not answer in time',
	ECONNRESET: 'The connection to Sobot broke after the call was sent',
	EPIPE: 'The connection to Sobot broke after the call was sent',
};

/** What Sobot's answer to a canvas trigger means. */
export function judgeAnswer(answer: HttpAnswer): Verdict {
	const { statusCode } = answer;
	const sobot = readSobotAnswer(answer.body);
	// Words that did not come from Sobot's own API, or came while something on the way was failing, prove nothing.
	if (!sobot || statusCode >= 500) {
		return unknown(
			sobot?.retCode ?? null,
			`Sobot answered with HTTP ${statusCode} and ${sobot ? `code ${sobot.retCode}` : describeBody(answer.body)}`,
			statusCode >= 300 && statusCode < 500
				? `Check Region and Base URL in the Sobot API credential. ${LOOK_FIRST}`
				: LOOK_FIRST,
		);
	}
	const row = RETURN_CODES[sobot.retCode];
	if (!row) {
		const said = sobot.retMsg ? ` ("${sobot.retMsg.slice(0, 200)}")` : '';
		return unknown(sobot.retCode, `Sobot answered with a code that it does not document${said}`, LOOK_FIRST);
	}
	const message = row.outcome === 'accepted' ? row.message : `${row.message} (${sobot.retCode}).`;
	return { outcome: row.outcome, retCode: sobot.retCode, message, advice: row.advice };
}

/** What a request that got no answer means. */
export function judgeError(error: unknown): Verdict {
	for (const { code, syscall } of causesOf(error)) {
		if (typeof code !== 'string') continue;
		const connecting = syscall === 'connect' || syscall === 'getaddrinfo';
		const unreachable = UNREACHABLE[code] ?? (connecting ? UNREACHABLE_WHILE_CONNECTING[code] : undefined);
		if (unreachable) {
			return {
				outcome: 'unreachable',
				retCode: null,
				// Without the error's name: n8n would put a text of its own in the place of a message that holds it.
				message: `${unreachable}.`,
				advice:
					'Nothing was sent. Check Region and Base URL in the Sobot API credential and the network of this machine.',
			};
		}
		if (CERTIFICATE_ERROR.test(code)) {
			return {
				outcome: 'refused',
				retCode: null,
				message: `Sobot's TLS certificate was not accepted (${code}).`,
				advice:
					'Nothing was sent. Check Base URL in the Sobot API credential, or the certificate of your proxy.',
			};
		}
	}
	for (const { code } of causesOf(error)) {
		const known = typeof code === 'string' ? UNKNOWN_ERRORS[code] : undefined;
		if (known) return unknown(null, known, LOOK_FIRST);
	}
	return unknown(null, 'The call to Sobot failed without an answer', LOOK_FIRST);
}

function unknown(retCode: string | null, what: string, advice: string): Verdict {
	const code = retCode === null ? '' : ` (${retCode})`;
	return { outcome: 'unknown', retCode, message: `${what}. ${MAY_OR_MAY_NOT}${code}.`, advice };
}

function describeBody(body: unknown): string {
	if (body === undefined || body === null || body === '') return 'an empty body';
	if (typeof body === 'string' && /^\s*</.test(body)) return 'an HTML page';
	return 'a body that is not its JSON';
}
