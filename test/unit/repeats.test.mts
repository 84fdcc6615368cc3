import { deliveryKeyOf } from '../../nodes/SobotWebhookApp/parsePush';
import {
	RepeatMemory,
	REMEMBERED_PUSHES,
	STORED_PUSHES,
	type StoredMemory,
} from '../../nodes/SobotWebhookApp/repeats';

const MINUTE_MS = 60_000;
const key = (id: number) => deliveryKeyOf({ id: String(id) });
/** Static data as n8n reads it for each push. */
const read = (saved: StoredMemory) => structuredClone(saved);

let triggers = 0;
/** A trigger that this process has not seen: as after a restart, or in another process. */
const unseen = () => `trigger ${triggers++}`;

test('an equal body within the window is a repeat, another or a later one is not', () => {
	const memory = new RepeatMemory(unseen(), {}, 10 * MINUTE_MS);
	expect(memory.holds(key(1), 0)).toBe(false);
	memory.keep(key(1), 0);
	expect(memory.holds(key(1), 10 * MINUTE_MS - 1)).toBe(true);
	expect(memory.holds(key(1), 10 * MINUTE_MS)).toBe(false);
	expect(memory.holds(key(2), 1)).toBe(false);
});

test.each([
	['this process', REMEMBERED_PUSHES, (trigger: string) => trigger],
	['another, or n8n once restarted,', STORED_PUSHES, () => unseen()],
])('%s remembers the latest %i pushes, and no more, however many come by', (_, remembered, process) => {
	const [trigger, saved] = [unseen(), {} as StoredMemory];
	const memory = new RepeatMemory(trigger, saved, 60 * MINUTE_MS);
	const last = REMEMBERED_PUSHES + 1000;
	for (let i = 0; i <= last; i++) memory.keep(key(i), i);
	const later = new RepeatMemory(process(trigger), read(saved), 60 * MINUTE_MS);
	expect(later.holds(key(last), last)).toBe(true);
	expect(later.holds(key(last - remembered + 1), last)).toBe(true);
	expect(later.holds(key(last - remembered), last)).toBe(false);
	expect(JSON.stringify(saved).length).toBeLessThan(6000);
});

test('a process remembers what others stored, in whatever order the pushes came', () => {
	const [here, there] = [unseen(), unseen()];
	let saved: StoredMemory = {};
	for (let i = 0; i < 3 * STORED_PUSHES; i++) {
		saved = read(saved);
		new RepeatMemory(i % 3 ? here : there, saved, MINUTE_MS).keep(key(i), i);
	}
	for (const trigger of [here, there]) {
		const memory = new RepeatMemory(trigger, saved, MINUTE_MS);
		const held = Array.from({ length: 3 * STORED_PUSHES }, (_, i) => memory.holds(key(i), 3 * STORED_PUSHES));
		expect(held).not.toContain(false);
	}
});

test('forgets what is older than the window', () => {
	const saved: StoredMemory = {};
	const memory = new RepeatMemory(unseen(), saved, MINUTE_MS);
	memory.keep(key(1), 0);
	const { length } = saved.takenPushes ?? '';
	memory.keep(key(2), 2 * MINUTE_MS);
	expect(saved.takenPushes?.length).toBe(length);
});

test('holds pushes that came together, though the one that is saved last overwrites the other', () => {
	const [trigger, first, second] = [unseen(), read({}), read({})];
	new RepeatMemory(trigger, first, MINUTE_MS).keep(key(1), 0);
	new RepeatMemory(trigger, second, MINUTE_MS).keep(key(2), 1);
	const later = new RepeatMemory(trigger, read(first), MINUTE_MS);
	expect([1, 2, 3].map((id) => later.holds(key(id), 2))).toEqual([true, true, false]);
	const restarted = new RepeatMemory(unseen(), read(second), MINUTE_MS);
	expect([1, 2, 3].map((id) => restarted.holds(key(id), 2))).toEqual([true, true, false]);
});

test('two processes that store in turns know of each other, at the moments at which pushes were taken', () => {
	const [here, there] = [unseen(), unseen()];
	let saved: StoredMemory = {};
	for (const [trigger, id] of [
		[here, 1],
		[there, 2],
		[here, 3],
	] as const) {
		saved = read(saved);
		new RepeatMemory(trigger, saved, MINUTE_MS).keep(key(id), 1_800_000_000_000 + id);
	}
	const memory = new RepeatMemory(there, saved, MINUTE_MS);
	const atMs = 1_800_000_000_000 + MINUTE_MS;
	expect([1, 2, 3].map((id) => memory.holds(key(id), atMs + 2))).toEqual([false, false, true]);
	expect([1, 2, 3].map((id) => memory.holds(key(id), atMs))).toEqual([true, true, true]);
});

test('does not hold what another trigger has taken', () => {
	new RepeatMemory(unseen(), {}, MINUTE_MS).keep(key(1), 0);
	expect(new RepeatMemory(unseen(), {}, MINUTE_MS).holds(key(1), 1)).toBe(false);
});
