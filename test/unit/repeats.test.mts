import { deliveryKeyOf } from '../../nodes/SobotWebhookApp/parsePush';
import { isRepeat, REMEMBERED_PUSHES, withPush, type TakenPushes } from '../../nodes/SobotWebhookApp/repeats';

const MINUTE_MS = 60_000;
const key = (id: number) => deliveryKeyOf({ id: String(id) });

test('an equal body within the window is a repeat, another or a later one is not', () => {
	const taken = withPush({}, key(1), 0, 10 * MINUTE_MS);
	expect(isRepeat(taken, key(1), 10 * MINUTE_MS - 1, 10 * MINUTE_MS)).toBe(true);
	expect(isRepeat(taken, key(1), 10 * MINUTE_MS, 10 * MINUTE_MS)).toBe(false);
	expect(isRepeat(taken, key(2), 1, 10 * MINUTE_MS)).toBe(false);
	expect(isRepeat({}, key(1), 1, 10 * MINUTE_MS)).toBe(false);
});

test('remembers the latest pushes, and no more than it says, however many come by', () => {
	let taken: TakenPushes = {};
	for (let i = 0; i < 3 * REMEMBERED_PUSHES; i++) taken = withPush(taken, key(i), i, 60 * MINUTE_MS);
	expect(Object.keys(taken).length).toBe(REMEMBERED_PUSHES);
	expect(isRepeat(taken, key(3 * REMEMBERED_PUSHES - 1), 5000, 60 * MINUTE_MS)).toBe(true);
	expect(isRepeat(taken, key(2 * REMEMBERED_PUSHES), 5000, 60 * MINUTE_MS)).toBe(true);
	expect(isRepeat(taken, key(2 * REMEMBERED_PUSHES - 1), 5000, 60 * MINUTE_MS)).toBe(false);
	expect(JSON.stringify(taken).length).toBeLessThan(60_000);
});

test('forgets what is older than the window', () => {
	const taken = withPush(withPush({}, key(1), 0, MINUTE_MS), key(2), 2 * MINUTE_MS, MINUTE_MS);
	expect(Object.values(taken)).toEqual([2 * MINUTE_MS]);
});
