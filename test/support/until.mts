// Waiting for a condition instead of for some time, and conditions that are promises.
import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for a condition, checking it every `everyMs`. Throws if it is not true in time. */
export async function until(
	what: string,
	isTrue: () => Promise<boolean> | boolean,
	withinMs = 30_000,
	everyMs = 20,
): Promise<void> {
	const endMs = Date.now() + withinMs;
	while (!(await isTrue())) {
		if (Date.now() > endMs) throw new Error(`Waited for ${what}, but not within ${withinMs / 1000} s.`);
		await sleep(everyMs);
	}
}

/** Whether a promise is fulfilled rather than rejected. */
export async function isFulfilled(promise: Promise<unknown>): Promise<boolean> {
	return await promise.then(
		() => true,
		() => false,
	);
}
