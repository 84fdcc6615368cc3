// Puts a batch of customers on a canvas: each exactly once, or with the reason why not.
import type { HttpAnswer } from './answer';
import type { Clock } from './clock';
import type { Token } from './account';
import { TokenError } from './tokenApi';
import type { Pace } from './pace';
import { judgeAnswer, judgeError, type Verdict } from './returnCodes';
import type { TokenSession, TokenStore } from './tokenSession';

/** What a batch is sent with. */
export interface Route {
	pace: Pace;
	session: TokenSession;
	store: TokenStore;
	/** Sends one customer's body; rejects if no answer came. */
	send(token: string, body: string): Promise<HttpAnswer>;
	clock: Clock;
	/** given when the user stops the execution */
	stop?: AbortSignal;
	requestsPerSecond: number;
	/** how long a customer may go on being tried whose calls Sobot certainly did not carry out */
	giveUpAfterSeconds: number;
	/** one failure ends the batch: nothing new is sent after it */
	stopOnFailure: boolean;
}

/** What became of one customer: the last word on their call, or nothing if it was never sent or never carried out. */
export interface Delivered {
	verdict?: Verdict;
	/** Sobot's answer, when accepted */
	answer?: HttpAnswer;
}

interface Customer {
	index: number;
	firstTriedMs?: number;
	renewals: number;
}

const MOST_RENEWALS = 2;
const FIRST_OUTAGE_PAUSE_MS = 500;
const LONGEST_OUTAGE_PAUSE_MS = 10_000;
/** Waiting looks up this often, to see that the user has stopped the execution. */
const STOP_CHECK_MS = 250;

/**
 * Delivers the bodies in order, many under way at once, and waits for all that were sent.
 *
 * @param bodies the customers' JSON; undefined for one that is not to be sent
 * @returns one entry for each body, in order
 */
export async function deliver(bodies: ReadonlyArray<string | undefined>, route: Route): Promise<Delivered[]> {
	const { pace, session, store, clock, stop } = route;
	const startedAtMs = clock.epochMs();
	const results: Delivered[] = bodies.map(() => ({}));
	const again: Customer[] = [];
	let next = 0;
	let underWay = 0;
	let failed = false;
	let lastWord: Verdict | undefined;
	let outagePauseMs = 0;
	let outageEndMs = 0;
	let wake = () => {};

	const finish = (customer: Customer, verdict: Verdict, answer?: HttpAnswer): void => {
		results[customer.index] = verdict.outcome === 'accepted' ? { verdict, answer } : { verdict };
		if (verdict.outcome !== 'accepted') failed = true;
	};

	/** Sobot did not carry the call out: the customer may be sent again, for as long as the user allows. */
	const tryAgain = (customer: Customer, verdict: Verdict): void => {
		const triedMs = clock.nowMs() - (customer.firstTriedMs ?? clock.nowMs());
		if (triedMs >= route.giveUpAfterSeconds * 1000) finish(customer, verdict);
		else again.push(customer);
	};

	/** Nothing is sent for a while, and longer each time. */
	const pauseForOutage = (): void => {
		if (clock.nowMs() < outageEndMs) return;
		outagePauseMs = Math.min(outagePauseMs * 2 || FIRST_OUTAGE_PAUSE_MS, LONGEST_OUTAGE_PAUSE_MS);
		outageEndMs = clock.nowMs() + outagePauseMs;
	};

	/** There is no token to send with. What will pass is waited for; what Sobot refuses for good, it refuses for all. */
	const withoutToken = (customer: Customer, error: unknown): void => {
		const verdict = tokenVerdict(error);
		// Who has just mistyped an address should not wait for it.
		if (error instanceof TokenError && error.transient && session.hasHadToken) {
			customer.firstTriedMs ??= clock.nowMs();
			pauseForOutage();
			tryAgain(customer, verdict);
			// Who comes next has waited for the same outage.
			if (results[customer.index]?.verdict) lastWord = verdict;
			return;
		}
		finish(customer, verdict);
		if (error instanceof TokenError && !error.transient) lastWord = verdict;
	};

	const replaceToken = async (customer: Customer, refused: Token, verdict: Verdict): Promise<void> => {
		if (customer.renewals >= MOST_RENEWALS) return finish(customer, verdict);
		try {
			await session.replace(refused, store, stop);
			customer.renewals++;
			tryAgain(customer, verdict);
		} catch (error) {
			withoutToken(customer, error);
		}
	};

	const sendOne = async (customer: Customer, token: Token): Promise<void> => {
		const sentMs = clock.nowMs();
		customer.firstTriedMs ??= sentMs;
		let answer: HttpAnswer | undefined;
		let verdict: Verdict;
		try {
			answer = await route.send(token.value, bodies[customer.index] ?? '');
			verdict = judgeAnswer(answer);
		} catch (error) {
			verdict = judgeError(error);
		}
		if (verdict.outcome !== 'unreachable') outagePauseMs = 0;
		switch (verdict.outcome) {
			case 'accepted':
			case 'refused':
			case 'unknown':
				return finish(customer, verdict, answer);
			case 'overLimit':
				pace.refused(sentMs);
				return tryAgain(customer, verdict);
			case 'unreachable':
				pauseForOutage();
				return tryAgain(customer, verdict);
			case 'tokenDoubtful':
				// A token that was fetched during this batch is good: then it is the trigger ID that is wrong.
				if (token.fetchedAtMs >= startedAtMs) return finish(customer, verdict);
				return await replaceToken(customer, token, verdict);
			case 'tokenRefused':
				return await replaceToken(customer, token, verdict);
		}
	};

	/** The token to send with, at the moment to send; undefined once the execution is stopped. */
	const takeTurn = async (): Promise<Token | undefined> => {
		for (;;) {
			const token = session.ready(store) ?? (await session.token(store, stop));
			if (!token || !(await pace.turn(route.requestsPerSecond, stop))) return undefined;
			// It may have been refused or replaced while this turn was waited for: then a call would be wasted.
			if (session.isCurrent(token)) return token;
		}
	};

	const isOver = () => stop?.aborted === true || (failed && route.stopOnFailure);

	const nextCustomer = (): Customer | undefined => {
		const waiting = again.shift();
		if (waiting) return waiting;
		while (next < bodies.length && bodies[next] === undefined) next++;
		return next < bodies.length ? { index: next++, renewals: 0 } : undefined;
	};

	while (!isOver()) {
		const customer = nextCustomer();
		if (!customer) {
			if (underWay === 0) break;
			await new Promise<void>((resolve) => (wake = resolve));
			continue;
		}
		if (lastWord) {
			finish(customer, lastWord);
			continue;
		}
		while (clock.nowMs() < outageEndMs && !isOver()) {
			await clock.sleep(Math.min(STOP_CHECK_MS, outageEndMs - clock.nowMs()));
		}
		let token: Token | undefined;
		try {
			token = await takeTurn();
		} catch (error) {
			withoutToken(customer, error);
			continue;
		}
		if (!token || isOver()) break;
		underWay++;
		void sendOne(customer, token).finally(() => {
			underWay--;
			wake();
		});
	}
	while (underWay > 0) await new Promise<void>((resolve) => (wake = resolve));
	return results;
}

function tokenVerdict(error: unknown): Verdict {
	if (error instanceof TokenError) {
		return { outcome: 'refused', retCode: error.retCode, message: error.message, advice: error.advice };
	}
	return {
		outcome: 'refused',
		retCode: null,
		message: 'No token could be had from Sobot.',
		advice: 'Test the Sobot API credential.',
	};
}
