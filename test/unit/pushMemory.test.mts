import { deliveryKeyOf } from '../../nodes/SobotWebhookApp/parsePush';
import {
	CHECK_EVERY_MS,
	PushMemory,
	REMEMBERED_PUSHES,
	RESENT_WITHIN_MS,
	STORED_PUSHES,
	type StoredMemory,
} from '../../nodes/sobot/push/pushMemory';
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

/** A push that n8n accepts, unless it is a redelivery. */
async function accept(...push: [memory: PushMemory, id: number, saved: StoredMemory, windowMs: number]) {
	(await letThrough(...push))?.(true);
}

/** Whether a push is a redelivery. If it is none, n8n refuses it. */
async function isRedelivery(...push: Parameters<typeof accept>): Promise<boolean> {
	const onAnswer = await letThrough(...push);
	onAnswer?.(false);
	return onAnswer === undefined;
}

async function areRedeliveries(
	memory: PushMemory,
	ids: number[],
	saved: StoredMemory,
	windowMs: number,
): Promise<boolean[]> {
	return await Promise.all(ids.map(async (id) => await isRedelivery(memory, id, saved, windowMs)));
}

async function letThrough(...[memory, id, saved, windowMs]: Parameters<typeof accept>) {
	return await memory.letThrough(key(id), saved, windowMs);
}

test('an equal body within the window is a duplicate, another or a later one is not', async () => {
	const [memory, saved] = [newProcess(), {}];
	expect(await isRedelivery(memory, 1, saved, 10 * MINUTE_MS)).toBe(false);
	await accept(memory, 1, saved, 10 * MINUTE_MS);
	await clock.advance(10 * MINUTE_MS - 1);
	expect(await isRedelivery(memory, 1, saved, 10 * MINUTE_MS)).toBe(true);
	expect(await isRedelivery(memory, 2, saved, 10 * MINUTE_MS)).toBe(false);
	await clock.advance(1);
	expect(await isRedelivery(memory, 1, saved, 10 * MINUTE_MS)).toBe(false);
});

test.each([
	['the same process', REMEMBERED_PUSHES, (memory: PushMemory) => memory],
	['another process, or n8n after a restart,', STORED_PUSHES, () => newProcess()],
])('%s remembers the latest %i pushes and no more', async (_, remembered, later) => {
	const [memory, saved] = [newProcess(), {} as StoredMemory];
	const last = REMEMBERED_PUSHES + 1000;
	for (let i = 0; i <= last; i++) await accept(memory, i, saved, HOUR_MS);
	const [reader, stored] = [later(memory), read(saved)];
	expect(await isRedelivery(reader, last, stored, HOUR_MS)).toBe(true);
	expect(await isRedelivery(reader, last - remembered + 1, stored, HOUR_MS)).toBe(true);
	expect(await isRedelivery(reader, last - remembered, stored, HOUR_MS)).toBe(false);
	expect(JSON.stringify(saved).length).toBeLessThan(6000);
});

test('a process remembers what others stored, in whatever order the pushes came', async () => {
	const [here, there] = [newProcess(), newProcess()];
	let saved: StoredMemory = {};
	for (let i = 0; i < 3 * STORED_PUSHES; i++) {
		saved = read(saved);
		await accept(i % 3 ? here : there, i, saved, MINUTE_MS);
		if (i % 50 === 0) await clock.advance(1);
	}
	for (const memory of [here, there]) {
		const ids = Array.from({ length: 3 * STORED_PUSHES }, (_, i) => i);
		const held = await areRedeliveries(memory, ids, saved, MINUTE_MS);
		expect(held).not.toContain(false);
	}
});

test('forgets what is older than the window', async () => {
	const [memory, saved] = [newProcess(), {} as StoredMemory];
	await accept(memory, 1, saved, MINUTE_MS);
	const { length } = saved.acceptedPushes ?? '';
	await clock.advance(2 * MINUTE_MS);
	await accept(memory, 2, saved, MINUTE_MS);
	expect(saved.acceptedPushes?.length).toBe(length);
});

test('knows concurrent pushes, though the one that is saved last overwrites the other', async () => {
	const [memory, first, second] = [newProcess(), read({}), read({})];
	await accept(memory, 1, first, MINUTE_MS);
	await accept(memory, 2, second, MINUTE_MS);
	expect(await areRedeliveries(memory, [1, 2, 3], read(first), MINUTE_MS)).toEqual([true, true, false]);
	const restarted = newProcess();
	expect(await areRedeliveries(restarted, [1, 2, 3], read(second), MINUTE_MS)).toEqual([true, true, false]);
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
		await accept(memory, id, saved, MINUTE_MS);
	}
	await clock.advance(MINUTE_MS - 3);
	const known = async () => await areRedeliveries(there, [1, 2, 3], saved, MINUTE_MS);
	expect(await known()).toEqual([true, true, true]);
	await clock.advance(2);
	expect(await known()).toEqual([false, false, true]);
});

