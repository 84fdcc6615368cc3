// Time that stands still until a test moves it on.
import type { Clock } from '../../nodes/sobot/clock';

interface Sleeper {
	atMs: number;
	wake: () => void;
}

export class SimulatedClock implements Clock {
	private ms: number;
	private readonly sleepers: Sleeper[] = [];
	/** how often somebody went to sleep: a busy loop shows here */
	sleeps = 0;
	/** what `random` gives; a test may change it */
	chance = 0.5;

	constructor(startMs = 1_700_000_000_000) {
		this.ms = startMs;
	}

	nowMs(): number {
		return this.ms;
	}

	/** how far the wall clock is from the monotonic one; a test may let it jump */
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

	/** Moves time on, waking each sleeper at its moment. */
	async advance(ms: number): Promise<void> {
		const endMs = this.ms + ms;
		for (;;) {
			await settle();
			this.sleepers.sort((a, b) => a.atMs - b.atMs);
			const next = this.sleepers[0];
			if (!next || next.atMs > endMs) break;
			this.sleepers.shift();
			this.ms = next.atMs;
			next.wake();
		}
		this.ms = endMs;
		await settle();
	}

	/** Moves time on until a promise is settled, and gives its outcome. */
	async run<T>(promise: Promise<T>, withinMs = 3_600_000): Promise<T> {
		let isSettled = false;
		void promise.then(
			() => (isSettled = true),
			() => (isSettled = true),
		);
		const endMs = this.ms + withinMs;
		while (!isSettled && this.ms < endMs) {
			await settle();
			if (isSettled) break;
			this.sleepers.sort((a, b) => a.atMs - b.atMs);
			await this.advance(Math.max(0, (this.sleepers[0]?.atMs ?? endMs) - this.ms));
		}
		if (!isSettled) throw new Error(`Not settled within ${withinMs} ms of simulated time.`);
		return await promise;
	}
}

/** Lets all promises that can go on do so. */
export async function settle(): Promise<void> {
	for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}
