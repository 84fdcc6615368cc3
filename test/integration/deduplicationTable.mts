// n8n's deduplication tables, in memory. A test can make them unavailable, or look into them.
import { DataDeduplicationService } from 'n8n-core';
import { SimulatedTable } from '../support/simulatedTable.mts';

/** The tables by node. */
const tables = new Map<string, SimulatedTable>();

/** What a test does to n8n's database, and sees of it. */
export const database = {
	/** makes everything fail */
	isAway: false,
	/** how many entries the tables were asked to keep at least, since a test has set it to Infinity */
	leastRoom: Infinity,
};

function tableOf(nodeId = ''): SimulatedTable {
	if (database.isAway) throw new Error('the database is away');
	const known = tables.get(nodeId);
	if (known) return known;
	const table = new SimulatedTable(async () => await new Promise(setImmediate));
	tables.set(nodeId, table);
	return table;
}

/** Sets a table back to what it was: what comes after a kill is never stored. */
export const restoreEntries = (nodeId: string, entries: string[]) => (tableOf(nodeId).entries = entries);

/** The entries for a node, the oldest first. */
export const entriesOf = (nodeId: string) => tables.get(nodeId)?.entries ?? [];

void DataDeduplicationService.init({
	async checkProcessedAndRecord(items, _scope, { node }, { maxEntries = Infinity }) {
		database.leastRoom = Math.min(database.leastRoom, maxEntries);
		const processed = await tableOf(node?.id).add(items.map(String), maxEntries);
		return { new: items.filter((item) => !processed.includes(String(item))), processed };
	},
	async removeProcessed(items, _scope, { node }) {
		await tableOf(node?.id).remove(items.map(String));
	},
	async clearAllProcessedItems(_scope, { node }) {
		tableOf(node?.id).entries = [];
	},
	async getProcessedDataCount(_scope, { node }) {
		return tableOf(node?.id).entries.length;
	},
});
