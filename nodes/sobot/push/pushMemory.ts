// Room `push`: which pushes are redeliveries, and how pushes are answered. Sobot resends a push, byte for byte, if it was not
// acknowledged in time, and gives it no ID. Pending pushes, which n8n has not answered yet (docs/n8n-behavior.md, W13), are
// remembered in this process only; accepted ones also in static data (W4), for restarts and other processes.
import type { Clock } from '../clock';

/** Sobot resends a push after 1 minute and again after 5, counted from answers that may take a while, and then no more. */
export const RESENT_WITHIN_MS = 10 * 60_000;
/** How many accepted pushes a process remembers. With more in the window, a redelivery of the oldest starts the workflow again. */
export const REMEMBERED_PUSHES = 10_000;
/** How many of them static data holds: the latest, since a push that a restart left unacknowledged came just before. */
export const STORED_PUSHES = 300;

/**
 * This module's part of a trigger's static data: one record per push, oldest first. n8n reads and writes it for each push
 * and stores it with each execution, so it is small, and a single string.
 */
export interface StoredMemory {
	acceptedPushes?: string;
}

/** The first field of a record: 66 bits of the delivery key, base64url. */
const KEY_LENGTH = 11;
/** The second field: when the push was accepted, epoch milliseconds in base 36. Enough until the year 2059. */
const TIME_LENGTH = 8;
/** Records follow each other without separators. */
const RECORD_LENGTH = KEY_LENGTH + TIME_LENGTH;
/** Matches each record of a text. */
const RECORD = new RegExp(`.{${RECORD_LENGTH}}`, 'g');

/** How far the clocks of two machines may differ. A record further ahead means that the wall clock was set back. */
const CLOCK_SKEW_MS = 5_000;

/** When a push was accepted. */
interface Acceptance {
	/** monotonic milliseconds of this process: ages are counted from here */
	acceptedMs: number;
	/** epoch milliseconds, as stored: identifies the record, and dates it for other processes */
	epochMs: number;
}

/** A push that was let through, and that n8n has not answered yet. */
interface Pending {
	/** monotonic milliseconds of this process */
	sinceMs: number;
	/** whether n8n has accepted the push; resolves when n8n answers */
	isAccepted: Promise<boolean>;
}

/** The pushes that one trigger has accepted or let through, as far as this process knows. */
export class PushMemory {
	/** by delivery key, oldest first */
	private readonly pending = new Map<string, Pending>();
	/** oldest first */
	private accepted = new Map<string, Acceptance>();
	/** when the newest push was accepted, in ms of the monotonic clock */
	private newestMs = -Infinity;
	/** how long the newest push counts */
	private windowMs = 0;

	constructor(private readonly clock: Clock) {}

	/**
	 * Lets a push through, unless it is a redelivery. A redelivery of a pending push waits for the answer to that one: if
	 * n8n has accepted it, so is this one, and otherwise this one is let through in its place.
	 *
	 * @returns undefined for a redelivery. Otherwise what must be called when n8n answers, with whether n8n has accepted the
	 * push.
	 */
	async letThrough(
		deliveryKey: string,
		stored: StoredMemory,
		windowMs: number,
	): Promise<((isAccepted: boolean) => void) | undefined> {
		for (;;) {
			if (this.has(deliveryKey, stored, windowMs)) return undefined;
			const longestMs = Math.max(windowMs, RESENT_WITHIN_MS);
			this.forgetUnanswered(longestMs);
			const earlier = this.pending.get(deliveryKey);
			if (!earlier) break;
			const leftMs = earlier.sinceMs + longestMs - this.clock.nowMs();
			// No timer holds a window of weeks.
			const isTooLate = this.clock.sleep(Math.min(leftMs, RESENT_WITHIN_MS)).then(() => false);
			if (await Promise.race([earlier.isAccepted, isTooLate])) return undefined;
		}
		let settle: (isAccepted: boolean) => void;
		const isAccepted = new Promise<boolean>((resolve) => (settle = resolve));
		const pending: Pending = { sinceMs: this.clock.nowMs(), isAccepted };
		this.pending.set(deliveryKey, pending);
		return (isPushAccepted) => {
			if (isPushAccepted) this.remember(deliveryKey, stored, windowMs);
			if (this.pending.get(deliveryKey) === pending) this.pending.delete(deliveryKey);
			settle(isPushAccepted);
		};
	}

