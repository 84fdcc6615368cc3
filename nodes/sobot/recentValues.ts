// A set that forgets, so that a process that runs for months does not grow.

/** A set of texts that holds at most `limit` of them: a new one pushes out the oldest. */
export class RecentValues {
	private readonly values = new Set<string>();

	constructor(private readonly limit: number) {}

	has(value: string): boolean {
		return this.values.has(value);
	}

	/** Adds a text. One that is held already keeps its age. */
	add(value: string): void {
		this.values.add(value);
		for (const oldest of this.values) {
			if (this.values.size <= this.limit) break;
			this.values.delete(oldest);
		}
	}

	delete(value: string): void {
		this.values.delete(value);
	}
}
