// Simulated time for the whole package, and processes in it that can be killed.
import { AsyncLocalStorage } from 'node:async_hooks';
import { systemClock } from '../../nodes/sobot/clock';
import { seeded } from '../bench/simulation.mts';
import { SimulatedClock } from '../support/clock.mts';

/** Simulated time with chance that is the same for the same seed. */
class SeededClock extends SimulatedClock {
	override readonly random: () => number;

	constructor(seed: number) {
		super();
		this.random = seeded(seed);
	}
}

/** The process whose code is running, if any. */
const running = new AsyncLocalStorage<ModelProcess>();

/** Gives the whole package another clock. Until it is called again, `systemClock` is this one. */
export function useSeededClock(seed: number): SimulatedClock {
	const clock = new SeededClock(seed);
	Object.assign(systemClock, {
		nowMs: () => clock.nowMs(),
		epochMs: () => clock.epochMs(),
		random: () => clock.random(),
		sleep: async (ms: number) => {
			const process = running.getStore();
			await clock.sleep(ms);
			await process?.alive();
		},
	});
	return clock;
}

/** One process of n8n. Its code ends at the first pause, read or write after its death. */
export class ModelProcess {
	isDead = false;
	private readonly deathWatch: Array<() => void> = [];

	/** @param name tells what the package keeps for one process from what it keeps for others */
	constructor(readonly name: string) {}

	run<Result>(work: () => Promise<Result>): Promise<Result> {
		return running.run(this, work);
	}

	/** Resolves at once, or never if the process is dead. */
	async alive(): Promise<void> {
		if (this.isDead) await new Promise(() => {});
	}

	atDeath(work: () => void): void {
		this.deathWatch.push(work);
	}

	kill(): void {
		this.isDead = true;
		for (const work of this.deathWatch) work();
	}
}
