// Room `delivery`: puts the customers of a batch on one canvas, each once, or with the reason why not.
import type { Token } from '../account/account';
import type { CanvasTrust } from '../canvas/canvasTrust';
import type { RateLimiter } from '../canvas/rateLimiter';
import type { Clock } from '../clock';
import { ForgottenCampaign, NOT_LOOKED_UP, type Ledger } from '../ledger/ledger';
import type { HttpAnswer } from '../outcome/answer';
import {
	countsAsSent,
	isSent,
	resultOf,
	type Customer,
	type Result,
	type UnknownOutcome,
} from '../outcome/customer';
import { n8nSays } from '../outcome/errors';
import { LOOK_FIRST, MAY_OR_MAY_NOT, withCode } from '../outcome/returnCodes';
import { judgeAnswer, judgeError, type Verdict } from '../outcome/verdict';
import { TokenError } from '../token/tokenApi';
import type { TokenSession, TokenStore } from '../token/tokenSession';
import { Backlog } from './backlog';
import { InFlight } from './inFlight';
import { Outage } from './outage';

/** Shared by the deliveries of a batch, of which each canvas has one. A failure ends them all if the user wants that. */
export interface Batch {
	readonly stopsOnFailure: boolean;
	hasFailed: boolean;
}

/** What a delivery needs: the parts that decide, the user's options, and how to send. */
export interface DeliveryOptions {
	readonly rateLimiter: RateLimiter;
	readonly session: TokenSession;
	readonly store: TokenStore;
	readonly trust: CanvasTrust;
	readonly clock: Clock;
	readonly batch: Batch;
	/** the record of the customers sent, where it must survive a crash */
	readonly ledger?: Ledger;
	/** aborted when the user stops the execution, or when it times out */
	readonly signal?: AbortSignal;
	readonly requestsPerSecond: number;
	/** how long to keep retrying calls that Sobot did not carry out */
	readonly giveUpAfterSeconds: number;
	readonly unknownOutcome: UnknownOutcome;
	/** Sends one customer's body; rejects if no answer came. */
	send(token: string, body: string): Promise<HttpAnswer>;
}

/** The tries to send a customer. */
interface Tries {
	/** when the first one began, in ms of the monotonic clock */
	readonly sinceMs: number;
	/** whether a refused token was replaced for this customer */
	hadNewToken: boolean;
}

/** More calls than this are never in flight at once: enough for the full rate while Sobot takes a second to answer. */
const MOST_IN_FLIGHT = 50;
/** After a crash, at most this many are in doubt: those about to leave, on their way, or answered and not stored. */
const MOST_IN_DOUBT = 60;
/** Sobot gives these answers only to calls with a valid token. */
const CODES_OF_VALID_TOKENS: ReadonlyArray<string | null> = ['000000', '910023', '910025', '910026'];
/** The rest is given up only after this long without progress, even if 'Give Up After' is shorter. */
const SHORTEST_STALL_SECONDS = 30;
/** How many customers are looked up together once nobody is sent any more. */
const ASKED_AT_ONCE = 30;
/** How often a pause checks whether the execution was stopped. */
const STOP_CHECK_MS = 250;

/**
 * Sends customers in order, with many calls in flight at once, and sets the `result` of each. Returns once all calls have
 * been answered; after an abort it returns at once, since n8n does not wait then.
 */
export async function deliver(customers: readonly Customer[], options: DeliveryOptions): Promise<void> {
	await new Delivery(customers, options).run();
}

/** One dispatcher: it sends one customer after another; each call settles its customer or puts it back in the queue. */
class Delivery {
	private readonly inFlight = new InFlight();
	private readonly outage: Outage;
	private readonly backlog: Backlog;
	/** the customers who have been tried and have no result yet */
	private readonly tried = new Map<Customer, Tries>();
	/** resolves once the ledger has stored the next customers */
	private admitting?: Promise<void>;
	/** when Sobot last gave a customer a definite answer, in ms of the monotonic clock */
	private progressMs: number;
	/** what last kept a customer from a definite answer; undefined after such an answer */
	private obstacle?: Verdict;
	/** the result for all customers that are left */
	private end?: Verdict | Result;

