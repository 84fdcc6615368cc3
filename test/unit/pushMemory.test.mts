import { deliveryKeyOf } from '../../nodes/SobotWebhookApp/parsePush';
import {
	PushMemory,
	REMEMBERED_PUSHES,
	STORED_PUSHES,
	type StoredMemory,
} from '../../nodes/sobot/pushMemory';
import { SimulatedClock } from '../support/clock.mts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const key = (id: number) => deliveryKeyOf({ id: String(id) });
/** Static data as n8n reads it for each push. */
const read = (saved: StoredMemory) => structuredClone(saved);

let clock: SimulatedClock;
beforeEach(() => (clock = new SimulatedClock()));

/** A process that has seen nothing yet: after a restart, or another one. */
const newProcess = () => new PushMemory(clock);

test('an equal body within the window is a duplicate, another or a later one is not', async () => {
	const [memory, saved] = [newProcess(), {}];
	expect(memory.has(key(1), saved, 10 * MINUTE_MS)).toBe(false);
	memory.remember(key(1), saved, 10 * MINUTE_MS);
	await clock.advance(10 * MINUTE_MS - 1);
	expect(memory.has(key(1), saved, 10 * MINUTE_MS)).toBe(true);
	expect(memory.has(key(2), saved, 10 * MINUTE_MS)).toBe(false);
	await clock.advance(1);
	expect(memory.has(key(1), saved, 10 * MINUTE_MS)).toBe(false);
});

test.each([
	['the same process', REMEMBERED_PUSHES, (memory: PushMemory) => memory],
	['another process, or n8n after a restart,', STORED_PUSHES, () => newProcess()],
])('%s remembers the latest %i pushes and no more', (_, remembered, later) => {
	const [memory, saved] = [newProcess(), {} as StoredMemory];
	const last = REMEMBERED_PUSHES + 1000;
	for (let i = 0; i <= last; i++) memory.remember(key(i), saved, HOUR_MS);
	const [reader, stored] = [later(memory), read(saved)];
	expect(reader.has(key(last), stored, HOUR_MS)).toBe(true);
	expect(reader.has(key(last - remembered + 1), stored, HOUR_MS)).toBe(true);
	expect(reader.has(key(last - remembered), stored, HOUR_MS)).toBe(false);
	expect(JSON.stringify(saved).length).toBeLessThan(6000);
});

test('a process remembers what others stored, in whatever order the pushes came', async () => {
	const [here, there] = [newProcess(), newProcess()];
	let saved: StoredMemory = {};
	for (let i = 0; i < 3 * STORED_PUSHES; i++) {
		saved = read(saved);
		(i % 3 ? here : there).remember(key(i), saved, MINUTE_MS);
		if (i % 50 === 0) await clock.advance(1);
	}
	for (const memory of [here, there]) {
		const held = Array.from({ length: 3 * STORED_PUSHES }, (_, i) => memory.has(key(i), saved, MINUTE_MS));
		expect(held).not.toContain(false);
	}
});

test('forgets what is older than the window', async () => {
	const [memory, saved] = [newProcess(), {} as StoredMemory];
	memory.remember(key(1), saved, MINUTE_MS);
	const { length } = saved.acceptedPushes ?? '';
	await clock.advance(2 * MINUTE_MS);
	memory.remember(key(2), saved, MINUTE_MS);
	expect(saved.acceptedPushes?.length).toBe(length);
});

test('a window too short for the clock to measure forgets everything at once', () => {
	const [memory, saved] = [newProcess(), {} as StoredMemory];
	memory.remember(key(1), saved, 1e-9);
	expect(saved.acceptedPushes).toBe('');
	expect(memory.has(key(2), saved, 1e-9)).toBe(false);
});

test('knows concurrent pushes, though the one that is saved last overwrites the other', () => {
	const [memory, first, second] = [newProcess(), read({}), read({})];
	memory.remember(key(1), first, MINUTE_MS);
	memory.remember(key(2), second, MINUTE_MS);
	expect([1, 2, 3].map((id) => memory.has(key(id), read(first), MINUTE_MS))).toEqual([true, true, false]);
	const restarted = newProcess();
	expect([1, 2, 3].map((id) => restarted.has(key(id), read(second), MINUTE_MS))).toEqual([true, true, false]);
});

