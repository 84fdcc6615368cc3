// n8n's deduplication table of this node, as the ledger's store: docs/n8n-behavior.md, D1 to D5.
import { randomBytes } from 'crypto';
import type { ICheckProcessedOptions, IExecuteFunctions } from 'n8n-workflow';
import type { EntryStore } from '../../sobot/ledger/entries';

/** The room of a node that has never sent a large batch: each write costs the length of the list. */
const LEAST_ROOM = 5500;
/** The longest room that a batch without 'Send Once Per' makes for itself. */
const MOST_ROOM = 22_000;
/** Entries beside those of the customers to remember: for calls in flight, and for customers that are only looked up. */
const BESIDE = 1000;
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
	/** how many entries to keep at least; 0 without 'Send Once Per' */
	readonly history: number;
	/** what it may push out */
	older(): Older;
	/** a Retry looks up whom its execution has sent: they must not push each other out */
	readonly isRetry: boolean;
}

/**
 * The table of a node. How long its list is tells all processes how long it may get, so it never shrinks. A batch for which
 * that is not enough makes the list longer at once, with spare entries: others come beside it, and after a crash.
 */
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
		const { isRetry } = this.memory;
		const count = await this.helpers.getProcessedDataCount('node', OPTIONS);
		const more = this.spareEntries(count);
		// docs/n8n-behavior.md, D3.
		const all = [...more, ...new Set(entries)];
		const older = this.memory.older();
		const room = Math.max(this.needed, roomOf(count + more.length) + (isRetry ? LOOKED_UP : 0));
		const maxEntries = count + all.length - room > older.left ? Infinity : room;
		const known = await this.helpers.checkProcessedAndRecord(all, 'node', { ...OPTIONS, maxEntries });
		const dropped = Math.max(0, count + all.length - known.processed.length - maxEntries);
		older.left -= dropped;
		this.hasForgotten ||= dropped > 0;
		this.countBefore = count;
		return new Set(known.processed.map(String));
	}

	private get needed(): number {
		const { customers, history } = this.memory;
		return Math.max(2 * customers, history) + BESIDE;
	}

	/** Entries that give every process the room that this batch needs. With 'Send Once Per', 'History Size' tells them. */
	private spareEntries(count: number): string[] {
		if (this.memory.history > 0) return [];
		let length = count;
		while (roomOf(length) < Math.min(this.needed, MOST_ROOM)) length = roomOf(length) + BESIDE;
		const name = randomBytes(6).toString('base64url');
		return Array.from({ length: length - count }, (_, index) => `spare ${name} ${index}`);
	}

	async remove(entries: string[]): Promise<void> {
		await this.helpers.removeProcessed(entries, 'node', OPTIONS);
	}

	private get helpers() {
		return this.node.helpers;
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
