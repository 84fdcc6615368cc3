// Holds state that outlives an execution, and evicts it once it is idle.

/**
 * One value per key for the life of the process. Idle values, for which a new one would do as well, are dropped whenever a
 * new one is made.
 */
export class Registry<Value extends { readonly isIdle: boolean }> {
	private readonly values = new Map<string, Value>();

	constructor(private readonly create: (key: string) => Value) {}

	/** The value for a key; a new one if there is none yet. */
	get(key: string): Value {
		const known = this.values.get(key);
		if (known) return known;
		for (const [other, value] of this.values) if (value.isIdle) this.values.delete(other);
		const value = this.create(key);
		this.values.set(key, value);
		return value;
	}
}
