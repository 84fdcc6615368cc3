// Records each customer before the call leaves and after its answer, so that nobody is sent twice after a crash at any
// moment. The store is n8n's deduplication table: written at once and shared by all processes, but without a lock.
import type { Clock } from './clock';
import type { Customer, Result } from './delivery';
import { againEntry, openEntry, ownerEntry, sentEntry, someRunEntry, type EntryStore } from './entries';
import type { Claim, KeyClaims } from './keyClaims';
import { LOOK_FIRST, MAY_OR_MAY_NOT } from './returnCodes';

/** How many customers one write stores before they are sent: half a second of the full rate. */
export const ADMITTED_AT_ONCE = 25;
/** Outcomes are stored together, this many ms after the first of them. */
const FLUSH_AFTER_MS = 250;
/** How many of the latest keys each write adds again, in case another process has overwritten them. */
const ASSERTED_AGAIN = 100;
/** After this many attempts to store an outcome, others with the same key no longer wait. */
const FLUSH_ATTEMPTS = 5;
/** At the end of a batch, this many attempts to store its last outcomes: one minute of them. */
const LAST_FLUSH_ATTEMPTS = 120;
/** Pause between two attempts, in ms. */
const FLUSH_PAUSE_MS = 500;

/** `taken`: the key was used for another customer or canvas. */
export type KeyState = 'new' | 'sent' | 'inDoubt' | 'taken';

/** The ledger's parts, and what its keys are for. */
export interface LedgerOptions {
	readonly store: EntryStore;
	readonly claims: KeyClaims;
	readonly clock: Clock;
	/** whether what is stored decides; otherwise it is only written, for a Retry after a crash */
	readonly isConsulted: boolean;
	/** whether the keys are those of a `BatchRecord`; otherwise they are the user's */
	readonly isForBatch: boolean;
	/** entries that each admission adds once more */
	readonly marker?: readonly string[];
	/** whether a customer in doubt may be sent again */
	readonly sendsDoubtful: boolean;
}

/** The outcome that the next write stores for a key. */
interface Closing {
	readonly outcome: 'accepted' | 'notSent' | 'inDoubt';
	readonly identity: string;
}

/** What the sending of a batch needs of a ledger. */
export type SendLedger = Pick<Ledger, 'hasUserKeys' | 'blockedUntil' | 'admit' | 'record'>;

/** Stores the calls of one batch: those about to leave, and their outcomes. */
export class Ledger {
	/** what this batch has claimed, and for whom: several of its customers can have the same key */
	private readonly claimed = new Map<string, { claim: Claim; customer: Customer }>();
	/** keys whose entries are to change with the next write */
	private readonly toClose = new Map<string, Closing>();
	private readonly latestAccepted: Array<{ key: string; identity: string }> = [];
	/** keys whose `again` entry was added by a write of this ledger that failed afterwards */
	private readonly ownAgain = new Set<string>();
	/** entries that were only added to look at them, and could not be removed yet */
	private readonly toRemove: string[] = [];
	private flushing?: Promise<void>;
	private isClosing = false;

	constructor(private readonly options: LedgerOptions) {
		options.claims.batches++;
	}

	/** Whether the keys are the user's: then they say what became of a customer even if nobody is sent any more. */
	get hasUserKeys(): boolean {
		return !this.options.isForBatch;
	}

	/** Resolves once another customer with the same key is settled; undefined if there is nobody to wait for. */
	blockedUntil(customer: Customer): Promise<void> | undefined {
		return customer.key === undefined || customer.isAdmitted
			? undefined
			: this.options.claims.settled(customer.key);
	}

	/**
	 * Stores that calls for these customers are about to leave. Those who must not be sent get their result. Rejects if
	 * nothing could be stored: then nothing may be sent.
	 */
	async admit(customers: readonly Customer[]): Promise<void> {
		const { claims } = this.options;
		const byKey = new Map<string, Customer>();
		for (const customer of customers) {
			const { key } = customer;
			if (key === undefined) customer.isAdmitted = true;
			else if (customer.isAdmitted || byKey.has(key) || claims.settled(key)) continue;
			else if (!this.settleFromMemory(customer, key)) byKey.set(key, customer);
		}
		if (byKey.size === 0) return;
		const states = await this.claimAndOpen(byKey);
		for (const [key, customer] of byKey) this.applyState(customer, states.get(key) ?? 'inDoubt');
	}

	/** Stores customers that were sent before this ledger was opened. Rejects if nothing could be stored. */
	async adopt(customers: readonly Customer[]): Promise<void> {
		for (const customer of customers) customer.isAdmitted = true;
		await this.claimAndOpen(new Map(customers.map((customer) => [customer.key ?? '', customer])));
		for (const customer of customers) if (customer.result) this.record(customer);
	}

