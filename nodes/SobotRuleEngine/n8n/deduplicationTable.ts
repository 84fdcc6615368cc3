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
	/** whether it has the option 'Send Once Per' */
	readonly hasHistory: boolean;
	/** the campaign to which all its customers belong */
	readonly campaign?: Campaign;
	/** whether this execution has begun it */
	hasBegun(): boolean;
	/** a Retry may begin with a small part of what its execution has stored */
	readonly isRetry: boolean;
}

/** The table of a node. */
export class DeduplicationTable implements EntryStore {
	/** whether the oldest customers were dropped */
	hasForgotten = false;
	/** how many entries to keep; undefined until some would be dropped, infinite if none may be */
	private room?: number;
	private readonly needed: number;
	/** the marker of the room that this batch needs */
	private readonly own: string;
	/** markers of the room, which are added with all others, so that they are among the latest */
	private markers: readonly string[];
	/** markers that a question has added and could not remove */
	private left: readonly string[] = [];

	constructor(
		private readonly node: IExecuteFunctions,
		private readonly memory: Memory,
	) {
		this.needed = Math.max(memory.customers + SPARE_ENTRIES, LEAST_ROOM);
		const step = stepOf(this.needed);
		this.own = marker(step, memory.hasHistory ? HISTORY : today());
		this.markers = memory.hasHistory || step > 0 ? [this.own] : [];
	}

	async add(entries: string[]): Promise<ReadonlySet<string>> {
		const count = await this.node.helpers.getProcessedDataCount('node', OPTIONS);
		// Another batch has stored more meanwhile: then nothing is dropped.
		const isOutgrown = count > (this.room ?? Infinity);
		if (count + entries.length + this.markers.length > this.needed) this.room ??= await this.findRoom(count);
		const room = isOutgrown ? Infinity : (this.room ?? Infinity);
		// docs/n8n-behavior.md, D3.
		const all = [...new Set([...entries, ...this.markers])];
		const known = await this.addTo(room, all);
		if (count + all.length - known.size > room) this.hasForgotten = true;
		return known;
	}

	async remove(entries: string[]): Promise<void> {
		const left = this.left.filter((entry) => !this.markers.includes(entry));
		await this.node.helpers.removeProcessed([...entries, ...left], 'node', OPTIONS);
		this.left = [];
	}

	private async addTo(room: number, entries: string[]): Promise<ReadonlySet<string>> {
		const options = { ...OPTIONS, maxEntries: room };
		const { processed } = await this.node.helpers.checkProcessedAndRecord(entries, 'node', options);
		return new Set(processed.map(String));
	}

	/** Only a batch that would push others out asks what is to be kept: all of them are marked by then. */
	private async findRoom(count: number): Promise<number> {
		const { hasHistory, campaign, isRetry } = this.memory;
		// Orders do without: on two workers, each would take the other's question for markers.
		if (hasHistory && !campaign) return Math.max(this.needed, wholeRoom(count));
		// Not one of the pairs: a question whose answer gets lost sets what it asks for.
		const inUse = campaign && (this.memory.hasBegun() ? campaign.again : campaign.first[2]);
		const { known, found } = await this.askForMarkers(count, inUse === undefined ? [] : [inUse]);
		this.markers = found.some((one) => baseOf(one) === this.own) ? found : [...this.markers, ...found];
		// A campaign with which several executions go on must not push out its own first customers.
		if (inUse !== undefined && known.has(inUse)) return Infinity;
		const isKept = hasHistory || isRetry || found.some((one) => one.includes(HISTORY));
		const kept = isKept ? wholeRoom(count) : 0;
		return Math.max(this.needed, kept, ...found.map(roomOf));
	}

	/**
	 * Which of these entries are known, and which markers are to be kept. To ask is to add: so a marker moves to the end, since
	 * of its two forms the one that was not there stays.
	 */
	private async askForMarkers(count: number, others: readonly string[]) {
		const kinds = [HISTORY, today(), today() - 1].map((kept) =>
			Array.from({ length: HIGHEST_STEP + 1 }, (_, of) => marker(of, kept)),
		);
		const asked = [...kinds.flat().flatMap((one) => [one, otherForm(one)]), ...others];
		const known = await this.addTo(Infinity, asked);
		const found = kinds.flatMap((steps) => {
			const there = steps.filter((one) => known.has(one) || known.has(otherForm(one)));
			// All steps are what a question has left behind in which n8n was killed: what is stored then stays.
			const kept = there.length > HIGHEST_STEP ? there[stepOf(count)] : there.at(-1);
			return kept === undefined ? [] : [known.has(kept) ? otherForm(kept) : kept];
		});
		const isKept = (entry: string) => found.includes(entry) || (others.includes(entry) && known.has(entry));
		const added = asked.filter((entry) => !isKept(entry));
		// The answer is known, even if the database goes away now.
		await this.remove(added).catch(() => (this.left = added.filter((entry) => !others.includes(entry))));
		return { known, found };
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
const baseOf = (one: string) => one.replace(/ 2$/, '');
const roomOf = (one: string) => LEAST_ROOM * 2 ** Number(one.split(' ')[1]);

const today = () => Math.floor(systemClock.epochMs() / DAY_MS);

/** Rounded up: if the room followed the count, looking up customers would push others out one by one. */
const wholeRoom = (count: number) => Math.ceil(count / SPARE_ENTRIES) * SPARE_ENTRIES;

/** Whether n8n has a table for this node: only those of saved workflows have one. */
export function hasTable(node: IExecuteFunctions): boolean {
	const { id } = node.getWorkflow();
	return typeof id === 'string' && id !== '' && id !== '__EMPTY__';
}
