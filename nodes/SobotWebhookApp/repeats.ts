// Is this push a repeat? Sobot repeats, byte for byte, what was not acknowledged in time, and gives a push no ID. The
// memory is n8n's static data of the workflow, which n8n saves when it answers: what it did not take on is not in it.

/** When pushes were taken, epoch milliseconds, by their delivery key; the oldest first. */
export type TakenPushes = Readonly<Record<string, number>>;

/** How many pushes are remembered. With more in the window, a repeat of the oldest starts the workflow again. */
export const REMEMBERED_PUSHES = 1000;

/** 128 bits tell bodies apart, and keep what n8n stores small. */
const KEY_LENGTH = 32;

export function isRepeat(taken: TakenPushes, deliveryKey: string, nowMs: number, windowMs: number): boolean {
	const takenAtMs = taken[deliveryKey.slice(0, KEY_LENGTH)];
	return takenAtMs !== undefined && nowMs - takenAtMs < windowMs;
}

/** The memory with one more push, and without those that are too old or too many. */
export function withPush(
	taken: TakenPushes,
	deliveryKey: string,
	nowMs: number,
	windowMs: number,
): TakenPushes {
	const key = deliveryKey.slice(0, KEY_LENGTH);
	const kept = Object.entries(taken).filter(([other, atMs]) => other !== key && nowMs - atMs < windowMs);
	return Object.fromEntries([...kept, [key, nowMs] as const].slice(-REMEMBERED_PUSHES));
}
