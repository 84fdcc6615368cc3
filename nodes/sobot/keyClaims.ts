// The ledger keys of one node in this process: the table is shared by all processes, and has no lock.

/** The batch that is sending the customer with a key. */
export interface Claim {
	/** resolves once the customer is settled and the outcome is stored, or cannot be stored for a while */
	readonly settled: Promise<void>;
	readonly settle: () => void;
}

/** The keys of one node in this process: which calls are in flight, and whose turn it is to write. */
export class KeyClaims {
	private readonly claims = new Map<string, Claim>();
	/** the identities of accepted customers, by key, until the outcome is stored */
	readonly accepted = new Map<string, string>();
	private lastWrite: Promise<unknown> = Promise.resolve();
	private writes = 0;
	/** how many batches are being sent */
	batches = 0;

	/** Whether no batch is being sent, and nothing is left to store. */
	get isIdle(): boolean {
		return this.claims.size + this.accepted.size + this.writes + this.batches === 0;
	}

	/** Resolves once the customer with this key who is being sent is settled; undefined if nobody is. */
	settled(key: string): Promise<void> | undefined {
		return this.claims.get(key)?.settled;
	}

	/** Claims a key for a customer who is about to be sent. */
	claim(key: string): Claim {
		let settle = () => {};
		const settled = new Promise<void>((resolve) => (settle = resolve));
		const claim = { settled, settle };
		this.claims.set(key, claim);
		return claim;
	}

	/** Ends a claim, and no other one that has come after it. */
	release(key: string, claim: Claim): void {
		claim.settle();
		if (this.claims.get(key) === claim) this.claims.delete(key);
	}

	/** Runs writes of this process one after the other: the table has no lock. */
	async inTurn<T>(write: () => Promise<T>): Promise<T> {
		this.writes++;
		const written = this.lastWrite.then(write, write);
		this.lastWrite = written.catch(() => undefined);
		try {
			return await written;
		} finally {
			this.writes--;
		}
	}
}
