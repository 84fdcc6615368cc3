// Keeps a long batch from blocking n8n's event loop.
import { sleep } from 'n8n-workflow';
import { systemClock } from '../../sobot/clock';

/** Longest time to block the event loop, in ms: docs/n8n-behavior.md, X13. */
const LONGEST_BLOCK_MS = 50;

/** Runs `work` for each index, and yields to n8n's event loop in between. */
export async function forEachIndex(
	count: number,
	work: (index: number) => Promise<void> | void,
): Promise<void> {
	let sinceMs = systemClock.nowMs();
	for (let index = 0; index < count; index++) {
		// Awaiting a value that is not a promise would cost a microtask for each item.
		const working = work(index);
		if (working) await working;
		if (systemClock.nowMs() - sinceMs < LONGEST_BLOCK_MS) continue;
		await sleep(0);
		sinceMs = systemClock.nowMs();
	}
}
