// Simulated time: it stands still until a test advances it.
import type { Clock } from '../../nodes/sobot/clock';

interface Sleeper {
	atMs: number;
	wake: () => void;
}

export class SimulatedClock implements Clock {
	private ms: number;
	private readonly sleepers: Sleeper[] = [];
	/** number of calls of `sleep`: a busy loop shows here */
	sleeps = 0;
	/** the value of `random()`; a test may change it */
	chance = 0.5;

	constructor(startMs = 1_700_000_000_000) {
		this.ms = startMs;
	}

	nowMs(): number {
		return this.ms;
	}

	/** difference between the wall clock and the monotonic one; a test may make it jump */
	wallOffsetMs = 0;

	epochMs(): number {
		return this.ms + this.wallOffsetMs;
	}

	random(): number {
		return this.chance;
	}

	async sleep(ms: number): Promise<void> {
		this.sleeps++;
		await new Promise<void>((wake) => this.sleepers.push({ atMs: this.ms + Math.max(0, ms), wake }));
	}

	/** Advances time, and wakes each sleeper at its moment. */
	async advance(ms: number): Promise<void> {
		const endMs = this.ms + ms;
		await settle();
		while (this.wakeNext(endMs)) await settle();
		this.ms = endMs;
		await settle();
	}

	/** Advances time to the next sleeper, and wakes it. False if there is none until `endMs`. */
	private wakeNext(endMs: number): boolean {
		this.sleepers.sort((a, b) => a.atMs - b.atMs);
		const next = this.sleepers[0];
		if (!next || next.atMs > endMs) return false;
		this.sleepers.shift();
		this.ms = next.atMs;
		next.wake();
		return true;
	}

	/** Advances time until a promise is settled, and returns its result. */
	async run<T>(promise: Promise<T>, withinMs = 3_600_000): Promise<T> {
		let isSettled = false;
		void promise.then(
			() => (isSettled = true),
			() => (isSettled = true),
		);
		const endMs = this.ms + withinMs;
		await settle();
		while (!isSettled && this.wakeNext(endMs)) await settle();
		if (!isSettled) throw new Error(`Not settled within ${withinMs} ms of simulated time.`);
		return await promise;
	}
}

/** Lets all promises that can settle do so. */
export async function settle(): Promise<void> {
	await new Promise<void>((resolve) => process.nextTick(resolve));
}