test('what another process has accepted once more is stored as the latest', async () => {
	const [here, there] = [newProcess(), newProcess()];
	let saved: StoredMemory = {};
	const ids = Array.from({ length: 2 * STORED_PUSHES }, (_, i) => i);
	for (const id of ids) await accept(here, id, saved, MINUTE_MS);
	await clock.advance(2 * MINUTE_MS);
	for (const id of ids.slice(0, 20)) await accept(there, id, saved, MINUTE_MS);
	saved = read(saved);
	await accept(here, -1, saved, MINUTE_MS);
	const known = await areRedeliveries(newProcess(), [...ids.slice(0, 20), -1], read(saved), MINUTE_MS);
	expect(known).not.toContain(false);
});

describe('when the wall clock jumps', () => {
	test.each([-HOUR_MS, HOUR_MS])(
		'by %i ms, the process that accepted a push knows its resends, for the window',
		async (jumpMs) => {
			const [memory, saved] = [newProcess(), {} as StoredMemory];
			await accept(memory, 1, saved, 10 * MINUTE_MS);
			clock.wallOffsetMs = jumpMs;
			await clock.advance(10 * MINUTE_MS - 1);
			expect(await isRedelivery(memory, 1, read(saved), 10 * MINUTE_MS)).toBe(true);
			await clock.advance(1);
			expect(await isRedelivery(memory, 1, read(saved), 10 * MINUTE_MS)).toBe(false);
		},
	);

	test.each([-5 * MINUTE_MS, 4 * MINUTE_MS])('by %i ms, the resends of a push are known', async (jumpMs) => {
		const [memory, saved] = [newProcess(), {} as StoredMemory];
		await accept(memory, 1, saved, 10 * MINUTE_MS);
		clock.wallOffsetMs = jumpMs;
		await clock.advance(6 * MINUTE_MS - 1);
		for (const process of [memory, newProcess()])
			expect(await isRedelivery(process, 1, read(saved), 10 * MINUTE_MS)).toBe(true);
	});

	test('back by hours: an equal push much later is no redelivery, here or elsewhere', async () => {
		let saved: StoredMemory = {};
		const before = newProcess();
		await accept(before, 1, saved, 10 * MINUTE_MS);
		clock.wallOffsetMs = -HOUR_MS;
		const [here, there] = [newProcess(), newProcess()];
		for (let minute = 0; minute < 30; minute++) {
			saved = read(saved);
			await accept(minute % 2 ? here : there, 100 + minute, saved, 10 * MINUTE_MS);
			await clock.advance(MINUTE_MS);
		}
		for (const memory of [before, here, there, newProcess()])
			expect(await isRedelivery(memory, 1, read(saved), 10 * MINUTE_MS)).toBe(false);
		const ofOne: StoredMemory = {};
		await accept(newProcess(), 1, ofOne, 10 * MINUTE_MS);
		expect(saved.acceptedPushes?.length).toBe(10 * (ofOne.acceptedPushes?.length ?? NaN));
	});

	test('back: what is accepted afterwards is stored after what was accepted before', async () => {
		const saved: StoredMemory = {};
		const before = newProcess();
		for (let i = 0; i < STORED_PUSHES; i++) await accept(before, i, saved, HOUR_MS);
		for (const jumpMs of [-HOUR_MS / 2, -2 * HOUR_MS]) {
			clock.wallOffsetMs = jumpMs;
			await accept(newProcess(), 1000 - jumpMs, saved, HOUR_MS);
			expect(await isRedelivery(newProcess(), 1000 - jumpMs, read(saved), HOUR_MS)).toBe(true);
		}
	});
});

test.each([
	['accepted', true],
	['refused', false],
])('only the first answer counts: %s', async (_, isAccepted) => {
	const [memory, saved] = [newProcess(), {} as StoredMemory];
	const onAnswer = await letThrough(memory, 1, saved, MINUTE_MS);
	onAnswer?.(isAccepted);
	const { acceptedPushes } = saved;
	await clock.advance(1);
	for (const again of [true, false]) onAnswer?.(again);
	expect(saved.acceptedPushes).toBe(acceptedPushes);
	expect(await isRedelivery(memory, 1, saved, MINUTE_MS)).toBe(isAccepted);
});

