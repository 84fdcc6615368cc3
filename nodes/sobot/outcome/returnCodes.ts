// Sobot's return codes: one table with the outcome of the call, what happened and what to do, in words for the user.

/**
 * The outcome of a call:
 * - `accepted`: carried out
 * - `tokenRefused`: not carried out; send again with another token
 * - `canvasOrToken`: not carried out; either the canvas or the token is wrong
 * - `overLimit`: not carried out; send again in its next slot
 * - `unreachable`: no connection was made; send again after a pause
 * - `refused`: Sobot refused it; sending it again would not help
 * - `notSent`: it could not leave this machine; sending it again would not help
 * - `unknown`: Sobot may or may not have carried it out
 */
export type Outcome =
	| 'accepted'
	| 'tokenRefused'
	| 'canvasOrToken'
	| 'overLimit'
	| 'unreachable'
	| 'refused'
	| 'notSent'
	| 'unknown';

/** What a code means. `message` has no full stop: the code follows it. */
interface Meaning {
	readonly outcome: Outcome;
	readonly message: string;
	readonly advice: string;
}

/** The end of each message about a call whose outcome is unknown. Without a full stop: a code may follow. */
export const MAY_OR_MAY_NOT = 'Sobot may or may not have put this customer on the canvas';

/** What to do then. */
export const LOOK_FIRST = 'Look the customer up on the canvas in Sobot before you send them again.';

/**
 * What each code means. Source: Sobot, "Rule Engine API", Return codes; 700046 from public clients of Sobot's other APIs.
 */
export const RETURN_CODES: Readonly<Record<string, Meaning>> = {
	'000000': { outcome: 'accepted', message: 'Accepted', advice: '' },
	'700046': {
		outcome: 'refused',
		message: "Your company's Sobot plan does not include API access",
		advice: 'Ask Sobot which plan includes it. Free and overseas team plans do not.',
	},
	'900001': {
		outcome: 'tokenRefused',
		message: 'Sobot received no token',
		advice:
			'A new token did not help. Test the Sobot API credential, and check that no proxy removes headers.',
	},
	'900002': {
		outcome: 'tokenRefused',
		message: 'Sobot says that the token has expired',
		advice:
			"New tokens did not help. Another program may be fetching tokens with the same 'App ID': each new token can end the previous one. Use a separate 'App ID' for each program.",
	},
	'900003': {
		outcome: 'refused',
		message: 'Sobot did not accept the signature',
		advice:
			"Check 'App ID' and 'App Key' in the Sobot API credential, and that the clock of this machine is right.",
	},
	'900004': {
		outcome: 'refused',
		message: 'Sobot has no API configuration for this company',
		advice:
			"Check 'App ID', 'App Key' and 'Region' in the Sobot API credential. If they are right, ask Sobot to enable API access for your company.",
	},
	'910021': {
		outcome: 'refused',
		message: 'Sobot did not receive a trigger ID or a token',
		advice: 'Check that no proxy between n8n and Sobot removes headers.',
	},
	'910022': {
		outcome: 'canvasOrToken',
		message: 'Sobot did not find this canvas',
		advice:
			"Check the canvas's 'Trigger ID' and 'Secret' in the Sobot API credential, and that the canvas belongs to this account. If a row was deleted there, enter the 'Secret' of all rows below it again.",
	},
	'910023': {
		outcome: 'refused',
		message: 'Sobot did not accept the customer ID field',
		advice:
			"Check the option 'Contact ID Field': it must be the name of the customer source field in your Sobot account.",
	},
	'910024': {
		outcome: 'overLimit',
		message: 'This canvas is over its limit of 50 calls a second',
		advice:
			"The customer was retried until 'Give Up After (Seconds)' had elapsed. If other programs use the same canvas, lower their rate, or raise 'Give Up After (Seconds)'.",
	},
	'910025': {
		outcome: 'refused',
		message: 'This canvas is not activated in Sobot',
		advice: 'Activate the canvas in Sobot, then send this customer again.',
	},
	'910026': {
		outcome: 'refused',
		message: 'Sobot found no matching customer',
		advice:
			"Check that the contact ID belongs to a customer in Sobot, and that the option 'Contact ID Field' is right.",
	},
	'999999': {
		outcome: 'unknown',
		message: `Sobot reports an unknown system error. ${MAY_OR_MAY_NOT}`,
		advice: LOOK_FIRST,
	},
};

/** What a code means; undefined for one that Sobot does not document. */
export function meaningOf(retCode: string): Meaning | undefined {
	return Object.hasOwn(RETURN_CODES, retCode) ? RETURN_CODES[retCode] : undefined;
}

/** A message that ends with Sobot's code: 'Accepted (000000).' Unchanged if there is none. */
export function withCode(message: string, retCode: string | null): string {
	return retCode === null ? message : `${message.replace(/\.$/, '')} (${retCode}).`;
}
