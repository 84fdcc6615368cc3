// The rate limiter against several kinds of limiter, in simulated time: bounds, of which docs/benchmarks.md has the figures.
import { banning, fixedWindow, slidingWindow, tokenBucket } from '../bench/limiters.mts';
import { figuresOf, seeded, simulate, type Crowd, type Figures } from '../bench/simulation.mts';

// The simulations take a second or two, and more on a busy machine.
jest.setTimeout(60_000);

async function steady(crowd: Partial<Crowd>, limit = 50): Promise<Figures> {
	const all = { processes: 1, seconds: 120, ...crowd };
	return figuresOf(await simulate(all, seeded(1)), all.processes, 20_000, all.seconds * 1000, limit);
}

test.each([
	['a sliding window', () => slidingWindow(50)],
	['a sliding window that counts refused calls', () => slidingWindow(50, 1000, true)],
	['a fixed window', () => fixedWindow(50)],
	['a token bucket with a burst of 50', () => tokenBucket(50, 50)],
	['a token bucket with a burst of 5', () => tokenBucket(50, 5)],
])('uses 0.96 of %s alone, and 0.90 in four processes', async (_, limiter) => {
	expect((await steady({ limiter })).share).toBeGreaterThanOrEqual(0.96);
	expect((await steady({ limiter, processes: 4 })).share).toBeGreaterThanOrEqual(0.9);
});

test.each<[[number, number]]>([[[20, 25]], [[20, 50]]])(
	'with %j ms on the way nothing is refused',
	async (wayMs) => {
		const figures = await steady({ wayMs });
		expect(figures.share).toBeGreaterThanOrEqual(0.96);
		expect(figures.refused).toBe(0);
	},
);

test.each<[string, NonNullable<Crowd['stalls']>]>([
	['has to wait for the processor every few ms', { runsMs: [3, 25], waitsMs: [3, 25] }],
	['has to wait for the processor for long', { runsMs: [5, 60], waitsMs: [5, 80] }],
	['is blocked for up to 300 ms now and then', { runsMs: [500, 3000], waitsMs: [80, 300] }],
])('uses 0.94 of the limit where a process %s, with few refusals', async (_, stalls) => {
	const alone = await steady({ stalls });
	expect(alone.share).toBeGreaterThanOrEqual(0.94);
	expect(alone.refused).toBeLessThanOrEqual(0.001);
	const four = await steady({ stalls, processes: 4 });
	expect(four.share).toBeGreaterThanOrEqual(0.92);
	expect(four.refused).toBeLessThanOrEqual(0.03);
});

test.each<[number, [number, number], number]>([
	[2, [10, 30], 15],
	[4, [10, 30], 25],
	[4, [200, 500], 110],
])(
	'%d processes that start together, with answers after %j ms: at most %d refused in 5 s',
	async (processes, backMs, most) => {
		const refused = [];
		for (let seed = 1; seed <= 5; seed++) {
			const calls = await simulate({ processes, seconds: 5, backMs }, seeded(seed));
			refused.push(calls.filter(({ accepted }) => !accepted).length);
			expect(figuresOf(calls, processes, 0, 5000).share).toBeGreaterThanOrEqual(0.92);
		}
		expect(refused.reduce((a, b) => a + b) / refused.length).toBeLessThanOrEqual(most);
	},
);

test('uses at least 0.85 of the 20 calls a second that others leave', async () => {
	expect((await steady({ limiter: () => slidingWindow(20) }, 20)).share).toBeGreaterThanOrEqual(0.85);
});

test.each([1, 4])(
	'shares out a limiter that bans for 60 s: at least half of it, %d processes',
	async (processes) => {
		const limiter = () => banning(slidingWindow(50), 60_000, false);
		expect((await steady({ limiter, processes, seconds: 620 })).share).toBeGreaterThanOrEqual(0.5);
	},
);

test('leaves a limiter in peace that extends its ban at each refused call: everybody is accepted', async () => {
	const limiter = () => banning(slidingWindow(50), 10_000, true);
	const calls = await simulate({ limiter, processes: 4, customers: 375, seconds: 300 }, seeded(1));
	expect(calls.filter(({ accepted }) => accepted)).toHaveLength(1500);
});
