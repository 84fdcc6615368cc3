// Is this push a repeat? Sobot repeats, byte for byte, what was not acknowledged in time, and gives a push no ID. What was
// taken is remembered in n8n's static data of the workflow, for restarts and other processes, and in this process, since
// pushes that come together overwrite each other in static data.

/** How many pushes are remembered. With more in the window, a repeat of the oldest starts the workflow again. */
export const REMEMBERED_PUSHES = 1000;

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

interface TakenPush {
	key: string;
	atMs: number;
}

/** What this process knows of a trigger's pushes: when each was taken, by its key, and the same as it is stored. */
interface Memory {
	taken: Map<string, number>;
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
		const push = { key: keyOf(deliveryKey), atMs: nowMs };
		taken.set(push.key, nowMs);
		const text = memory.text + write(push);
		let at = 0;
		for (; at < text.length; at += RECORD_LENGTH) {
			const { key, atMs } = read(text, at);
			if (text.length - at <= REMEMBERED_PUSHES * RECORD_LENGTH && nowMs - atMs < this.windowMs) break;
			if (taken.get(key) === atMs) taken.delete(key);
		}
		memory.text = text.slice(at);
		this.staticData.takenPushes = memory.text;
	}

	/** What this process knows, with what others have stored. */
	private memory(): Memory {
		const memory = memories.get(this.trigger) ?? { taken: new Map<string, number>(), text: '' };
		memories.set(this.trigger, memory);
		const { takenPushes: stored = '' } = this.staticData;
		if (stored && !isKnown(memory, stored)) {
			const pushes = [...readAll(memory.text), ...readAll(stored)].sort((a, b) => a.atMs - b.atMs);
			memory.taken = new Map();
			for (const { key, atMs } of pushes) {
				memory.taken.delete(key);
				memory.taken.set(key, atMs);
			}
			memory.text = [...memory.taken].map(([key, atMs]) => write({ key, atMs })).join('');
		}
		return memory;
	}
}

/** Who stores puts its own push last: if this process knows that one, it has written or read all of it. */
function isKnown({ taken }: Memory, stored: string): boolean {
	const { key, atMs } = read(stored, stored.length - RECORD_LENGTH);
	return taken.get(key) === atMs;
}

function keyOf(deliveryKey: string): string {
	return Buffer.from(deliveryKey, 'hex').toString('base64url').slice(0, KEY_LENGTH);
}

function write({ key, atMs }: TakenPush): string {
	return key + atMs.toString(36).padStart(TIME_LENGTH, '0');
}

function read(text: string, at: number): TakenPush {
	const timeAt = at + KEY_LENGTH;
	return { key: text.slice(at, timeAt), atMs: parseInt(text.slice(timeAt, at + RECORD_LENGTH), 36) };
}

function readAll(text: string): TakenPush[] {
	return Array.from({ length: text.length / RECORD_LENGTH }, (_, index) => read(text, index * RECORD_LENGTH));
}
