// A customer of a batch, and what is known of them.
import type { Outcome } from './returnCodes';
import type { Verdict } from './verdict';

/** What to do when it is unknown whether Sobot carried out a call. */
export type UnknownOutcome = 'fail' | 'sendAgain' | 'treatAsSent';

/** The result for a customer: `notSent` if no call ever left, `alreadySent` if they were sent before. */
export interface Result extends Omit<Verdict, 'outcome'> {
	readonly outcome: Exclude<Outcome, 'tokenRefused' | 'canvasOrToken'> | 'alreadySent';
	/** whether no call has left, and nothing tells whether one had before: this never counts as sent, and may be tried again */
	readonly isUntold?: true;
}

/**
 * The state of a customer. `open`: Sobot has carried out no call. `inDoubt`: it may have carried out one, which is in
 * flight or has ended without a clear answer.
 */
export type Knowledge = 'open' | 'inDoubt' | Result;

/** One customer of a batch. */
export interface Customer {
	/** the JSON to send, as text */
	readonly body: string;
	/** the customer's key in the ledger; without one the customer is not in the ledger */
	readonly key?: string;
	known: Knowledge;
}

/** A customer of whom nothing is known yet. */
export const newCustomer = (body: string, key?: string): Customer => ({ body, key, known: 'open' });

/** The result for a customer; undefined while there is none. */
export function resultOf({ known }: Customer): Result | undefined {
	return typeof known === 'string' ? undefined : known;
}

/** Whether Sobot has accepted a customer with this outcome, now or before. */
export function isSent(outcome: Result['outcome'] | undefined): boolean {
	return outcome === 'accepted' || outcome === 'alreadySent';
}

/** Whether nothing is left to do for a customer with this result: Sobot has accepted them, or the user assumes it. */
export function countsAsSent(result: Result | undefined, unknownOutcome: UnknownOutcome): boolean {
	const isAssumed = unknownOutcome === 'treatAsSent' && result?.outcome === 'unknown' && !result.isUntold;
	return isSent(result?.outcome) || isAssumed;
}

/** Whether Sobot may have put a customer on the canvas, although nobody knows. */
export function isDoubtful({ known }: Customer): boolean {
	return known === 'inDoubt' || (typeof known !== 'string' && known.outcome === 'unknown');
}
