// n8n's deduplication table of this node, as the ledger's store: docs/n8n-behavior.md, D1 to D5.
import type { ICheckProcessedOptions, IExecuteFunctions } from 'n8n-workflow';
import type { EntryStore } from '../../sobot/ledger/entries';

/** How many entries a node keeps at least: each write costs the length of the list. */
const LEAST_ENTRIES = 3000;
/** Entries beside those: for calls in flight, and for customers that are only looked up. */
const SPARE_ENTRIES = 1000;
/** What a Retry looks up in one write, and removes again. */
const LOOKED_UP = 100;
/** A longer list has room up to the next multiple of this. */
const STEP = 1000;
/** The questions of campaigns that begin at this moment do not make a full list longer. */
const QUESTIONS = 12;

const OPTIONS: ICheckProcessedOptions = { mode: 'entries' };

/** How many of the oldest entries a batch may still push out. */
export interface Older {
	left: number;
}

/** A batch, as far as it tells how much its node has to remember. */
export interface Memory {
	readonly older: Older;
	/** a Retry looks up whom its execution has sent: they must not push each other out */
	readonly isRetry: boolean;
	/** how many entries this batch, or an earlier one in this process, needs at least */
	readonly entries: () => number;
}

/** The table of a node. A list that has grown stays long: its length tells other processes how much is to be remembered. */
export class DeduplicationTable implements EntryStore {
	/** whether the oldest customers were dropped */
	hasForgotten = false;
	/** how many entries there were before the last addition */
	countBefore = 0;

	constructor(
		private readonly node: IExecuteFunctions,
		private readonly memory: Memory,
	) {}

	async add(entries: string[]): Promise<ReadonlySet<string>> {
		// docs/n8n-behavior.md, D3.
		const all = [...new Set(entries)];
		const count = await this.node.helpers.getProcessedDataCount('node', OPTIONS);
		const { older } = this.memory;
		const room = this.roomFor(count);
		const maxEntries = count + all.length - room > older.left ? Infinity : room;
		const { processed } = await this.node.helpers.checkProcessedAndRecord(all, 'node', {
			...OPTIONS,
			maxEntries,
		});
		const known = new Set(processed.map(String));
		const dropped = Math.max(0, count + all.length - known.size - maxEntries);
		older.left -= dropped;
		this.hasForgotten ||= dropped > 0;
		this.countBefore = count;
		return known;
	}

	async remove(entries: string[]): Promise<void> {
		await this.node.helpers.removeProcessed(entries, 'node', OPTIONS);
	}

	/** Never less than there is, in steps: otherwise customers that are looked up would push others out one by one. */
	private roomFor(count: number): number {
		const { entries, isRetry } = this.memory;
		const stored = Math.ceil((count - QUESTIONS) / STEP) * STEP + (isRetry ? LOOKED_UP : 0);
		return Math.max(stored, Math.max(entries(), LEAST_ENTRIES) + SPARE_ENTRIES);
	}
}

/** Whether n8n has a table for this node: only those of saved workflows have one. */
export function hasTable(node: IExecuteFunctions): boolean {
	const { id } = node.getWorkflow();
	return typeof id === 'string' && id !== '' && id !== '__EMPTY__';
}
