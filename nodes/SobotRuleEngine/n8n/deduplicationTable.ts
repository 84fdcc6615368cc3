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
	/** markers of the room, which are added with all others, so that they are among the latest */
	private readonly markers: string[] = [];
	/** the same markers at an older place, which are removed with others */
	private readonly oldMarkers: string[] = [];

	constructor(
		private readonly node: IExecuteFunctions,
		private readonly memory: Memory,
	) {
		this.needed = Math.max(memory.customers + SPARE_ENTRIES, LEAST_ROOM);
	}

	async add(entries: string[]): Promise<ReadonlySet<string>> {
		this.room ??= await this.findRoom();
		// docs/n8n-behavior.md, D3.
		return await this.addTo(this.room, [...new Set([...entries, ...this.markers])]);
	}

	async remove(entries: string[]): Promise<void> {
		await this.node.helpers.removeProcessed([...entries, ...this.oldMarkers], 'node', OPTIONS);
		this.oldMarkers.length = 0;
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
		const step = stepOf(this.needed);
		if (hasHistory || step > 0) this.markers.push(marker(step, hasHistory ? HISTORY : today()));
		const count = await this.count();
		// Nothing is dropped.
		if (count + size <= this.needed) return this.needed;
		const kinds = [HISTORY, today(), today() - 1].map((kept) =>
			Array.from({ length: HIGHEST_STEP + 1 }, (_, of) => marker(of, kept)),
		);
		const first = campaign?.first.slice(0, 1) ?? [];
		const known = await this.ask([...kinds.flat().flatMap((one) => [one, otherForm(one)]), ...first]);
		const found = kinds.flatMap((steps) => {
			const there = steps.filter((one) => known.has(one) || known.has(otherForm(one)));
			// All steps are what a question has left behind in which n8n was killed: what is stored then stays.
			return there.length > HIGHEST_STEP ? there.slice(stepOf(count)).slice(0, 1) : there.slice(-1);
		});
		this.moveToEnd([...found, ...this.markers.splice(0)], known);
		// A campaign that is run again must not push out its own first customers.
		const isRunAgain = first.some((entry) => known.has(entry));
		const isKept = hasHistory || isRetry || found.some((one) => one.includes(HISTORY));
		const kept = isKept ? wholeRoom(isRunAgain ? count + size : count) : 0;
		return Math.max(this.needed, kept, ...found.map(roomOf));
	}

	/** Has the next addition put markers at the end, in their other form, and the next removal take all others away. */
	private moveToEnd(markers: readonly string[], known: ReadonlySet<string>): void {
		for (const one of markers) this.markers.push(known.has(one) ? otherForm(one) : one);
		this.oldMarkers.push(...[...known].filter((entry) => isMarker(entry) && !this.markers.includes(entry)));
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

/** The power of two that a room for so many entries needs. */
const stepOf = (entries: number) =>
	Math.max(0, Math.min(HIGHEST_STEP, Math.ceil(Math.log2(entries / LEAST_ROOM))));

/** A room that is kept for good: that of a node with 'Send Once Per'. */
const HISTORY = 'history' as const;

/**
 * An entry that tells later batches to keep a room.
 *
 * @param kept for good, or the day of a large batch: its customers must be there for a Retry today and tomorrow
 */
const marker = (step: number, kept: number | typeof HISTORY) => `room ${step} ${kept}`;
/** The same marker under another name: so it can move to the end of the list without ever being away. */
const otherForm = (one: string) => `${one} 2`;
const isMarker = (entry: string) => entry.startsWith('room ');
const roomOf = (one: string) => LEAST_ROOM * 2 ** Number(one.split(' ')[1]);

const today = () => Math.floor(systemClock.epochMs() / DAY_MS);

/** Rounded up: if the room followed the count, looking up customers would push others out one by one. */
const wholeRoom = (count: number) => Math.ceil(count / SPARE_ENTRIES) * SPARE_ENTRIES;

/** Whether n8n has a table for this node: only those of saved workflows have one. */
export function hasTable(node: IExecuteFunctions): boolean {
	const { id } = node.getWorkflow();
	return typeof id === 'string' && id !== '' && id !== '__EMPTY__';
}
