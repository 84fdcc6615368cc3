// Is this push a repeat? Sobot repeats, byte for byte, what was not acknowledged in time, and gives a push no ID. What was
// taken is remembered in n8n's static data of the workflow, for restarts and other processes, and in this process, since
// pushes that come together overwrite each other in static data.

/** How many pushes a process remembers. With more in the window, a repeat of the oldest starts the workflow again. */
export const REMEMBERED_PUSHES = 10_000;
/** How many of them static data holds: the latest, since what a restart leaves unacknowledged was under way just then. */
export const STORED_PUSHES = 300;

/**
 * The part of a trigger's static data that belongs here: a record for each push, the oldest first. n8n reads and writes it
 * for each push and stores it with each execution, so it is kept small, and as one text.
 */
export interface StoredMemory {
	takenPushes?: string;
}

/** 66 bits of the delivery key, base64url, */
const KEY_LENGTH = 11;
/** and when it was taken, epoch milliseconds in base 36: enough until the year 2059. */
const TIME_LENGTH = 8;
const RECORD_LENGTH = KEY_LENGTH + TIME_LENGTH;

/** What this process knows of a trigger's pushes: when each was taken, by its key; and the latest as they are stored. */
interface Memory {
	readonly taken: Map<string, number>;
	text: string;
}

const memories = new Map<string, Memory>();

/** What a trigger remembers of the pushes that it took. Moments are epoch milliseconds. */
export class RepeatMemory {
	/** @param trigger tells this trigger from others in this process */
	constructor(
		private readonly trigger: string,
		private readonly staticData: StoredMemory,
		private readonly windowMs: number,
	) {}

	/** Was this push taken within the window, as far as is remembered? */
	holds(deliveryKey: string, nowMs: number): boolean {
		const takenAtMs = this.memory().taken.get(keyOf(deliveryKey));
		return takenAtMs !== undefined && nowMs - takenAtMs < this.windowMs;
	}

	/** Remembers a push that n8n has taken on, and forgets those that are too old or too many. */
	keep(deliveryKey: string, nowMs: number): void {
		const memory = this.memory();
		const { taken } = memory;
		const key = keyOf(deliveryKey);
		taken.delete(key);
		taken.set(key, nowMs);
		for (const [oldest, takenAtMs] of taken) {
			if (taken.size <= REMEMBERED_PUSHES && nowMs - takenAtMs < this.windowMs) break;
			taken.delete(oldest);
		}
		let text = latest(memory.text + write(key, nowMs));
		while (nowMs - read(text).takenAtMs >= this.windowMs) text = text.slice(RECORD_LENGTH);
		memory.text = text;
		this.staticData.takenPushes = text;
	}

	/** What this process knows, with what others have stored. */
	private memory(): Memory {
		const memory = memories.get(this.trigger) ?? { taken: new Map<string, number>(), text: '' };
		memories.set(this.trigger, memory);
		const { takenPushes: stored } = this.staticData;
		if (stored && !isKnown(memory, stored.slice(-RECORD_LENGTH))) {
			for (const record of records(stored)) {
				const { key, takenAtMs } = read(record);
				memory.taken.set(key, Math.max(takenAtMs, memory.taken.get(key) ?? 0));
			}
			const all = new Set([...records(memory.text), ...records(stored)]);
			memory.text = latest([...all].sort((a, b) => read(a).takenAtMs - read(b).takenAtMs).join(''));
		}
		return memory;
	}
}

/** Who stores puts its own push last: if this process knows that one, it has written or read all of it. */
function isKnown({ taken }: Memory, lastRecord: string): boolean {
	const { key, takenAtMs } = read(lastRecord);
	return taken.get(key) === takenAtMs;
}

function keyOf(deliveryKey: string): string {
	return Buffer.from(deliveryKey, 'hex').toString('base64url').slice(0, KEY_LENGTH);
}

function write(key: string, takenAtMs: number): string {
	return key + takenAtMs.toString(36).padStart(TIME_LENGTH, '0');
}

/** The first record of a text. */
function read(text: string): { key: string; takenAtMs: number } {
	return {
		key: text.slice(0, KEY_LENGTH),
		takenAtMs: parseInt(text.slice(KEY_LENGTH, RECORD_LENGTH), 36),
	};
}

function records(text: string): string[] {
	const count = Math.floor(text.length / RECORD_LENGTH);
	return Array.from({ length: count }, (_, i) => text.slice(i * RECORD_LENGTH, (i + 1) * RECORD_LENGTH));
}

function latest(text: string): string {
	return text.slice(-STORED_PUSHES * RECORD_LENGTH);
}