	/** Claims keys and stores their entries. If nothing could be stored, it releases the keys and rejects. */
	private async claimAndOpen(byKey: ReadonlyMap<string, Customer>): Promise<Map<string, KeyState>> {
		const { claims } = this.options;
		for (const [key, customer] of byKey) this.claimed.set(key, { claim: claims.claim(key), customer });
		let isStored = false;
		try {
			const states = await claims.inTurn(async () => await this.open(byKey));
			isStored = true;
			return states;
		} finally {
			if (!isStored) for (const key of byKey.keys()) this.release(key);
		}
	}

	/** What Sobot has accepted counts before n8n's database has it: it may be away for a while. */
	private settleFromMemory(customer: Customer, key: string): boolean {
		const { claims, isConsulted } = this.options;
		const accepted = claims.accepted.get(key);
		if (accepted === undefined || !isConsulted) return false;
		customer.result = RESULTS[accepted === (customer.identity ?? '') ? 'sent' : 'taken'];
		return true;
	}

	private release(key: string): void {
		const held = this.claimed.get(key);
		this.claimed.delete(key);
		if (held) this.options.claims.release(key, held.claim);
	}

	/** Records what became of a customer; it is stored a moment later, with others. */
	record(customer: Customer): void {
		const { key, identity = '', isAdmitted, isInDoubt, result } = customer;
		if (key === undefined || !isAdmitted) return;
		const held = this.claimed.get(key);
		if (held && held.customer !== customer) return;
		// A batch that has ended needs no record, and the next one with the same customers may have begun its own.
		if (this.isClosing && this.options.isForBatch) return;
		const outcome = result?.outcome ?? (isInDoubt ? 'unknown' : 'notSent');
		this.toClose.set(key, {
			outcome: outcome === 'accepted' ? 'accepted' : outcome === 'unknown' ? 'inDoubt' : 'notSent',
			identity,
		});
		if (outcome === 'accepted') this.options.claims.accepted.set(key, identity);
		this.flushing ??= this.flushSoon();
	}

	/** Records the customers that were admitted and not settled. Resolves once everything is stored. */
	async close(): Promise<void> {
		for (const { customer } of this.claimed.values()) this.record(customer);
		this.isClosing = true;
		while (this.flushing) await this.flushing;
		this.options.claims.batches--;
		if (this.latestAccepted.length + this.toRemove.length > 0) await this.assertLatest();
	}

	/** Another process may have written back what it had read before our last writes. */
	private async assertLatest(): Promise<void> {
		const { store, claims } = this.options;
		try {
			await claims.inTurn(async () => {
				await store.add(this.latestAccepted.flatMap(({ key, identity }) => this.entriesOf(key, identity)));
				await store.remove([...this.latestAccepted.map(({ key }) => openEntry(key)), ...this.toRemove]);
			});
		} catch {
			// These keys were stored once. Only the repetition is lost.
		}
	}

	/** Admits a customer, or settles them by what is stored. */
	private applyState(customer: Customer, state: KeyState): void {
		const { isConsulted, sendsDoubtful } = this.options;
		if (!isConsulted || state === 'new' || (state === 'inDoubt' && sendsDoubtful)) {
			customer.isAdmitted = true;
			if (state === 'inDoubt' && isConsulted) customer.isInDoubt = true;
			return;
		}
		customer.result = RESULTS[state];
		if (customer.key !== undefined) this.release(customer.key);
	}

	/** Adds the entries of each key, and tells from what was there before how the key stands. */
	private async open(customers: ReadonlyMap<string, Customer>): Promise<Map<string, KeyState>> {
		const { store, isConsulted, isForBatch, marker = [], sendsDoubtful } = this.options;
		const identityOf = (key: string) => customers.get(key)?.identity ?? '';
		const owner = (key: string) => ownerEntry(key, identityOf(key));
		const keys = [...customers.keys()];
		const latest = this.latestAccepted.flatMap(({ key, identity }) => this.entriesOf(key, identity));
		const known = await store.add([
			...marker,
			...latest,
			...keys.flatMap((key) => [...this.entriesOf(key, identityOf(key)), openEntry(key)]),
		]);
		if (!isConsulted) return new Map();
		const states = new Map(
			keys.map((key): [string, KeyState] => {
				const state = this.stateOf(known.has(sentEntry(key)), known.has(openEntry(key)));
				return [key, !isForBatch && state !== 'new' && !known.has(owner(key)) ? 'taken' : state];
			}),
		);
		const again = keys.filter((key) => states.get(key) === 'inDoubt').map(againEntry);
		if (sendsDoubtful && again.length > 0) await store.add(again);
		const onlyLookedAt = keys.flatMap((key) => {
			const state = states.get(key);
			if (state === 'taken') return known.has(openEntry(key)) ? [owner(key)] : [owner(key), openEntry(key)];
			return state === 'sent' ? [openEntry(key)] : [];
		});
		if (onlyLookedAt.length === 0) return states;
		// The states are known, even if the database goes away now.
		await store.remove(onlyLookedAt).catch(() => void this.toRemove.push(...onlyLookedAt));
		return states;
	}