	constructor(
		customers: readonly Customer[],
		private readonly options: DeliveryOptions,
	) {
		this.backlog = new Backlog(customers);
		this.outage = new Outage(options.clock);
		this.progressMs = options.clock.nowMs();
	}

	async run(): Promise<void> {
		const { signal, clock } = this.options;
		const wake = () => this.inFlight.wake();
		signal?.addEventListener('abort', wake);
		try {
			while (!this.isOver) {
				const customer = this.backlog.take();
				if (customer) await this.dispatch(customer);
				else if (this.inFlight.size > 0) await this.inFlight.change();
				// Held customers may wait for one of another canvas, whose delivery has ended.
				else if (this.backlog.isHolding) await clock.sleep(STOP_CHECK_MS);
				else break;
			}
			while (this.inFlight.size > 0 && !signal?.aborted) await this.inFlight.change();
			// The ledger gives back whom it has stored and nobody has sent.
			await this.admitting?.catch(() => undefined);
			this.inFlight.throwUnexpected();
		} finally {
			signal?.removeEventListener('abort', wake);
		}
	}

	/** Whether nobody is sent any more: the execution was stopped, or a failure ends the batch. */
	private get isOver(): boolean {
		const { signal, batch } = this.options;
		return signal?.aborted === true || (batch.hasFailed && batch.stopsOnFailure);
	}

	/** Sends a customer in their turn, settles them without a call, or puts them back. */
	private async dispatch(customer: Customer): Promise<void> {
		await this.waitUntilClear();
		this.giveUpIfStalled();
		// What an earlier run has found out of a customer does not end the batch.
		if (this.isOver || resultOf(customer)) return;
		if (this.end) return await this.settleAtEnd(customer, this.end);
		if (!(await this.admit(customer))) return;
		try {
			const token = await this.takeSlot();
			if (!token) return this.backlog.putFirst(customer);
			this.inFlight.add(this.attempt(customer, token));
		} catch (cause) {
			this.withoutToken(customer, cause);
		}
	}

	/** Waits while too many calls are in flight; in an outage, for its pause and for all earlier calls. */
	private async waitUntilClear(): Promise<void> {
		const { clock } = this.options;
		while (!this.isOver) {
			const most = this.outage.isOn ? 1 : MOST_IN_FLIGHT;
			if (this.inFlight.size >= most) await this.inFlight.change();
			else if (this.outage.waitMs > 0) await clock.sleep(Math.min(STOP_CHECK_MS, this.outage.waitMs));
			else return;
		}
	}

	/** Whether there has been no progress for so long that the remaining customers are given up. */
	private get isStalled(): boolean {
		const { clock, giveUpAfterSeconds } = this.options;
		const stallSeconds = Math.max(giveUpAfterSeconds, SHORTEST_STALL_SECONDS);
		return this.obstacle !== undefined && clock.nowMs() - this.progressMs >= stallSeconds * 1000;
	}

	private giveUpIfStalled(): void {
		if (this.end || !this.obstacle || !this.isStalled) return;
		this.end =
			this.obstacle.outcome === 'unknown'
				? { ...this.obstacle, outcome: 'notSent', ...NO_CLEAR_ANSWERS }
				: this.obstacle;
	}

	/** Settles a customer who is no longer sent. What the ledger knows takes precedence. */
	private async settleAtEnd(customer: Customer, end: Verdict | Result): Promise<void> {
		const { ledger } = this.options;
		// Those who are being stored at this moment are not another run's.
		await this.admitting?.catch(() => undefined);
		if (ledger && this.isHeldBack(customer, ledger)) return;
		if (ledger?.mayHoldEarlier && !ledger.holds(customer)) {
			const next = this.nextFrom(customer, ASKED_AT_ONCE).filter(
				(one) => !ledger.holds(one) && !ledger.blockedUntil(one),
			);
			const isAnswered = await ledger.ask(next).then(
				() => true,
				() => false,
			);
			for (const one of next)
				if (!resultOf(one) && !this.isOver) this.settle(one, isAnswered ? end : NOT_LOOKED_UP);
		}
		if (!resultOf(customer)) this.settle(customer, end);
	}

