// Keeps the state that outlives an execution, and lets go of it once nobody would miss it.

/** A value that can tell whether a fresh one would serve just as well. */
export interface Evictable {
	readonly isIdle: boolean;
}

/** One value per key for the life of the process. Idle values are dropped whenever a new one is made. */
export class Registry<Value extends Evictable> {
	private readonly values = new Map<string, Value>();

	constructor(private readonly create: (key: string) => Value) {}

	get(key: string): Value {
		const known = this.values.get(key);
		if (known) return known;
		for (const [other, value] of this.values) if (value.isIdle) this.values.delete(other);
		const value = this.create(key);
		this.values.set(key, value);
		return value;
	}

	/** How many values are kept. */
	get size(): number {
		return this.values.size;
	}
}
