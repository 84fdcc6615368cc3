// Time and chance, handed in wherever they matter, so that tests run in simulated time.
import { sleep } from 'n8n-workflow';

export interface Clock {
	/** epoch milliseconds */
	nowMs(): number;
	/** resolves after `ms` milliseconds */
	sleep(ms: number): Promise<void>;
	/** at least 0, below 1 */
	random(): number;
}

/** This machine's clock, and n8n's own `sleep`. */
export const systemClock: Clock = { nowMs: () => Date.now(), sleep, random: () => Math.random() };
