// n8n's deduplication table of this node, as the ledger's store: docs/n8n-behavior.md, D1 to D5.
import { randomBytes } from 'crypto';
import type { ICheckProcessedOptions, IExecuteFunctions } from 'n8n-workflow';
import type { EntryStore } from '../../sobot/ledger/entries';

/** The room of a node that has never sent a large batch: each write costs the length of the list. */
const LEAST_ROOM = 2750;
/** Entries beside those of the customers to remember: for calls in flight, and for customers that are only looked up. */
const SPARE_ENTRIES = 1000;
/** So many others may come before the first customers of a larger batch are pushed out. */
const MOST_OTHERS = 5000;
/** What a Retry looks up in one write, and removes again. */
const LOOKED_UP = 100;
/** A list that is this much longer than its room has not grown: Retries and questions make it longer for a moment. */
const TOLERANCE = 200;

const OPTIONS: ICheckProcessedOptions = { mode: 'entries' };

/** How many of the oldest entries a batch may still push out. */
export interface Older {
	left: number;
}

/** A batch, as far as it tells how much its node has to remember. */
export interface Memory {
	/** how many customers its execution has so far */
	readonly customers: number;
	/** how many entries are older than its execution's first customer, once that is known; written by the table */
	readonly before: { entries?: number };
	/** how many entries to keep at least; 0 without 'Send Once Per' */
	readonly history: number;
	/** what it may push out */
	older(): Older;
	/** a Retry looks up whom its execution has sent: they must not push each other out */
	readonly isRetry: boolean;
}

/** The table of a node. How long its list is tells all processes how long it may get, so it never shrinks. */
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
		const count = await this.count();
		const { customers, history, isRetry } = this.memory;
		const older = this.memory.older();
		const needed = Math.max(2 * customers, history) + SPARE_ENTRIES;
		const room = Math.max(needed, roomOf(count) + (isRetry ? LOOKED_UP : 0));
		const maxEntries = count + all.length - room > older.left ? Infinity : room;
		const known = await this.addTo(maxEntries, all);
		const dropped = Math.max(0, count + all.length - known.size - maxEntries);
		older.left -= dropped;
		this.hasForgotten ||= dropped > 0;
		this.countBefore = count;
		return known;
	}

	async remove(entries: string[]): Promise<void> {
		await this.node.helpers.removeProcessed(entries, 'node', OPTIONS);
	}

	/**
	 * Other processes, and those that begin after a crash, know only the length of the list. So that they keep a large batch
	 * until others have come, entries are added that are pushed out before its first customer, or that make the room double.
	 * With 'Send Once Per', 'History Size' tells them, and counts customers.
	 */
	async prepare(): Promise<void> {
		const { customers, before, history } = this.memory;
		if (history > 0) return;
		const others = Math.min(customers, MOST_OTHERS) + SPARE_ENTRIES;
		const count = await this.count();
		let length = count;
		const { entries } = before;
		if (entries === undefined && customers + others > LEAST_ROOM) length = Math.max(count, others);
		const isBehindOthers = count > 0 && length > count;
		// In a loop its earlier customers have to stay, and wherever entries are added behind others, those.
		const kept = () => (entries === undefined ? length : Math.max(length - entries, customers));
		while ((entries !== undefined || isBehindOthers) && roomOf(length) < kept() + others)
			length = roomOf(length) + TOLERANCE + 1;
		const name = randomBytes(6).toString('base64url');
		const spare = Array.from({ length: length - count }, (_, index) => `spare ${name} ${index}`);
		if (spare.length > 0) await this.addTo(Infinity, spare);
		before.entries ??= length;
	}

	private async count(): Promise<number> {
		return await this.node.helpers.getProcessedDataCount('node', OPTIONS);
	}

	private async addTo(maxEntries: number, entries: string[]): Promise<ReadonlySet<string>> {
		const options = { ...OPTIONS, maxEntries };
		const { processed } = await this.node.helpers.checkProcessedAndRecord(entries, 'node', options);
		return new Set(processed.map(String));
	}
}

/** How long a list may get that has this length now: it doubles. */
function roomOf(count: number): number {
	let room = LEAST_ROOM;
	while (count > room + TOLERANCE) room *= 2;
	return room;
}

/** Whether n8n has a table for this node: only those of saved workflows have one. */
export function hasTable(node: IExecuteFunctions): boolean {
	const { id } = node.getWorkflow();
	return typeof id === 'string' && id !== '' && id !== '__EMPTY__';
}
