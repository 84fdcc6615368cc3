// n8n's deduplication table, in memory. A test can make it unavailable, or look into it.
import { DataDeduplicationService } from 'n8n-core';

/** The entries by node, the oldest first. Source: n8n, DeduplicationHelper. */
const table = new Map<string, string[]>();

/** What a test does to n8n's database, and sees of it. */
export const database = {
	/** makes everything fail that adds entries */
	isAway: false,
	/** the smallest number of entries that the table was asked to keep; infinite if nothing was added */
	leastRoom: Infinity,
	/** makes adding some entries fail, but not their removal */
	refuses: undefined as ((entries: readonly string[]) => boolean) | undefined,
};

/** Sets the table back to what it was: what comes after a kill is never stored. */
export const restoreEntries = (nodeId: string, entries: string[]) => table.set(nodeId, entries);

/** The table's entries for a node, the oldest first. */
export const entriesOf = (nodeId = '') => table.get(nodeId) ?? [];

void DataDeduplicationService.init({
	async checkProcessedAndRecord(items, _scope, { node }, { maxEntries = Infinity }) {
		if (database.isAway || database.refuses?.(items.map(String)) === true)
			throw new Error('the database is away');
		database.leastRoom = Math.min(database.leastRoom, maxEntries);
		const entries = entriesOf(node?.id);
		const known = new Set(entries);
		const fresh = items.filter((item) => !known.has(String(item)));
		table.set(node?.id ?? '', [...entries, ...fresh.map(String)].slice(-maxEntries));
		return { new: fresh, processed: items.filter((item) => known.has(String(item))) };
	},
	async removeProcessed(items, _scope, { node }) {
		const gone = new Set(items.map(String));
		table.set(
			node?.id ?? '',
			entriesOf(node?.id).filter((entry) => !gone.has(entry)),
		);
	},
	async clearAllProcessedItems(_scope, { node }) {
		table.delete(node?.id ?? '');
	},
	async getProcessedDataCount(_scope, { node }) {
		return entriesOf(node?.id).length;
	},
});
