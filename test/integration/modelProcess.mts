// Simulated time for the whole package, and processes in it that can be killed at each step.
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
			await process?.step();
		},
	});
	return clock;
}

/** One process of n8n. Its code ends at the first step after its death. */
export class ModelProcess {
	isDead = false;
	private readonly stepWatch = new Set<() => void>();
	private readonly deathWatch = new Set<() => void>();

	/** @param name tells what the package keeps for one process from what it keeps for others */
	constructor(readonly name: string) {}

	run<Result>(work: () => Promise<Result>): Promise<Result> {
		return running.run(this, work);
	}

	/** A step: the end of a pause, or a read or write that begins or ends. Resolves never if the process is dead. */
	async step(): Promise<void> {
		for (const watch of this.stepWatch) watch();
		if (this.isDead) await new Promise(() => {});
	}

	/** Has a function called at each step, until the returned one is called. */
	atStep(watch: () => void): () => void {
		this.stepWatch.add(watch);
		return () => this.stepWatch.delete(watch);
	}

	/** Has a function called when the process is killed, unless the returned one is called before. */
	atDeath(watch: () => void): () => void {
		this.deathWatch.add(watch);
		return () => this.deathWatch.delete(watch);
	}

	kill(): void {
		if (this.isDead) return;
		this.isDead = true;
		for (const watch of [...this.deathWatch]) watch();
	}
}