test('a push that n8n accepts after another has taken its place is remembered', async () => {
	const [memory, saved] = [newProcess(), {} as StoredMemory];
	const onAnswer = await letThrough(memory, 1, saved, MINUTE_MS);
	await clock.advance(RESENT_WITHIN_MS);
	const onSecond = await letThrough(memory, 1, saved, MINUTE_MS);
	onAnswer?.(true);
	onSecond?.(false);
	expect(await isRedelivery(memory, 1, saved, MINUTE_MS)).toBe(true);
});

describe('while a push is pending', () => {
	const saved: StoredMemory = {};
	/** Lets a push through, and tells what has become of it: `true` let through, `false` a redelivery, undefined it waits. */
	function deliver(memory: PushMemory, id = 1) {
		const delivery = {
			isLetThrough: undefined as boolean | undefined,
			answer: (_isAccepted: boolean): void => expect(delivery.isLetThrough).toBe(true),
		};
		void letThrough(memory, id, saved, MINUTE_MS).then((onAnswer) => {
			delivery.isLetThrough = onAnswer !== undefined;
			if (onAnswer) delivery.answer = onAnswer;
		});
		return delivery;
	}
	/** Delivers a push several times, one after the other. */
	async function deliverTimes(times: number, memory: PushMemory) {
		const deliveries = [];
		for (let i = 0; i < times; i++) {
			deliveries.push(deliver(memory));
			await clock.advance(1);
		}
		return deliveries;
	}
	const states = (deliveries: Array<ReturnType<typeof deliver>>) =>
		deliveries.map(({ isLetThrough }) => isLetThrough);

	beforeEach(() => delete saved.acceptedPushes);

	test('its redeliveries wait, and are dropped once n8n has accepted it; other pushes do not wait', async () => {
		const memory = newProcess();
		const deliveries = await deliverTimes(3, memory);
		const other = deliver(memory, 2);
		await clock.advance(5 * MINUTE_MS);
		expect(states([...deliveries, other])).toEqual([true, undefined, undefined, true]);
		deliveries[0]?.answer(true);
		await clock.advance(CHECK_EVERY_MS);
		expect(states(deliveries)).toEqual([true, false, false]);
		expect(await isRedelivery(newProcess(), 1, read(saved), MINUTE_MS)).toBe(true);
	});

	test('and n8n refuses it, one of its redeliveries takes its place, and then the next', async () => {
		const memory = newProcess();
		const deliveries = await deliverTimes(4, memory);
		deliveries[0]?.answer(false);
		await clock.advance(CHECK_EVERY_MS);
		expect(states(deliveries)).toEqual([true, true, undefined, undefined]);
		deliveries[1]?.answer(false);
		await clock.advance(CHECK_EVERY_MS);
		expect(states(deliveries)).toEqual([true, true, true, undefined]);
		deliveries[2]?.answer(true);
		await clock.advance(CHECK_EVERY_MS);
		expect(states(deliveries)).toEqual([true, true, true, false]);
	});

	test('and n8n never answers it, a push like it is let through after ten minutes', async () => {
		const memory = newProcess();
		const [stuck] = await deliverTimes(1, memory);
		await clock.advance(RESENT_WITHIN_MS - 2);
		const waiting = deliver(memory);
		await clock.advance(1);
		expect(waiting.isLetThrough).toBeUndefined();
		await clock.advance(CHECK_EVERY_MS);
		const [late, repeated] = await deliverTimes(2, memory);
		// The one that waited takes its place, and the others wait for that.
		expect(states([waiting, late, repeated].flatMap((one) => one ?? []))).toEqual([
			true,
			undefined,
			undefined,
		]);
		stuck?.answer(false);
		await clock.advance(CHECK_EVERY_MS);
		expect([late?.isLetThrough, repeated?.isLetThrough]).toEqual([undefined, undefined]);
		waiting.answer(true);
		await clock.advance(CHECK_EVERY_MS);
		expect([late?.isLetThrough, repeated?.isLetThrough]).toEqual([false, false]);
	});

	test('a window longer than ten minutes counts for it too', async () => {
		const memory = newProcess();
		const onAnswer = await letThrough(memory, 1, saved, HOUR_MS);
		await clock.advance(HOUR_MS - CHECK_EVERY_MS - 1);
		let later: unknown = 'waits';
		void letThrough(memory, 1, saved, HOUR_MS).then((result) => (later = result));
		await clock.advance(CHECK_EVERY_MS);
		expect(later).toBe('waits');
		onAnswer?.(true);
		await clock.advance(CHECK_EVERY_MS);
		expect(later).toBeUndefined();
	});
});
