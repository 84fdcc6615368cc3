// n8n's deduplication table of this node, as the ledger's store.
import type { ICheckProcessedOptions, IExecuteFunctions } from 'n8n-workflow';
import type { EntryStore } from '../../sobot/entries';

/** Tells a user's idempotency keys from those of a batch without them. */
export const USER_KEY = 'key ';

/** Entries beside those of the keys to remember: for calls in flight, and for keys that are only looked at. */
const SPARE_ENTRIES = 1000;

/** The table of the node, with room for this many entries. n8n writes it at once and shares it among all its processes. */
export function deduplicationTable(node: IExecuteFunctions, room: number): EntryStore {
	const options: ICheckProcessedOptions = { mode: 'entries', maxEntries: room + SPARE_ENTRIES };
	return {
		async add(entries) {
			const { processed } = await node.helpers.checkProcessedAndRecord(entries, 'node', options);
			return new Set(processed.map(String));
		},
		async remove(entries) {
			await node.helpers.removeProcessed(entries, 'node', options);
		},
	};
}

/** Whether n8n has a table for this node: only those of saved workflows have one. */
export function hasTable(node: IExecuteFunctions): boolean {
	const { id } = node.getWorkflow();
	return typeof id === 'string' && id !== '' && id !== '__EMPTY__';
}
