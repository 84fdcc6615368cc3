// The ledger's record of a batch without idempotency keys. After a crash it tells the next execution with the same batch whom
// the crashed one has sent. docs/ledger.md shows its entries.
import type { Clock } from './clock';
import type { Customer, Result } from './delivery';
import { againEntry, openEntry, sentEntry, someRunEntry, type EntryStore } from './entries';
import type { KeyClaims } from './keyClaims';
import { RESULTS, type KeyState } from './ledger';
import { LOOK_FIRST, MAY_OR_MAY_NOT } from './returnCodes';

/** A write of the store is repeated for a minute: a record that could not be closed would be taken for that of a crash. */
const WRITE_ATTEMPTS = 120;
const WRITE_PAUSE_MS = 500;
/** How many customers one write looks up: if n8n is killed before the next write, they come back as unknown. */
const LOOKED_UP_AT_ONCE = 100;
const REMOVED_AT_ONCE = 500;

/**
 * What a record says before its batch is sent.
 *
 * - `nothing`: no earlier run of this batch matters
 * - `sent`: a crashed run, or this run before n8n 1 ran its execution again, has sent the customers in it
 * - `elsewhere`: this run has sent nobody, but another one of the same lineage has
 * - `left`: a Retry that has ended has left it. It may belong to this execution, or to another one with the same customers
 */
export type Found = 'nothing' | 'sent' | 'elsewhere' | 'left';

/** Where a record is stored, and the clock for its pauses. */
export interface RecordParts {
	readonly store: EntryStore;
	readonly claims: KeyClaims;
	readonly clock: Clock;
}

/** The record of one batch, known by a name. */
export class BatchRecord {
	private readonly run: string;
	/** set while the batch is being sent, and after a crash */
	private readonly open: string;
	private readonly left: string;
	/** set once some run of the lineage is being sent */
	private readonly someRun?: string;

	/**
	 * @param name identifies the batch
	 * @param runId identifies this run of the node, also when n8n 1 runs its execution again
	 * @param lineage identifies an execution and its Retries, if n8n tells
	 */
	constructor(
		readonly name: string,
		runId: string,
		private readonly parts: RecordParts,
		lineage?: string,
	) {
		this.run = `${name} run ${runId}`;
		this.open = `${name} open`;
		this.left = `${name} left`;
		if (lineage !== undefined) this.someRun = `${lineage} some run`;
	}

	/** The key of a customer in this record. */
	keyOf(digest: string): string {
		return `${this.name} ${digest}`;
	}

	/** Entries that keep the record open. Another run with the same batch removes them, another process may overwrite them. */
	get marker(): string[] {
		return this.flags.flatMap(bothOf);
	}

	/** The flags of a batch that is being sent. */
	private get flags(): string[] {
		return [this.open, this.run, ...(this.someRun === undefined ? [] : [this.someRun])];
	}

	/**
	 * Reads what the record says. Changes nothing, and can be repeated. Rejects if n8n cannot tell.
	 *
	 * @param isRetry whether this execution may continue one that crashed
	 */
	async read(isRetry: boolean): Promise<Found> {
		const set = await this.inTurn(async (store) => await readFlags(store, [...this.flags, this.left]));
		if (set.has(this.run)) return 'sent';
		if (!isRetry) return 'nothing';
		if (set.has(this.left)) return 'left';
		if (set.has(this.open)) return 'sent';
		return this.someRun !== undefined && set.has(this.someRun) ? 'elsewhere' : 'nothing';
	}

	/**
	 * Settles the customers that are in the record; the others have no result afterwards. Rejects if n8n cannot tell.
	 *
	 * @param sendsDoubtful whether a customer in doubt may be sent again
	 * @param isMet whether an earlier run of this Retry has had this customer: then another run says nothing of this one
	 */
	async lookUp(
		customers: readonly Customer[],
		found: Found,
		sendsDoubtful: boolean,
		isMet: (customer: Customer) => boolean,
	): Promise<void> {
		for (let from = 0; from < customers.length; from += LOOKED_UP_AT_ONCE) {
			const some = customers.slice(from, from + LOOKED_UP_AT_ONCE);
			await this.inTurn(async (store) => {
				const states = await this.statesOf(some, found, isMet, store);
				const inDoubt = some.filter((customer) => DOUBTFUL.includes(states.get(customer)));
				// A late refusal of the earlier call then settles nothing.
				if (sendsDoubtful && inDoubt.length > 0) await store.add(keysOf(inDoubt).map(againEntry));
				for (const customer of inDoubt) {
					if (sendsDoubtful) customer.isInDoubt = true;
					else customer.result = this.resultInDoubt(found, states.get(customer));
				}
				for (const customer of some) if (states.get(customer) === 'sent') customer.result = RESULTS.sent;
			});
		}
	}

	private resultInDoubt(found: Found, state: FoundState | undefined): Result {
		if (state === 'elsewhere') return MAY_BE_OF_ANOTHER_RUN;
		return found === 'left' ? MAY_BE_OF_ANOTHER : RESULTS.inDoubt;
	}

