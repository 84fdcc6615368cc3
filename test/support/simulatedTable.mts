// n8n's deduplication table of one node, in memory. It reads its list, waits, and writes it back without a lock, as n8n does: so
// two processes can overwrite each other. Source: n8n, DeduplicationHelper.

/** The parts of a change, between which others can come. */
export type TableStep = 'reading' | 'writing';

interface Change<Result> {
	readonly added: readonly string[];
	readonly removed: readonly string[];
	readonly result: Result;
}

const NONE: readonly string[] = [];

export class SimulatedTable {
	/** entries that were changed by two at once: one of both has not seen what the other did, or has undone it */
	readonly raced = new Set<string>();
	/** how often two have overwritten each other */
	races = 0;
	/** undefined until the first entry is added */
	private list?: readonly string[];
	/** how often each entry is in a list, for the latest list that was looked at */
	private counted?: { readonly list: readonly string[]; readonly counts: Map<string, number> };

	/** @param pause passes the time that a step takes; rejects if the database is away */
	constructor(private readonly pause: (step: TableStep) => Promise<void>) {}

	/** The oldest first. */
	get entries(): readonly string[] {
		return this.list ?? NONE;
	}

	set entries(entries: readonly string[]) {
		this.list = entries;
	}

	/** Whether an entry is stored. */
	has(entry: string): boolean {
		return this.counts.has(entry);
	}

	private get counts(): Map<string, number> {
		const list = this.entries;
		if (this.counted?.list !== list) {
			this.counted = { list, counts: new Map() };
			for (const entry of list) count(this.counted.counts, entry, 1);
		}
		return this.counted.counts;
	}

	/**
	 * Adds entries, and returns those that were there before. An entry that is given twice is stored twice.
	 *
	 * @param maxEntries beyond them, the oldest are dropped
	 */
	async add(entries: readonly string[], maxEntries = Infinity): Promise<string[]> {
		return await this.change((list) => {
			const added = entries.filter((entry) => !this.has(entry));
			const result = entries.filter((entry) => this.has(entry));
			list.push(...added);
			const removed = list.splice(0, Math.max(0, list.length - maxEntries));
			return { added, removed, result };
		});
	}

	/** Removes entries: of one that is stored twice the first. */
	async remove(entries: readonly string[]): Promise<void> {
		if (!this.list) return await this.pause('reading');
		await this.change((list) => {
			const removed = entries.filter((entry) => {
				const index = this.has(entry) ? list.indexOf(entry) : -1;
				if (index >= 0) list.splice(index, 1);
				return index >= 0;
			});
			return { added: [], removed, result: undefined };
		});
	}

	private async change<T>(change: (list: string[]) => Change<T>): Promise<T> {
		await this.pause('reading');
		const read = this.list;
		const list = [...(read ?? [])];
		const { added, removed, result } = change(list);
		await this.pause('writing');
		// The first entries are inserted as a row, of which there can be one.
		if (!read && this.list) throw new Error('duplicate key value violates unique constraint');
		if (this.list !== read) {
			this.races++;
			for (const others of [list, this.entries])
				for (const entry of differenceOf(read ?? [], others)) this.raced.add(entry);
		} else if (read && this.counted?.list === read) {
			for (const entry of added) count(this.counted.counts, entry, 1);
			for (const entry of removed) count(this.counted.counts, entry, -1);
			this.counted = { list, counts: this.counted.counts };
		}
		this.list = list;
		return result;
	}
}

function count(counts: Map<string, number>, entry: string, more: 1 | -1): void {
	const times = (counts.get(entry) ?? 0) + more;
	if (times > 0) counts.set(entry, times);
	else counts.delete(entry);
}

/** The entries of which one list has more than the other. */
function differenceOf(one: readonly string[], other: readonly string[]): string[] {
	const [inOne, inOther] = [new Set(one), new Set(other)];
	return [...one.filter((entry) => !inOther.has(entry)), ...other.filter((entry) => !inOne.has(entry))];
}