	/** n8n never answers a push whose execution is stopped while it waits for its slot. It must not block its like. */
	private forgetUnanswered(afterMs: number): void {
		for (const [deliveryKey, { sinceMs }] of this.pending) {
			if (this.clock.nowMs() - sinceMs < afterMs) break;
			this.pending.delete(deliveryKey);
		}
	}

	/** Whether this push is known to have been accepted within the window. */
	private has(deliveryKey: string, stored: StoredMemory, windowMs: number): boolean {
		this.load(stored, windowMs);
		const acceptance = this.accepted.get(keyOf(deliveryKey));
		return acceptance !== undefined && this.clock.nowMs() - acceptance.acceptedMs < windowMs;
	}

	/** Remembers a push that n8n has accepted, and forgets those that are too old or too many. */
	private remember(deliveryKey: string, stored: StoredMemory, windowMs: number): void {
		this.load(stored, windowMs);
		const key = keyOf(deliveryKey);
		const acceptance = { acceptedMs: this.clock.nowMs(), epochMs: this.clock.epochMs() };
		this.accepted.delete(key);
		this.accept(key, acceptance, windowMs);
		for (const [oldest, { acceptedMs }] of this.accepted) {
			if (this.accepted.size <= REMEMBERED_PUSHES && acceptance.acceptedMs - acceptedMs < windowMs) break;
			this.accepted.delete(oldest);
		}
		stored.acceptedPushes = this.latestRecords(acceptance.acceptedMs - windowMs);
	}

	/** True once no push is pending and every push is older than the window: a new memory would know as much. */
	get isIdle(): boolean {
		return this.pending.size === 0 && this.clock.nowMs() - this.newestMs >= this.windowMs;
	}

	/** Merges the pushes of other processes. A writer appends its own push last: if that one is known, so are the rest. */
	private load(stored: StoredMemory, windowMs: number): void {
		const { acceptedPushes } = stored;
		if (!acceptedPushes || this.knows(acceptedPushes.slice(-RECORD_LENGTH))) return;
		for (const record of acceptedPushes.match(RECORD) ?? []) this.loadRecord(record, windowMs);
		this.accepted = new Map(
			[...this.accepted].sort(([, one], [, other]) => one.acceptedMs - other.acceptedMs),
		);
	}

	private loadRecord(record: string, windowMs: number): void {
		if (this.knows(record)) return;
		const [nowMs, epochMs] = [this.clock.nowMs(), this.clock.epochMs()];
		const { key, acceptedEpochMs } = read(record);
		const known = this.accepted.get(key);
		if (acceptedEpochMs - epochMs > CLOCK_SKEW_MS) {
			// Counts as accepted now, once, and is stored with this date from here on.
			if (!known) this.accept(key, { acceptedMs: nowMs, epochMs }, windowMs);
			return;
		}
		const acceptedMs = nowMs - Math.max(0, epochMs - acceptedEpochMs);
		if (nowMs - acceptedMs < windowMs && acceptedMs > (known?.acceptedMs ?? -Infinity))
			this.accept(key, { acceptedMs, epochMs: acceptedEpochMs }, windowMs);
	}

	private accept(key: string, acceptance: Acceptance, windowMs: number): void {
		this.accepted.set(key, acceptance);
		this.newestMs = Math.max(this.newestMs, acceptance.acceptedMs);
		this.windowMs = windowMs;
	}

	private knows(record: string): boolean {
		const { key, acceptedEpochMs } = read(record);
		return this.accepted.get(key)?.epochMs === acceptedEpochMs;
	}

	/** The records to store: the latest pushes that were accepted after this moment. */
	private latestRecords(sinceMs: number): string {
		return [...this.accepted.keys()]
			.slice(-STORED_PUSHES)
			.map((key) => {
				const acceptance = this.accepted.get(key);
				return acceptance && acceptance.acceptedMs > sinceMs ? write(key, acceptance.epochMs) : '';
			})
			.join('');
	}
}

function keyOf(deliveryKey: string): string {
	return Buffer.from(deliveryKey, 'hex').toString('base64url').slice(0, KEY_LENGTH);
}

function write(key: string, acceptedEpochMs: number): string {
	return key + acceptedEpochMs.toString(36).padStart(TIME_LENGTH, '0');
}

function read(record: string): { key: string; acceptedEpochMs: number } {
	return { key: record.slice(0, KEY_LENGTH), acceptedEpochMs: parseInt(record.slice(KEY_LENGTH), 36) };
}
