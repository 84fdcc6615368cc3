import { RateLimiter } from '../../nodes/sobot/canvas/rateLimiter';
import { SimulatedClock } from '../support/clock.mts';

/** The most calls that left in any one second. */
function mostInASecond(momentsMs: readonly number[]): number {
	let most = 0;
	for (const [index, startMs] of momentsMs.entries()) {
		const end = momentsMs.findIndex((ms) => ms >= startMs + 1000);
		most = Math.max(most, (end < 0 ? momentsMs.length : end) - index);
	}
	return most;
}

async function takeSlots(
	rateLimiter: RateLimiter,
	clock: SimulatedClock,
	count: number,
	perSecond = 50,
): Promise<number[]> {
	const momentsMs: number[] = [];
	for (let i = 0; i < count; i++) {
		await rateLimiter.takeSlot(perSecond);
		momentsMs.push(clock.nowMs());
	}
	return momentsMs;
}

/** Takes slots for a while, and reports each call as refused after 50 ms. */
async function takeRefusedSlots(
	rateLimiter: RateLimiter,
	clock: SimulatedClock,
	forMs: number,
): Promise<number[]> {
	const momentsMs: number[] = [];
	for (const endMs = clock.nowMs() + forMs; clock.nowMs() < endMs;) {
		await rateLimiter.takeSlot(50);
		const sentMs = clock.nowMs();
		momentsMs.push(sentMs);
		void clock.sleep(50).then(() => rateLimiter.refused(sentMs));
	}
	return momentsMs;
}

test.each([1, 7, 10, 49, 50])('lets no more than %i leave in any one second', async (perSecond) => {
	const clock = new SimulatedClock();
	const moments = await clock.run(takeSlots(new RateLimiter(clock), clock, 300, perSecond));
	expect(mostInASecond(moments)).toBeLessThanOrEqual(perSecond);
});

test('uses at least 0.96 of the limit', async () => {
	const clock = new SimulatedClock();
	const moments = await clock.run(takeSlots(new RateLimiter(clock), clock, 1000));
	const seconds = ((moments.at(-1) ?? 0) - (moments[0] ?? 0)) / 1000;
	expect(999 / seconds / 50).toBeGreaterThan(0.96);
});

test.each([12, 60, 100])(
	'holds the limit where timers fire up to %i ms late, and makes up the lag',
	async (late) => {
		const clock = new SimulatedClock();
		const sleep = clock.sleep.bind(clock);
		let timers = 0;
		clock.sleep = async (ms) => await sleep(ms + (timers++ % 7 === 0 ? late : 1));
		const moments = await clock.run(takeSlots(new RateLimiter(clock), clock, 1000));
		const seconds = ((moments.at(-1) ?? 0) - (moments[0] ?? 0)) / 1000;
		expect(mostInASecond(moments)).toBeLessThanOrEqual(50);
		expect(999 / seconds / 50).toBeGreaterThan(0.95);
	},
);

test('makes up no pause', async () => {
	const clock = new SimulatedClock();
	const rateLimiter = new RateLimiter(clock);
	await clock.run(takeRefusedSlots(rateLimiter, clock, 20_000));
	const moments = await clock.run(takeSlots(rateLimiter, clock, 4));
	const [first = NaN, second = NaN, ...later] = moments;
	// The first call is a probe, which nothing follows for half a second.
	expect(second - first).toBeGreaterThanOrEqual(500);
	expect(later.map((ms, index) => ms - (moments[index + 1] ?? NaN)).every((ms) => ms >= 20)).toBe(true);
});

test('gives two executions that ask together the same share', async () => {
	const clock = new SimulatedClock();
	const rateLimiter = new RateLimiter(clock);
	const taken = [0, 0];
	const drive = async (who: 0 | 1) => {
		for (;;) {
			await rateLimiter.takeSlot(50);
			taken[who] = (taken[who] ?? 0) + 1;
		}
	};
	void drive(0);
	await clock.advance(5000);
	const alone = taken[0] ?? 0;
	void drive(1);
	await clock.advance(10_000);
	expect(Math.abs((taken[0] ?? 0) - alone - (taken[1] ?? 0))).toBeLessThanOrEqual(1);
});

test('grants no slot after an abort, and takes none from the others', async () => {
	const clock = new SimulatedClock();
	const rateLimiter = new RateLimiter(clock);
	const controller = new AbortController();
	await rateLimiter.takeSlot(1);
	const stopped = rateLimiter.takeSlot(1, () => controller.signal.aborted);
	const other = rateLimiter.takeSlot(1);
	await clock.advance(500);
	controller.abort();
	const startMs = clock.nowMs();
	expect(await clock.run(stopped)).toBe(false);
	expect(await clock.run(other)).toBe(true);
	expect(clock.nowMs() - startMs).toBeLessThanOrEqual(501);
});

