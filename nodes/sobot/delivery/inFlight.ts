// The calls that have left and are not settled yet.

/** Counts calls in flight, and wakes the dispatcher whenever one settles. */
export class InFlight {
	/** how many calls have not settled yet */
	size = 0;
	/** the first error that a call has thrown */
	private unexpected?: { cause: unknown };
	/** ends the dispatcher's wait for a change */
	private waiting?: () => void;

	/** Adds a call. A rejection is a bug in this package: it surfaces in `change` and `throwUnexpected`. */
	add(call: Promise<void>): void {
		this.size++;
		void call
			.catch((cause: unknown) => {
				this.unexpected ??= { cause };
			})
			.finally(() => {
				this.size--;
				this.wake();
			});
	}

	/** Resolves when the next call settles, or on `wake`. Rejects with the error that a call has thrown. */
	async change(): Promise<void> {
		await new Promise<void>((resolve) => (this.waiting = resolve));
		this.throwUnexpected();
	}

	/** Throws the first error that a call has thrown, if any. */
	throwUnexpected(): void {
		if (this.unexpected) throw this.unexpected.cause;
	}

	/** Ends a wait for a change. */
	wake(): void {
		this.waiting?.();
	}
}