	private async statesOf(
		customers: readonly Customer[],
		found: Found,
		isMet: (customer: Customer) => boolean,
		store: EntryStore,
	): Promise<Map<Customer, FoundState>> {
		const keys = keysOf(customers);
		const isAsked = (customer: Customer) => this.someRun !== undefined && !isMet(customer);
		const known = await store.add([
			...keys.map(sentEntry),
			...keys.map(openEntry),
			...customers.filter(isAsked).map(({ identity = '' }) => someRunEntry(identity)),
		]);
		const states = new Map<Customer, FoundState>();
		const onlyLookedAt: string[] = [];
		for (const customer of customers) {
			const { key = '', identity = '' } = customer;
			const isSent = known.has(sentEntry(key));
			const isOpen = known.has(openEntry(key));
			const isElsewhere = isAsked(customer) && known.has(someRunEntry(identity));
			if (!isSent) onlyLookedAt.push(sentEntry(key), openEntry(key));
			// Whoever may belong to another execution stays in doubt.
			else if (!isOpen && found === 'sent') onlyLookedAt.push(openEntry(key));
			if (!isSent && isAsked(customer) && !isElsewhere) onlyLookedAt.push(someRunEntry(identity));
			const isClear = !isOpen || this.parts.claims.accepted.has(key);
			if (isSent) states.set(customer, isClear && found === 'sent' ? 'sent' : 'inDoubt');
			else states.set(customer, isElsewhere ? 'elsewhere' : 'new');
		}
		if (onlyLookedAt.length > 0) await store.remove(onlyLookedAt);
		return states;
	}

	/**
	 * Opens the record before anything is sent.
	 *
	 * @param leftovers keys of which an earlier batch may have left entries; none if this run continues a record
	 */
	async begin(leftovers: readonly string[] = []): Promise<void> {
		await this.inTurn(async (store) => {
			if (leftovers.length > 0) {
				// Until the leftovers are gone, nothing is set: a kill in between must not make them count.
				await store.remove([this.open, this.left, this.run].flatMap(bothOf));
				const entries = leftovers.map(sentEntry);
				for (let from = 0; from < entries.length; from += REMOVED_AT_ONCE)
					await store.remove(entries.slice(from, from + REMOVED_AT_ONCE));
			}
			await store.add(this.marker);
			if (leftovers.length === 0) await store.remove(bothOf(this.left));
		});
	}

	/** Ends the record: what it holds no longer counts for another execution. */
	async close(): Promise<void> {
		await this.insist(async (store) => await store.remove([this.open, this.left].flatMap(bothOf)));
	}

	/** Ends the record of a Retry: whoever is in it counts as unknown for another Retry of the same execution. */
	async leave(): Promise<void> {
		await this.insist(async (store) => {
			await store.add(bothOf(this.left));
			await store.remove(bothOf(this.open));
		});
	}

	private async insist(write: (store: EntryStore) => Promise<void>): Promise<void> {
		for (let attempt = 1; attempt < WRITE_ATTEMPTS; attempt++) {
			try {
				return await this.inTurn(write);
			} catch {
				await this.parts.clock.sleep(WRITE_PAUSE_MS);
			}
		}
		await this.inTurn(write);
	}

	private async inTurn<T>(work: (store: EntryStore) => Promise<T>): Promise<T> {
		const { claims, store } = this.parts;
		return await claims.inTurn(async () => await work(store));
	}
}

/** `elsewhere`: another run of the same lineage has sent the customer, or was about to. */
type FoundState = KeyState | 'elsewhere';
const DOUBTFUL: ReadonlyArray<FoundState | undefined> = ['inDoubt', 'elsewhere'];

const keysOf = (customers: readonly Customer[]) => customers.map(({ key = '' }) => key);

// A flag is two entries, set together. The store can only be read by adding: reading adds the second one only if the first
// was there. So a read that is cut off cannot set a flag.
const firstOf = (flag: string) => `${flag} 1`;
const secondOf = (flag: string) => `${flag} 2`;
const bothOf = (flag: string) => [firstOf(flag), secondOf(flag)];

/** Which of these flags are set. */
async function readFlags(store: EntryStore, flags: readonly string[]): Promise<ReadonlySet<string>> {
	const known = await store.add(flags.map(firstOf));
	const likely = flags.filter((flag) => known.has(firstOf(flag)));
	const proven = likely.length > 0 ? await store.add(likely.map(secondOf)) : known;
	const set = new Set(likely.filter((flag) => proven.has(secondOf(flag))));
	const notSet = flags.filter((flag) => !set.has(flag));
	if (notSet.length > 0) await store.remove(notSet.flatMap(bothOf));
	return set;
}

const MAY_BE_OF_ANOTHER: Result = {
	outcome: 'unknown',
	retCode: null,
	message: `A Retry with the same customers has ended before, and had sent this one. ${MAY_OR_MAY_NOT}.`,
	advice: `${LOOK_FIRST} If that Retry was of another execution, start a new execution instead of this Retry.`,
};

const MAY_BE_OF_ANOTHER_RUN: Result = {
	outcome: 'unknown',
	retCode: null,
	message: `Before the crash, this node had sent this customer, or was about to, in another iteration or branch. ${MAY_OR_MAY_NOT}.`,
	advice: LOOK_FIRST,
};
