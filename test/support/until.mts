// Waiting for a condition instead of for some time.
import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for a condition, looking every `everyMs`. Throws when it has not come true in time. */
export async function until(
	what: string,
	isTrue: () => Promise<boolean> | boolean,
	withinMs = 30_000,
	everyMs = 20,
): Promise<void> {
	const endMs = Date.now() + withinMs;
	while (!(await isTrue())) {
		if (Date.now() > endMs) throw new Error(`Waited ${withinMs / 1000} s for ${what}, in vain.`);
		await sleep(everyMs);
	}
}
