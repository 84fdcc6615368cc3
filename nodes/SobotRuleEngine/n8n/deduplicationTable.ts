// n8n's deduplication table of this node, as the ledger's store: docs/n8n-behavior.md, D1 to D5.
import type { ICheckProcessedOptions, IExecuteFunctions } from 'n8n-workflow';
import { systemClock } from '../../sobot/clock';
import type { Campaign, EntryStore } from '../../sobot/ledger/entries';

/** Entries beside those of the customers to remember: for calls in flight, and for customers that are only looked up. */
const SPARE_ENTRIES = 1000;
/** The room of a node that has sent no large batch lately: each write costs the length of the list. */
const LEAST_ROOM = 3000 + SPARE_ENTRIES;
/** A larger room is twice the least, or four times, and so on up to this power of two. */
const HIGHEST_STEP = 8;
const DAY_MS = 24 * 60 * 60 * 1000;
/** An entry of nodes that use 'Send Once Per': their list does not shrink while a batch goes without it. */
const KEEPS_HISTORY = 'keeps history';

const OPTIONS: ICheckProcessedOptions = { mode: 'entries' };

/** A batch, as far as it tells how much its node has to remember. */
export interface Memory {
	/** how many customers to remember at least */
	readonly customers: number;
	/** how many customers the batch has */
	readonly size: number;
	/** whether it has the option 'Send Once Per' */
	readonly hasHistory: boolean;
	/** the campaign to which all its customers belong */
	readonly campaign?: Campaign;
	/** a Retry may begin with a small part of what its execution has stored */
	readonly isRetry: boolean;
}

/** The table of a node. */
export class DeduplicationTable implements EntryStore {
	/** how many entries to keep; undefined until it is known */
	private room?: number;
	private readonly needed: number;
	/** added with all others, so that it is among the latest */
	private readonly marker: readonly string[];

	constructor(
		private readonly node: IExecuteFunctions,
		private readonly memory: Memory,
	) {
		this.needed = Math.max(memory.customers + SPARE_ENTRIES, LEAST_ROOM);
		const step = Math.min(HIGHEST_STEP, Math.ceil(Math.log2(this.needed / LEAST_ROOM)));
		this.marker = memory.hasHistory ? [KEEPS_HISTORY] : step > 0 ? [largeRoom(step, 0)] : [];
	}

	async add(entries: string[]): Promise<ReadonlySet<string>> {
		this.room ??= await this.findRoom();
		// docs/n8n-behavior.md, D3.
		return await this.addTo(this.room, [...new Set([...entries, ...this.marker])]);
	}

	async remove(entries: string[]): Promise<void> {
		await this.node.helpers.removeProcessed(entries, 'node', OPTIONS);
	}

	/** Whether the table forgets its oldest customers, or soon will. Rejects if n8n's database does not answer. */
	async isFull(): Promise<boolean> {
		return this.room !== undefined && (await this.count()) > this.room - SPARE_ENTRIES / 4;
	}

	private async addTo(room: number | undefined, entries: string[]): Promise<ReadonlySet<string>> {
		const options = { ...OPTIONS, maxEntries: room };
		const { processed } = await this.node.helpers.checkProcessedAndRecord(entries, 'node', options);
		return new Set(processed.map(String));
	}

	private async findRoom(): Promise<number> {
		const { size, hasHistory, campaign, isRetry } = this.memory;
		const count = await this.count();
		if (count + size <= this.needed) return this.needed;
		if (hasHistory) {
			// A campaign that is run again must not push out its own first customers.
			const isRunAgain = campaign !== undefined && (await this.ask([campaign.last[0]])).size > 0;
			return Math.max(this.needed, wholeRoom(isRunAgain ? count + size : count));
		}
		const large = new Map<string, number>();
		for (let step = 1; step <= HIGHEST_STEP; step++)
			for (const daysAgo of [0, 1]) large.set(largeRoom(step, daysAgo), step);
		const known = await this.ask([KEEPS_HISTORY, ...large.keys()]);
		const step = Math.max(0, ...Array.from(known, (entry) => large.get(entry) ?? 0));
		const keeps = isRetry || known.has(KEEPS_HISTORY) ? wholeRoom(count) : 0;
		return Math.max(this.needed, keeps, LEAST_ROOM * 2 ** step);
	}

	private async count(): Promise<number> {
		return await this.node.helpers.getProcessedDataCount('node', OPTIONS);
	}

	/** Which of these entries are there. It leaves the table as it was. */
	private async ask(entries: readonly string[]): Promise<ReadonlySet<string>> {
		const known = await this.addTo(undefined, [...entries]);
		await this.remove(entries.filter((entry) => !known.has(entry)));
		return known;
	}
}

/** An entry of large batches: what they have stored must be there for a Retry, whatever small ones follow. */
function largeRoom(step: number, daysAgo: number): string {
	return `room ${step} on ${Math.floor(systemClock.epochMs() / DAY_MS) - daysAgo}`;
}

/** Rounded up: if the room followed the count, looking up customers would push others out one by one. */
const wholeRoom = (count: number) => Math.ceil(count / SPARE_ENTRIES) * SPARE_ENTRIES;

/** Whether n8n has a table for this node: only those of saved workflows have one. */
export function hasTable(node: IExecuteFunctions): boolean {
	const { id } = node.getWorkflow();
	return typeof id === 'string' && id !== '' && id !== '__EMPTY__';
}