	/** Whether a customer waits for another one with the same key. */
	private isHeldBack(customer: Customer, ledger: Ledger): boolean {
		const blockedUntil = ledger.blockedUntil(customer);
		if (blockedUntil) void this.backlog.hold(customer, blockedUntil).then(() => this.inFlight.wake());
		return blockedUntil !== undefined;
	}

	/** Has the ledger store that this customer and the next ones are about to be sent. False if this one is not sent now. */
	private async admit(customer: Customer): Promise<boolean> {
		const { ledger } = this.options;
		if (!ledger) return true;
		if (ledger.holds(customer)) {
			this.admitAhead(ledger);
			return true;
		}
		if (!this.admitting && this.isHeldBack(customer, ledger)) return false;
		try {
			await (this.admitting ?? this.admitAll(ledger, this.nextToAdmit(ledger, customer)));
		} catch (cause) {
			if (cause instanceof ForgottenCampaign) this.end ??= FORGOTTEN;
			else return this.notStored(customer, ledger, cause);
		}
		if (ledger.holds(customer)) return true;
		this.backlog.putFirst(customer);
		return false;
	}

	/** Nothing is sent that is not stored. */
	private notStored(customer: Customer, { mayHoldEarlier }: Ledger, cause: unknown): false {
		this.outage.extend();
		const verdict = { ...NOTHING_STORED, advice: `${NOTHING_STORED.advice}${n8nSays(cause)}` };
		this.retry(customer, verdict, mayHoldEarlier ? NOT_LOOKED_UP : verdict);
		return false;
	}

	/** As many as can leave in a moment, since after a crash those that were admitted but not sent are in doubt. */
	private nextToAdmit(ledger: Ledger, customer: Customer): Customer[] {
		const { customers } = ledger.writeSize(this.options.requestsPerSecond);
		return this.nextFrom(customer, this.outage.isOn ? 1 : customers);
	}

	/** A customer and those behind, at most `most` of them and as many as may be in doubt. */
	private nextFrom(customer: Customer, most: number): Customer[] {
		return [customer, ...this.backlog.untried(Math.max(0, Math.min(most, this.roomForDoubt) - 1))];
	}

	/** Stores the next customers while those before them are sent. */
	private admitAhead(ledger: Ledger): void {
		const { customers, meanwhile } = ledger.writeSize(this.options.requestsPerSecond);
		if (this.admitting || this.outage.isOn) return;
		const ahead = this.backlog.untried(meanwhile + customers);
		const from = ahead.findIndex((one) => !ledger.holds(one) && !resultOf(one));
		// The one whose turn it is and those before `from` are in doubt, too.
		const most = Math.min(customers, this.roomForDoubt - from - 1);
		if (from < 0 || from >= meanwhile || most <= 0) return;
		// A failure shows when their turn comes.
		this.admitAll(ledger, ahead.slice(from, from + most)).catch(() => undefined);
	}

	/** How many more customers may be in doubt, beside those on their way and those put back. */
	private get roomForDoubt(): number {
		return MOST_IN_DOUBT - this.inFlight.size - this.backlog.returnedCount;
	}

	private async admitAll(ledger: Ledger, customers: readonly Customer[]): Promise<void> {
		this.admitting = ledger.admit(customers).finally(() => (this.admitting = undefined));
		await this.admitting;
	}

