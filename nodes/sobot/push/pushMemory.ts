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
/** How often a redelivery looks whether n8n has answered the push that it waits for, in ms. */
export const CHECK_EVERY_MS = 500;

/**
 * This module's part of a trigger's static data: a record for each push, without separators. n8n reads and writes it for each
 * push and stores it with each execution, so it is small, and a single string.
 */
export interface StoredMemory {
	acceptedPushes?: string;
}

/** The first part of a record: 66 bits of the delivery key, base64url. */
const KEY_LENGTH = 11;
/** The second part: when the push was accepted, in epoch ms, in base 36. Enough until the year 2059. */
const TIME_LENGTH = 8;

interface Accepted {
	readonly record: string;
	/** when this process itself accepted it, in monotonic ms: the wall clock may be set */
	readonly sinceMs?: number;
}

/** The pushes that one trigger has accepted or let through, as far as this process knows. */
export class PushMemory {
	/** accepted pushes, by the first part of their record; those that this process knew first come first */
	private readonly accepted = new Map<string, Accepted>();
	/** when pushes were let through that n8n has not answered, in monotonic ms, by the same key */
	private readonly pending = new Map<string, number>();
	/** how long an accepted push counts */
	private windowMs = 0;

	constructor(private readonly clock: Clock) {}

	/**
	 * Lets a push through, unless it is a redelivery. A redelivery of a pending push waits for the answer to that one: if
	 * n8n has accepted it, so is this one, and otherwise this one is let through in its place.
	 *
	 * @param deliveryKey in hex
	 * @returns undefined for a redelivery. Otherwise what must be called when n8n answers, with whether n8n has accepted the
	 * push. Only the first call counts.
	 */
	async letThrough(
		deliveryKey: string,
		stored: StoredMemory,
		windowMs: number,
	): Promise<((isAccepted: boolean) => void) | undefined> {
		const key = Buffer.from(deliveryKey, 'hex').toString('base64url').slice(0, KEY_LENGTH);
		this.windowMs = windowMs;
		this.load(stored);
		while (!this.hasAccepted(key) && this.isPending(key)) await this.clock.sleep(CHECK_EVERY_MS);
		if (this.hasAccepted(key)) return undefined;
		const sinceMs = this.clock.nowMs();
		this.pending.set(key, sinceMs);
		let isAnswered = false;
		return (isAccepted) => {
			if (isAnswered) return;
			isAnswered = true;
			if (this.pending.get(key) === sinceMs) this.pending.delete(key);
			if (isAccepted) this.remember(key, stored);
		};
	}

	/** Whether this push was accepted within the window, as far as this process knows. */
	private hasAccepted(key: string): boolean {
		return this.isCurrent(this.accepted.get(key) ?? { record: '' });
	}

	/** A push of the future was accepted before the wall clock was set back. It does not count: it might for days. */
	private isCurrent({ record, sinceMs }: Accepted): boolean {
		if (sinceMs !== undefined) return this.clock.nowMs() - sinceMs < this.windowMs;
		return Math.abs(this.clock.epochMs() - parseInt(record.slice(KEY_LENGTH), 36)) < this.windowMs;
	}

	/** n8n never answers a push whose execution is stopped while it waits for its slot. It must not block its like. */
	private isPending(key: string): boolean {
		const sinceMs = this.pending.get(key) ?? -Infinity;
		return this.clock.nowMs() - sinceMs < Math.max(this.windowMs, RESENT_WITHIN_MS);
	}

	/** Adds what other processes have accepted. A writer appends its own push last: if that one is known, so are the rest. */
	private load({ acceptedPushes: stored = '' }: StoredMemory): void {
		const length = KEY_LENGTH + TIME_LENGTH;
		if (this.hasAccepted(stored.slice(-length, -TIME_LENGTH))) return;
		for (let start = 0; start < stored.length; start += length) {
			const key = stored.slice(start, start + KEY_LENGTH);
			const record = stored.slice(start, start + length);
			if (this.isCurrent({ record }) && !this.hasAccepted(key)) this.add(key, { record });
		}
	}

	/** Remembers a push that n8n has accepted, and forgets those that are too old or too many. */
	private remember(acceptedKey: string, stored: StoredMemory): void {
		const time = this.clock.epochMs().toString(36).padStart(TIME_LENGTH, '0');
		this.add(acceptedKey, { record: acceptedKey + time, sinceMs: this.clock.nowMs() });
		for (const [key, one] of this.accepted) {
			if (this.accepted.size <= REMEMBERED_PUSHES && this.isCurrent(one)) break;
			this.accepted.delete(key);
		}
		const latest = [...this.accepted.values()].slice(-STORED_PUSHES);
		stored.acceptedPushes = latest.map(({ record }) => record).join('');
	}

	/** Behind all others, also where an older record of the same push is there. */
	private add(key: string, one: Accepted): void {
		this.accepted.delete(key);
		this.accepted.set(key, one);
	}
}