	/** The entries of a key whose customer was accepted. */
	private entriesOf(key: string, identity: string): string[] {
		if (!this.options.isForBatch) return [sentEntry(key), ownerEntry(key, identity)];
		return identity === '' ? [sentEntry(key)] : [sentEntry(key), someRunEntry(identity)];
	}

	private stateOf(isSent: boolean, isOpen: boolean): KeyState {
		if (isSent) return isOpen ? 'inDoubt' : 'sent';
		// `open` alone: n8n drops the oldest entries first, and `sent` is older. A batch without keys removes only the `sent`
		// of an earlier one, so that the `open` left by it shows nothing.
		return isOpen && !this.options.isForBatch ? 'inDoubt' : 'new';
	}

	/** Stores the recorded outcomes until none is left. A write that fails is repeated after a pause. */
	private async flushSoon(): Promise<void> {
		const { clock, claims } = this.options;
		for (let attempt = 0; this.toClose.size > 0; attempt++) {
			await clock.sleep(attempt === 0 ? FLUSH_AFTER_MS : FLUSH_PAUSE_MS);
			const closing = new Map(this.toClose);
			try {
				await claims.inTurn(async () => await this.store(closing));
				this.forget(closing);
				attempt = -1;
			} catch {
				// A key that cannot be stored stays in doubt, which is safe. n8n's database may be back in a moment.
				if (this.isClosing && attempt >= LAST_FLUSH_ATTEMPTS) this.forget(closing);
				else if (attempt < FLUSH_ATTEMPTS) continue;
			}
			for (const key of closing.keys()) this.release(key);
		}
		this.flushing = undefined;
	}

	/** Forgets outcomes, unless there is a newer one. */
	private forget(closed: ReadonlyMap<string, Closing>): void {
		for (const [key, one] of closed) {
			if (this.toClose.get(key) !== one) continue;
			this.toClose.delete(key);
			this.options.claims.accepted.delete(key);
		}
	}

	/** Writes outcomes. A refusal of a call settles nothing if the customer was sent again meanwhile. */
	private async store(closing: ReadonlyMap<string, Closing>): Promise<void> {
		const { store } = this.options;
		const notSent = [...closing].flatMap(([key, { outcome }]) => (outcome === 'notSent' ? [key] : []));
		const known: ReadonlySet<string> =
			notSent.length > 0 ? await store.add(notSent.map(againEntry)) : new Set();
		const sentAgain = new Set(notSent.filter((key) => known.has(againEntry(key)) && !this.ownAgain.has(key)));
		for (const key of notSent) if (!sentAgain.has(key)) this.ownAgain.add(key);
		const remove: string[] = [...this.toRemove];
		for (const [key, { outcome, identity }] of closing) {
			if (outcome === 'inDoubt' || (outcome === 'notSent' && sentAgain.has(key))) continue;
			remove.push(openEntry(key));
			if (outcome === 'notSent') remove.push(againEntry(key), ...this.entriesOf(key, identity));
			else this.latestAccepted.push({ key, identity });
		}
		this.latestAccepted.splice(0, this.latestAccepted.length - ASSERTED_AGAIN);
		if (remove.length > 0) await store.remove(remove);
		this.toRemove.length = 0;
		this.ownAgain.clear();
	}
}

/** The result for a customer whom the ledger holds, by the state of the key. */
export const RESULTS: Readonly<Record<Exclude<KeyState, 'new'>, Result>> = {
	sent: {
		outcome: 'alreadySent',
		retCode: '000000',
		message: 'Sent before',
		advice: '',
	},
	inDoubt: {
		outcome: 'unknown',
		retCode: null,
		message: `An earlier run ended while the call for this customer was in flight. ${MAY_OR_MAY_NOT}.`,
		advice: LOOK_FIRST,
	},
	taken: {
		outcome: 'notSent',
		retCode: null,
		message: 'Not sent: this idempotency key was used for another customer or canvas before.',
		advice:
			"Make 'Idempotency Key' an expression that names the campaign and the customer. First look whether this customer is on the canvas already.",
	},
};