	/** Waits for a slot. Returns the token to send with; undefined if the state of the batch must be checked again. */
	private async takeSlot(): Promise<Token | undefined> {
		const { session, store, rateLimiter, signal, requestsPerSecond } = this.options;
		const token = session.ready(store) ?? (await session.token(store, signal));
		// The wait can take long while Sobot refuses every call.
		const isGranted = await rateLimiter.takeSlot(requestsPerSecond, () => this.isOver || this.isStalled);
		if (!isGranted || this.isOver) return undefined;
		// It may have been refused or replaced meanwhile: then the call would be wasted.
		return session.isCurrent(token) ? token : undefined;
	}

	/** Sends a customer, and settles them or puts them back. */
	private async attempt(customer: Customer, token: Token): Promise<void> {
		const { clock, rateLimiter, session, trust } = this.options;
		const sentMs = clock.nowMs();
		this.triesOf(customer);
		const verdict = await this.call(customer, token);
		switch (verdict.outcome) {
			case 'accepted':
				trust.recordAccepted();
				return this.settleByAnswer(customer, verdict, token, sentMs);
			case 'refused':
				return this.settleByAnswer(customer, verdict, token, sentMs);
			case 'notSent':
				return this.settle(customer, verdict);
			case 'unknown':
				return this.settleUnknown(customer, verdict);
			case 'overLimit':
				this.outage.recordClear(sentMs);
				rateLimiter.refused(sentMs);
				return this.retry(customer, verdict);
			case 'unreachable':
				this.outage.extend();
				return this.retry(customer, verdict);
			case 'canvasOrToken':
				this.outage.recordClear(sentMs);
				// The answer to a call whose token has been replaced meanwhile shows nothing about the canvas.
				if (session.isCurrent(token) && trust.recordNotFound(token.value))
					return this.settleByAnswer(customer, verdict, token, sentMs);
				return await this.replaceToken(customer, token, verdict);
			case 'tokenRefused':
				this.outage.recordClear(sentMs);
				return await this.replaceToken(customer, token, verdict);
		}
	}

	private async call(customer: Customer, token: Token): Promise<Verdict> {
		const before = customer.known;
		customer.known = 'inDoubt';
		const verdict = await this.options.send(token.value, customer.body).then(judgeAnswer, judgeError);
		// A clear answer settles this call, but not an earlier one.
		if (verdict.outcome !== 'unknown') customer.known = before;
		return verdict;
	}

	/** Gets a new token for a customer whose call was refused, and puts the customer back. */
	private async replaceToken(customer: Customer, refused: Token, verdict: Verdict): Promise<void> {
		const { session, store, signal } = this.options;
		try {
			await session.replace(refused, store, signal, verdict.retCode);
			// Even if 'Give Up After' is over, no customer is refused for a token that has just been replaced.
			const tries = this.triesOf(customer);
			const isFirst = !tries.hadNewToken;
			tries.hadNewToken = true;
			if (isFirst && !this.isOver) this.backlog.putLast(customer);
			else this.retry(customer, this.withContention(verdict));
		} catch (cause) {
			this.withoutToken(customer, cause, verdict);
		}
	}

	/** Where another program keeps replacing the token, the message says so. */
	private withContention(verdict: Verdict): Verdict {
		const { contention } = this.options.session;
		if (!contention || verdict.outcome !== 'tokenRefused') return verdict;
		const message = withCode(contention.message, verdict.retCode);
		return { ...verdict, message, advice: contention.advice };
	}

	/** No token. Waits out a transient failure; treats a permanent one as final for the whole batch. */
	private withoutToken(customer: Customer, cause: unknown, refusal?: Verdict): void {
		if (!(cause instanceof TokenError)) throw cause;
		const { message, advice, outcome, transient } = cause;
		const retCode = cause.retCode ?? refusal?.retCode ?? null;
		const hasCode = retCode !== null && message.includes(retCode);
		const verdict: Verdict = {
			outcome,
			retCode,
			message: hasCode ? message : withCode(message, retCode),
			advice,
		};
		// An account that never had a token is probably misconfigured: report at once.
		if (!this.isOver && (!transient || !this.options.session.hasHadToken)) {
			this.end ??= verdict;
			this.settle(customer, verdict);
			return;
		}
		this.outage.extend();
		this.retry(customer, verdict);
	}