test('two processes that store in turns know of each other, at the moments at which pushes were accepted', async () => {
	const [here, there] = [newProcess(), newProcess()];
	let saved: StoredMemory = {};
	for (const [memory, id] of [
		[here, 1],
		[there, 2],
		[here, 3],
	] as const) {
		await clock.advance(1);
		saved = read(saved);
		memory.remember(key(id), saved, MINUTE_MS);
	}
	await clock.advance(MINUTE_MS - 3);
	const known = () => [1, 2, 3].map((id) => there.has(key(id), saved, MINUTE_MS));
	expect(known()).toEqual([true, true, true]);
	await clock.advance(2);
	expect(known()).toEqual([false, false, true]);
});

describe('when the wall clock jumps', () => {
	test.each([-HOUR_MS, HOUR_MS])('by %i ms: the process that accepted a push counts on', async (jumpMs) => {
		const [memory, saved] = [newProcess(), {} as StoredMemory];
		memory.remember(key(1), saved, 10 * MINUTE_MS);
		clock.wallOffsetMs = jumpMs;
		await clock.advance(10 * MINUTE_MS - 1);
		expect(memory.has(key(1), read(saved), 10 * MINUTE_MS)).toBe(true);
		await clock.advance(1);
		expect(memory.has(key(1), read(saved), 10 * MINUTE_MS)).toBe(false);
	});

	test('back: another process takes a stored push for just accepted, and for one window only', async () => {
		const saved: StoredMemory = {};
		newProcess().remember(key(1), saved, 10 * MINUTE_MS);
		clock.wallOffsetMs = -15 * HOUR_MS;
		const later = newProcess();
		for (let minute = 0; minute < 10; minute++) {
			expect(later.has(key(1), read(saved), 10 * MINUTE_MS)).toBe(true);
			await clock.advance(MINUTE_MS);
		}
		expect(later.has(key(1), read(saved), 10 * MINUTE_MS)).toBe(false);
	});

	test('back: processes that store in turns do not keep a push alive for each other', async () => {
		let saved: StoredMemory = {};
		newProcess().remember(key(1), saved, 10 * MINUTE_MS);
		clock.wallOffsetMs = -HOUR_MS;
		const processes = [newProcess(), newProcess()];
		for (let minute = 0; minute < 30; minute++) {
			saved = read(saved);
			processes[minute % 2]?.remember(key(100 + minute), saved, 10 * MINUTE_MS);
			await clock.advance(MINUTE_MS);
		}
		for (const memory of [...processes, newProcess()])
			expect(memory.has(key(1), read(saved), 10 * MINUTE_MS)).toBe(false);
		const ofOne: StoredMemory = {};
		newProcess().remember(key(1), ofOne, 10 * MINUTE_MS);
		expect(saved.acceptedPushes?.length).toBe(10 * (ofOne.acceptedPushes?.length ?? NaN));
	});

	test('back: what is accepted afterwards is stored after what was accepted before', () => {
		const saved: StoredMemory = {};
		const before = newProcess();
		for (let i = 0; i < STORED_PUSHES; i++) before.remember(key(i), saved, HOUR_MS);
		clock.wallOffsetMs = -2 * HOUR_MS;
		newProcess().remember(key(1000), saved, HOUR_MS);
		expect(newProcess().has(key(1000), read(saved), HOUR_MS)).toBe(true);
	});
});

test('is idle until the first push, and once its newest push is older than the window', async () => {
	const memory = newProcess();
	expect(memory.isIdle).toBe(true);
	memory.remember(key(1), {}, MINUTE_MS);
	await clock.advance(MINUTE_MS - 1);
	expect(memory.isIdle).toBe(false);
	await clock.advance(1);
	expect(memory.isIdle).toBe(true);
});