test('an abort ends the wait within 250 ms, also behind others and while Sobot refuses everything', async () => {
	const clock = new SimulatedClock();
	const rateLimiter = new RateLimiter(clock);
	await clock.run(takeRefusedSlots(rateLimiter, clock, 60_000));
	const controller = new AbortController();
	const first = rateLimiter.takeSlot(50);
	const stopped = rateLimiter.takeSlot(50, () => controller.signal.aborted);
	await clock.advance(1000);
	controller.abort();
	const startMs = clock.nowMs();
	expect(await clock.run(stopped)).toBe(false);
	expect(clock.nowMs() - startMs).toBeLessThanOrEqual(250);
	expect(await clock.run(first)).toBe(true);
});

test('continues at once after the wall clock is set back an hour', async () => {
	const clock = new SimulatedClock();
	const rateLimiter = new RateLimiter(clock);
	await clock.run(takeSlots(rateLimiter, clock, 100));
	clock.wallOffsetMs = -3_600_000;
	const startMs = clock.nowMs();
	await clock.run(takeSlots(rateLimiter, clock, 50));
	expect(clock.nowMs() - startMs).toBeLessThan(1100);
});

test('lets callers pass a caller whose own limit does not allow its slot yet', async () => {
	const clock = new SimulatedClock();
	const rateLimiter = new RateLimiter(clock);
	const slow = takeSlots(rateLimiter, clock, 300, 1);
	const startMs = clock.nowMs();
	const fast = await clock.run(takeSlots(rateLimiter, clock, 1000));
	expect((fast.at(-1) ?? NaN) - startMs).toBeLessThan(25_000);
	const slowMoments = await clock.run(slow);
	expect((slowMoments.at(-1) ?? NaN) - startMs).toBeLessThan(302_000);
	expect(mostInASecond(slowMoments)).toBe(1);
	expect(mostInASecond([...fast, ...slowMoments].sort((a, b) => a - b))).toBeLessThanOrEqual(50);
});

test('callers with a low limit count for those with a higher one, also those that come later', async () => {
	const clock = new SimulatedClock();
	const rateLimiter = new RateLimiter(clock);
	const two = takeSlots(rateLimiter, clock, 40, 2);
	await clock.advance(1900);
	const three = takeSlots(rateLimiter, clock, 40, 3);
	const moments = [...(await clock.run(two)), ...(await clock.run(three))];
	expect(mostInASecond(moments.sort((a, b) => a - b))).toBeLessThanOrEqual(3);
});

test('probes with longer and longer pauses while nothing gets through, and continues below the earlier rate', async () => {
	const clock = new SimulatedClock();
	const rateLimiter = new RateLimiter(clock);
	await clock.run(takeSlots(rateLimiter, clock, 200));
	const startMs = clock.nowMs();
	const refused = await clock.run(takeRefusedSlots(rateLimiter, clock, 120_000));
	expect(refused.length).toBeLessThan(40);
	expect(refused.slice(-3).every((ms, i, all) => i === 0 || ms - (all[i - 1] ?? 0) > 15_000)).toBe(true);
	const banMs = clock.nowMs() - startMs;
	const again = await clock.run(takeSlots(rateLimiter, clock, 400));
	const perSecond = 399_000 / ((again.at(-1) ?? NaN) - (again[0] ?? NaN));
	expect(perSecond).toBeGreaterThan(40);
	expect(perSecond).toBeLessThan(45);
	expect(banMs).toBeLessThan(170_000);
});

test('waits without a busy loop: about one timer a slot', async () => {
	const clock = new SimulatedClock();
	await clock.run(takeSlots(new RateLimiter(clock), clock, 500));
	expect(clock.sleeps).toBeLessThanOrEqual(1000);
});

test('a hundred waiting at once cost no more timers than a hundred slots', async () => {
	const clock = new SimulatedClock();
	const rateLimiter = new RateLimiter(clock);
	const all = Promise.all(Array.from({ length: 100 }, async () => await rateLimiter.takeSlot(50)));
	await clock.run(all);
	expect(clock.sleeps).toBeLessThanOrEqual(200);
});

test('sends nothing while the second is full, and continues at the rate that was let through', async () => {
	const clock = new SimulatedClock();
	const rateLimiter = new RateLimiter(clock);
	const moments = await clock.run(takeSlots(rateLimiter, clock, 15));
	for (const sentMs of moments.slice(10)) rateLimiter.refused(sentMs);
	const [another = NaN] = await clock.run(takeSlots(rateLimiter, clock, 1));
	rateLimiter.refused(another);
	const [next = NaN] = await clock.run(takeSlots(rateLimiter, clock, 1));
	expect(next - (moments[0] ?? NaN)).toBeGreaterThanOrEqual(1000);
	expect(next - (moments[0] ?? NaN)).toBeLessThan(1100);
});
