// What one process knows of a node's keys. The store is shared by all processes, and has no lock.

/** The keys accepted before this many of the latest writes are stored again: another process may have overwritten them. */
const WRITES_STORED_AGAIN = 4;
/** Their pending entries are removed again by the next write and the third one: each costs n8n a walk through its list. */
const REMOVED_AGAIN = [0, 2];

/** What became of the customer with a key. */
export type KeyOutcome = 'accepted' | 'notSent';

/** The keys of one node in this process: who is being sent, which outcomes are to be stored, and whose turn it is to write. */
export class KeyClaims {
	/** customers who are being sent: a promise that resolves once they are settled, and its function */
	private readonly claims = new Map<string, { settled: Promise<void>; settle: () => void }>();
	private readonly outcomes = new Map<string, KeyOutcome>();
	/** the keys accepted before each of the latest writes, the last one first */
	private recent: string[][] = [];
	private lastWrite: Promise<unknown> = Promise.resolve();
	/** entries that another process may have overwritten, and that are added again with the next write */
	readonly toAddAgain: string[] = [];
	/** entries that were only added to read the store, and are removed with the node's next write */
	readonly toRemove: string[] = [];

	/** Resolves once the customer with this key who is being sent is settled; undefined if nobody is. */
	settled(key: string): Promise<void> | undefined {
		return this.claims.get(key)?.settled;
	}

	/** Claims a key for a customer who is about to be sent. */
	claim(key: string): void {
		let settle = () => {};
		const settled = new Promise<void>((resolve) => (settle = resolve));
		this.claims.set(key, { settled, settle });
	}

	/** Ends a claim. */
	release(key: string): void {
		this.claims.get(key)?.settle();
		this.claims.delete(key);
	}

	/** Has the next write store an outcome. */
	record(key: string, outcome: KeyOutcome): void {
		this.outcomes.set(key, outcome);
	}

	/** Whether Sobot has lately accepted the customer with this key: that counts before it is stored. */
	isAccepted(key: string): boolean {
		return this.outcomes.get(key) === 'accepted' || this.recent.some((keys) => keys.includes(key));
	}

	/** Leaves in doubt whoever could not be stored as not sent: later, another process may have sent them. */
	forgetNotSent(): void {
		for (const [key, outcome] of this.outcomes) if (outcome === 'notSent') this.outcomes.delete(key);
	}

	/** The outcomes to store. */
	get toStore(): ReadonlyMap<string, KeyOutcome> {
		return new Map(this.outcomes);
	}

	/** The keys to store once more. */
	get latestAccepted(): readonly string[] {
		return this.recent.flat();
	}

	/** The keys whose pending entries the next write removes once more. */
	noLongerPending(isLast: boolean): readonly string[] {
		return isLast ? this.latestAccepted : REMOVED_AGAIN.flatMap((index) => this.recent[index] ?? []);
	}

	/** Called once outcomes are stored. */
	stored(outcomes: ReadonlyMap<string, KeyOutcome>): void {
		for (const [key, outcome] of outcomes) if (this.outcomes.get(key) === outcome) this.outcomes.delete(key);
		const accepted = [...outcomes.keys()].filter((key) => outcomes.get(key) === 'accepted');
		this.recent = [accepted, ...this.recent].slice(0, WRITES_STORED_AGAIN);
	}

	/** Runs writes of this process one after the other. */
	async inTurn<T>(write: () => Promise<T>): Promise<T> {
		const written = this.lastWrite.then(write, write);
		this.lastWrite = written.catch(() => undefined);
		return await written;
	}
}
