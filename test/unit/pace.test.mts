import { Pace, paceOf } from '../../nodes/sobot/pace';
import { settle, SimulatedClock } from './clock.mts';

/** The most calls that left in any one second. */
function mostInASecond(momentsMs: readonly number[]): number {
	let most = 0;
	for (const [index, startMs] of momentsMs.entries()) {
		const end = momentsMs.findIndex((ms) => ms >= startMs + 1000);
		most = Math.max(most, (end < 0 ? momentsMs.length : end) - index);
	}
	return most;
}

async function takeTurns(
	pace: Pace,
	clock: SimulatedClock,
	count: number,
	perSecond = 50,
): Promise<number[]> {
	const momentsMs: number[] = [];
	for (let i = 0; i < count; i++) {
		await pace.turn(perSecond);
		momentsMs.push(clock.nowMs());
	}
	return momentsMs;
}

test.each([1, 7, 10, 49, 50])('lets no more than %i leave in any one second', async (perSecond) => {
	const clock = new SimulatedClock();
	const moments = await clock.run(takeTurns(new Pace(clock), clock, 300, perSecond));
	expect(mostInASecond(moments)).toBeLessThanOrEqual(perSecond);
});

test('uses at least 0.96 of the limit', async () => {
	const clock = new SimulatedClock();
	const moments = await clock.run(takeTurns(new Pace(clock), clock, 1000));
	const seconds = ((moments.at(-1) ?? 0) - (moments[0] ?? 0)) / 1000;
	expect(999 / seconds / 50).toBeGreaterThan(0.96);
});

test('holds the limit across timers that wake late, and does not fall behind its beat', async () => {
	const clock = new SimulatedClock();
	const sleep = clock.sleep.bind(clock);
	let late = 0;
	clock.sleep = async (ms) => await sleep(ms + (late++ % 7 === 0 ? 12 : 1));
	const moments = await clock.run(takeTurns(new Pace(clock), clock, 1000));
	const seconds = ((moments.at(-1) ?? 0) - (moments[0] ?? 0)) / 1000;
	expect(mostInASecond(moments)).toBeLessThanOrEqual(50);
	expect(999 / seconds / 50).toBeGreaterThan(0.96);
});

test('gives two executions that ask together the same share', async () => {
	const clock = new SimulatedClock();
	const pace = new Pace(clock);
	const taken = [0, 0];
	const drive = async (who: 0 | 1) => {
		for (;;) {
			await pace.turn(50);
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

test('does not hold up other trigger IDs and hosts, and is one for all who call the same', () => {
	const clock = new SimulatedClock();
	const pace = paceOf('https://a.test', '1', clock);
	expect(paceOf('https://a.test/', '1', clock)).toBe(pace);
	expect(paceOf('https://a.test', '2', clock)).not.toBe(pace);
	expect(paceOf('https://b.test', '1', clock)).not.toBe(pace);
});

test('gives no turn after a stop, and takes none from the others', async () => {
	const clock = new SimulatedClock();
	const pace = new Pace(clock);
	const stop = new AbortController();
	await pace.turn(1);
	const stopped = pace.turn(1, stop.signal);
	const other = pace.turn(1);
	await clock.advance(500);
	stop.abort();
	const startMs = clock.nowMs();
	expect(await clock.run(stopped)).toBe(false);
	expect(await clock.run(other)).toBe(true);
	expect(clock.nowMs() - startMs).toBeLessThanOrEqual(501);
});

test('waits without a busy loop: about one timer a turn', async () => {
	const clock = new SimulatedClock();
	await clock.run(takeTurns(new Pace(clock), clock, 500));
	expect(clock.sleeps).toBeLessThanOrEqual(1000);
});

test('a hundred waiting at once cost no more timers than a hundred turns', async () => {
	const clock = new SimulatedClock();
	const pace = new Pace(clock);
	const all = Promise.all(Array.from({ length: 100 }, async () => await pace.turn(50)));
	await clock.run(all);
	expect(clock.sleeps).toBeLessThanOrEqual(200);
	await settle();
});

test('sends nothing while the second is full, and goes on at what was let through', async () => {
	const clock = new SimulatedClock();
	const pace = new Pace(clock);
	const moments = await clock.run(takeTurns(pace, clock, 15));
	for (const sentMs of moments.slice(10)) pace.refused(sentMs);
	const [another = NaN] = await clock.run(takeTurns(pace, clock, 1));
	pace.refused(another);
	const [next = NaN] = await clock.run(takeTurns(pace, clock, 1));
	expect(next - (moments[0] ?? NaN)).toBeGreaterThanOrEqual(1000);
	expect(next - (moments[0] ?? NaN)).toBeLessThan(1100);
});
