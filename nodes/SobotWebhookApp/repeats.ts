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

/** 96 bits of the delivery key, base64url, */
const KEY_LENGTH = 16;
/** and when it was taken, epoch milliseconds in base 36: enough until the year 2059. */
const TIME_LENGTH = 8;
const RECORD_LENGTH = KEY_LENGTH + TIME_LENGTH;

/** When pushes were taken, epoch milliseconds, by the key of their record; the oldest first. */
type TakenPushes = Map<string, number>;

interface Memory {
	taken: TakenPushes;
	/** what static data held when this process last looked or wrote */
	stored: string;
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
		const takenAtMs = this.memory().taken.get(recordKey(deliveryKey));
		return takenAtMs !== undefined && nowMs - takenAtMs < this.windowMs;
	}

	/** Remembers a push that n8n has taken on, and forgets those that are too old or too many. */
	keep(deliveryKey: string, nowMs: number): void {
		const memory = this.memory();
		const { taken } = memory;
		add(taken, recordKey(deliveryKey), nowMs);
		for (const [key, takenAtMs] of taken) {
			if (taken.size <= REMEMBERED_PUSHES && nowMs - takenAtMs < this.windowMs) break;
			taken.delete(key);
		}
		memory.stored = write(taken);
		this.staticData.takenPushes = memory.stored;
	}

	/** What this process knows, with what others have stored since it last looked. */
	private memory(): Memory {
		const memory = memories.get(this.trigger) ?? { taken: new Map<string, number>(), stored: '' };
		memories.set(this.trigger, memory);
		const { takenPushes: stored = '' } = this.staticData;
		if (stored !== memory.stored) {
			const all = [...memory.taken, ...read(stored)].sort(([, a], [, b]) => a - b);
			memory.taken = new Map();
			for (const [key, takenAtMs] of all) add(memory.taken, key, takenAtMs);
			memory.stored = stored;
		}
		return memory;
	}
}

function recordKey(deliveryKey: string): string {
	return Buffer.from(deliveryKey, 'hex').toString('base64url').slice(0, KEY_LENGTH);
}

/** Adds as the latest. */
function add(taken: TakenPushes, key: string, takenAtMs: number): void {
	taken.delete(key);
	taken.set(key, takenAtMs);
}

function write(taken: TakenPushes): string {
	return [...taken]
		.map(([key, takenAtMs]) => key + takenAtMs.toString(36).padStart(TIME_LENGTH, '0'))
		.join('');
}

function read(stored: string): Array<[key: string, takenAtMs: number]> {
	return Array.from({ length: Math.floor(stored.length / RECORD_LENGTH) }, (_, index) => {
		const record = stored.slice(index * RECORD_LENGTH, (index + 1) * RECORD_LENGTH);
		return [record.slice(0, KEY_LENGTH), parseInt(record.slice(KEY_LENGTH), 36)];
	});
}
