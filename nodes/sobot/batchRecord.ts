// The ledger's record of a batch without idempotency keys. After a crash it tells the next execution with the same batch whom
// the crashed one has sent. docs/ledger.md shows its entries.
import type { Clock } from './clock';
import type { Customer, Result } from './delivery';
import { againEntry, openEntry, sentEntry, type EntryStore } from './entries';
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
 * - `left`: a Retry that failed has left it. It may belong to this execution, or to another one with the same customers
 */
export type Found = 'nothing' | 'sent' | 'left';

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

	/**
	 * @param name identifies the batch
	 * @param runId identifies this run of the node, also when n8n 1 runs its execution again
	 */
	constructor(
		readonly name: string,
		runId: string,
		private readonly parts: RecordParts,
	) {
		this.run = `${name} run ${runId}`;
		this.open = `${name} open`;
		this.left = `${name} left`;
	}

	/** The key of a customer in this record. */
	keyOf(digest: string): string {
		return `${this.name} ${digest}`;
	}

	/** Entries that keep the record open. Another run with the same batch removes them, another process may overwrite them. */
	get marker(): string[] {
		return [this.open, this.run].flatMap(bothOf);
	}

	/**
	 * Reads what the record says. Changes nothing, and can be repeated. Rejects if n8n cannot tell.
	 *
	 * @param isRetry whether this execution may continue one that crashed
	 */
	async read(isRetry: boolean): Promise<Found> {
		const set = await this.inTurn(async (store) => await readFlags(store, [this.run, this.open, this.left]));
		if (set.has(this.run)) return 'sent';
		if (!isRetry) return 'nothing';
		if (set.has(this.left)) return 'left';
		return set.has(this.open) ? 'sent' : 'nothing';
	}

	/**
	 * Settles the customers that are in the record; the others have no result afterwards. Rejects if n8n cannot tell.
	 *
	 * @param sendsDoubtful whether a customer in doubt may be sent again
	 */
	async lookUp(customers: readonly Customer[], found: Found, sendsDoubtful: boolean): Promise<void> {
		for (let from = 0; from < customers.length; from += LOOKED_UP_AT_ONCE) {
			const some = customers.slice(from, from + LOOKED_UP_AT_ONCE);
			await this.inTurn(async (store) => {
				const states = await this.statesOf(some, found, store);
				const inDoubt = some.filter((customer) => states.get(customer) === 'inDoubt');
				// A late refusal of the earlier call then settles nothing.
				if (sendsDoubtful && inDoubt.length > 0) await store.add(keysOf(inDoubt).map(againEntry));
				for (const customer of inDoubt) {
					if (sendsDoubtful) customer.isInDoubt = true;
					else customer.result = found === 'left' ? MAY_BE_OF_ANOTHER : RESULTS.inDoubt;
				}
				for (const customer of some) if (states.get(customer) === 'sent') customer.result = RESULTS.sent;
			});
		}
	}

	private async statesOf(
		customers: readonly Customer[],
		found: Found,
		store: EntryStore,
	): Promise<Map<Customer, KeyState>> {
		const keys = keysOf(customers);
		const known = await store.add([...keys.map(sentEntry), ...keys.map(openEntry)]);
		const states = new Map<Customer, KeyState>();
		const onlyLookedAt: string[] = [];
		for (const customer of customers) {
			const { key = '' } = customer;
			const isSent = known.has(sentEntry(key));
			const isOpen = known.has(openEntry(key));
			if (!isSent) onlyLookedAt.push(sentEntry(key), openEntry(key));
			// Whoever may belong to another execution stays in doubt.
			else if (!isOpen && found === 'sent') onlyLookedAt.push(openEntry(key));
			const isClear = !isOpen || this.parts.claims.accepted.has(key);
			states.set(customer, isSent ? (isClear && found === 'sent' ? 'sent' : 'inDoubt') : 'new');
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
			await store.add([this.open, this.run].flatMap(bothOf));
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
	advice: LOOK_FIRST,
};
