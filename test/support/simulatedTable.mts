// n8n's deduplication table of one node, in memory. It reads its list, waits, and writes it back without a lock, as n8n does: so
// two processes can overwrite each other. Source: n8n, DeduplicationHelper.

/** The parts of a change, between which others can come. */
export type TableStep = 'reading' | 'writing';

export class SimulatedTable {
	/** entries that were changed by two at once: one of both has not seen what the other did, or has undone it */
	readonly raced = new Set<string>();
	/** undefined until the first entry is added */
	private list?: string[];

	/** @param pause passes the time that a step takes; rejects if the database is away */
	constructor(private readonly pause: (step: TableStep) => Promise<void>) {}

	/** The oldest first. */
	get entries(): string[] {
		return this.list ?? [];
	}

	set entries(entries: string[]) {
		this.list = entries;
	}

	/**
	 * Adds entries, and returns those that were there before. An entry that is given twice is stored twice.
	 *
	 * @param maxEntries beyond them, the oldest are dropped
	 */
	async add(entries: readonly string[], maxEntries = Infinity): Promise<string[]> {
		return await this.change((list) => {
			const before = new Set(list);
			list.push(...entries.filter((entry) => !before.has(entry)));
			list.splice(0, Math.max(0, list.length - maxEntries));
			return entries.filter((entry) => before.has(entry));
		});
	}

	/** Removes entries: of one that is stored twice the first. */
	async remove(entries: readonly string[]): Promise<void> {
		if (!this.list) return await this.pause('reading');
		await this.change((list) => {
			for (const entry of entries) {
				const index = list.indexOf(entry);
				if (index >= 0) list.splice(index, 1);
			}
		});
	}

	private async change<T>(change: (list: string[]) => T): Promise<T> {
		await this.pause('reading');
		const read = this.list;
		const list = [...(read ?? [])];
		const result = change(list);
		await this.pause('writing');
		// The first entries are inserted as a row, of which there can be one.
		if (!read && this.list) throw new Error('duplicate key value violates unique constraint');
		if (this.list !== read)
			for (const others of [list, this.entries])
				for (const entry of differenceOf(read ?? [], others)) this.raced.add(entry);
		this.list = list;
		return result;
	}
}

/** The entries of which one list has more than the other. */
function differenceOf(one: readonly string[], other: readonly string[]): string[] {
	const [inOne, inOther] = [new Set(one), new Set(other)];
	return [...one.filter((entry) => !inOther.has(entry)), ...other.filter((entry) => !inOne.has(entry))];
}