	/**
	 * Sobot did not carry out the call, so it may be sent again, for as long as 'Give Up After' allows.
	 *
	 * @param final the result after that
	 */
	private retry(customer: Customer, verdict: Verdict, final: Verdict | Result = verdict): void {
		const { clock, giveUpAfterSeconds } = this.options;
		this.obstacle = verdict;
		const triedMs = clock.nowMs() - this.triesOf(customer).sinceMs;
		// An answer that comes after the end still tells the ledger that nothing was carried out.
		if (this.isOver) this.options.ledger?.record(customer);
		if (triedMs >= giveUpAfterSeconds * 1000) this.settle(customer, final);
		else this.backlog.putLast(customer);
	}

	private settleByAnswer(customer: Customer, verdict: Verdict, token: Token, sentMs: number): void {
		const { session, clock } = this.options;
		if (CODES_OF_VALID_TOKENS.includes(verdict.retCode)) session.confirm(token);
		this.outage.recordClear(sentMs);
		this.progressMs = clock.nowMs();
		this.obstacle = undefined;
		this.settle(customer, verdict);
	}

	private settleUnknown(customer: Customer, verdict: Verdict): void {
		this.outage.recordUnclear();
		if (this.options.unknownOutcome === 'sendAgain') return this.retry(customer, verdict);
		this.obstacle = verdict;
		this.settle(customer, verdict);
	}

	private settle(customer: Customer, verdict: Verdict | Result): void {
		const { ledger, batch, unknownOutcome } = this.options;
		const result = asResult(verdict);
		const isClear = customer.known !== 'inDoubt' || isSent(result.outcome) || result.outcome === 'unknown';
		const settled = isClear ? result : { ...result, ...IN_DOUBT };
		customer.known = settled;
		this.tried.delete(customer);
		ledger?.record(customer);
		if (!countsAsSent(settled, unknownOutcome)) batch.hasFailed = true;
	}

	private triesOf(customer: Customer): Tries {
		const known = this.tried.get(customer);
		if (known) return known;
		const tries: Tries = { sinceMs: this.options.clock.nowMs(), hadNewToken: false };
		this.tried.set(customer, tries);
		return tries;
	}
}

/** In a result, every refusal is `refused`. */
function asResult(verdict: Verdict | Result): Result {
	const { outcome } = verdict;
	if (outcome === 'tokenRefused' || outcome === 'canvasOrToken') return { ...verdict, outcome: 'refused' };
	return verdict as Result;
}

/** The result for a customer whose earlier call ended without a clear answer, whatever came after it. */
const IN_DOUBT = {
	outcome: 'unknown',
	message: `An earlier call for this customer ended without a clear answer. ${MAY_OR_MAY_NOT}.`,
	advice: LOOK_FIRST,
} as const;

/** The texts for customers that are given up because the calls before them got no clear answer. */
const NO_CLEAR_ANSWERS = {
	message: 'Not sent: Sobot gave no clear answer to any call before this one.',
	advice: 'Try again once Sobot answers, or ask Sobot.',
};

/** The result for everyone if sending some could send others again. */
const FORGOTTEN: Result = {
	outcome: 'unknown',
	isUntold: true,
	retCode: null,
	message:
		"Not sent this time, and perhaps sent before: this node no longer remembers everyone it has sent for this 'Send Once Per'.",
	advice:
		"Send only new customers, with another text in 'Send Once Per'. To keep more customers from now on, raise 'History Size'.",
};

/** The verdict while the ledger cannot be written: nothing is sent without it. */
const NOTHING_STORED: Verdict = {
	outcome: 'unreachable',
	retCode: null,
	message: 'Not sent: n8n could not store that this customer is about to be sent.',
	advice: "Check that n8n's database can be reached.",
};
