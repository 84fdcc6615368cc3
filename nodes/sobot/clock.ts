// Time and randomness, injected wherever they matter, so that tests run in simulated time.
import { sleep } from 'n8n-workflow';

/** A source of time and randomness. */
export interface Clock {
	/** Milliseconds since this process started. Never goes backwards, whatever happens to the wall clock. */
	nowMs(): number;
	/** Epoch milliseconds by the wall clock, which may jump. Only for times that other machines or processes read. */
	epochMs(): number;
	/** Resolves after `ms` milliseconds. */
	sleep(ms: number): Promise<void>;
	/** A number of at least 0 and below 1. */
	random(): number;
}

/** This machine's clocks, and n8n's own `sleep`. */
export const systemClock: Clock = {
	nowMs: () => performance.now(),
	epochMs: () => Date.now(),
	sleep,
	random: () => Math.random(),
};
