// The results of simulating the rate limiter: tables for docs/benchmarks.md, and a picture.
import { table } from '../support/table.mts';
import { median, percent, ratio } from './figures.mts';
import { banning, fixedWindow, slidingWindow, tokenBucket, type Limiter } from './limiters.mts';
import { figuresOf, seeded, simulate, type Call, type Crowd } from './simulation.mts';

const CROWDS = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const SEEDS = [1, 2, 3, 4, 5];

/** Kinds of limiter, and the seconds to simulate: a ban takes longer to level out. */
const LIMITERS: Array<[string, () => Limiter, number]> = [
	['sliding window', () => slidingWindow(50), 120],
	['sliding window that counts refused calls', () => slidingWindow(50, 1000, true), 120],
	['fixed window', () => fixedWindow(50), 120],
	['token bucket, burst 50', () => tokenBucket(50, 50), 120],
	['token bucket, burst 5', () => tokenBucket(50, 5), 120],
	['5 per 100 ms', () => slidingWindow(5, 100), 120],
	['strictly 20 ms apart', () => slidingWindow(1, 20), 120],
	['ban of 10 s', () => banning(slidingWindow(50), 10_000, false), 620],
	['ban of 10 s, extended by refused calls', () => banning(slidingWindow(50), 10_000, true), 620],
	['ban of 60 s', () => banning(slidingWindow(50), 60_000, false), 620],
];

const JOINS_AND_LEAVES: Crowd = { processes: 4, seconds: 90, joins: { 3: 30 }, leaves: { 0: 60 } };

export async function simulateCrowds(): Promise<{ text: string; svg: string }> {
	const steady: string[][] = [];
	for (const processes of CROWDS) steady.push(await row(`${processes}`, { processes, seconds: 120 }));
	const special = [
		await row('1, only 20 a second left by others', alone({ limiter: () => slidingWindow(20) }), 20, 20),
		await row('1, 20-25 ms on the way', alone({ wayMs: [20, 25] })),
		await row('1, 20-25 ms on the way, its first 20 s', alone({ wayMs: [20, 25], seconds: 20 }), 0),
		await row('1, its first 20 s', alone({ seconds: 20 }), 0),
		await row('1, 20-120 ms on the way', alone({ wayMs: [20, 120] })),
		await row('4, answers after 0.6-1.2 s', { processes: 4, seconds: 120, backMs: [600, 1200] }),
		await row('1 at a fixed 49.5 a second', alone({ fixedRate: 49.5 })),
		await row('4 at a fixed 48.5 a second', { processes: 4, seconds: 120, fixedRate: 48.5 }),
	];
	const limiters: string[][] = [];
	for (const [name, limiter, seconds] of LIMITERS) {
		for (const processes of [1, 4]) {
			limiters.push([name, ...(await row(`${processes}`, { processes, seconds, limiter }))]);
		}
	}
	const batches = [await batch(10_000, true, 1), await batch(10_000, true, 4)];
	batches.push(await batch(60_000, false, 1), await batch(60_000, false, 4));
	const convergence = await Promise.all(
		SEEDS.map(async (seed) => {
			const calls = await simulate(JOINS_AND_LEAVES, seeded(seed));
			return {
				joined: secondsUntil(30, (at) => shareOf(calls, 3, at) >= 0.5 * (50 / 4)),
				left: secondsUntil(60, (at) => total(calls, at) >= 0.9 * 50),
			};
		}),
	);
	const head = ['Processes', 'Share of the limit', 'Calls refused', 'Smallest share / fair share'];
	const text = `${CROWDS[0]} to ${CROWDS.at(-1)} processes that share one trigger ID, 20-50 ms on the way, always with something to send, started together; 100 s after the first 20 s unless a row says otherwise; median of ${SEEDS.length} runs, with the worst in brackets. The smallest share is the worst of all runs.

${table(head, [...steady, ...special])}

The same against other kinds of limiter, each of 50 calls a second; with bans, 600 s after the first 20 s.

${table(['Limiter', ...head], limiters)}

1,500 customers against a limiter that bans, until the last is accepted.

${table(['Ban', 'Processes', 'Accepted', 'Seconds', 'Calls refused'], batches)}

A fourth process that joins three has half of its fair share after ${Math.max(...convergence.map(({ joined }) => joined))} s; when one of four leaves, the others together use 0.90 of the limit after ${Math.max(...convergence.map(({ left }) => left))} s (the worst of ${SEEDS.length} runs, averaged over 2 s).`;
	return { text, svg: picture(await simulate(JOINS_AND_LEAVES, seeded(1))) };
}

function alone(more: Partial<Crowd>): Crowd {
	return { processes: 1, seconds: 120, ...more };
}

async function row(label: string, crowd: Crowd, fromSeconds = 20, limit = 50): Promise<string[]> {
	const { processes, seconds } = crowd;
	const all = [];
	for (const seed of SEEDS) {
		const calls = await simulate(crowd, seeded(seed));
		all.push(figuresOf(calls, processes, fromSeconds * 1000, seconds * 1000, limit));
	}
	const shares = all.map(({ share }) => share);
	const refused = all.map((one) => one.refused);
	return [
		label,
		`${ratio(median(shares))} (${ratio(Math.min(...shares))})`,
		`${percent(median(refused))} (${percent(Math.max(...refused))})`,
		Math.min(...all.map(({ least }) => least)).toFixed(2),
	];
}

async function batch(banMs: number, isExtended: boolean, processes: number): Promise<string[]> {
	const limiter = () => banning(slidingWindow(50), banMs, isExtended);
	const customers = 1500 / processes;
	const all = [];
	for (const seed of SEEDS) {
		const calls = await simulate({ processes, customers, limiter, seconds: 3600 }, seeded(seed));
		const accepted = calls.filter((call) => call.accepted);
		const seconds = (accepted.at(-1)?.arrivedMs ?? NaN) / 1000;
		all.push({ accepted: accepted.length, seconds, refused: calls.length - accepted.length });
	}
	const longest = Math.max(...all.map(({ seconds }) => seconds));
	return [
		`${banMs / 1000} s${isExtended ? ', extended by refused calls' : ''}`,
		`${processes}`,
		`${Math.min(...all.map(({ accepted }) => accepted))} of 1500`,
		`${median(all.map(({ seconds }) => seconds)).toFixed(0)} (${longest.toFixed(0)})`,
		`${Math.max(...all.map(({ refused }) => refused))}`,
	];
}

const AVERAGE_SECONDS = 2;

function shareOf(calls: readonly Call[], process: number | undefined, atSecond: number): number {
	const within = calls.filter(
		(call) =>
			call.accepted &&
			(process === undefined || call.process === process) &&
			call.arrivedMs >= (atSecond - AVERAGE_SECONDS) * 1000 &&
			call.arrivedMs < atSecond * 1000,
	);
	return within.length / AVERAGE_SECONDS;
}

function total(calls: readonly Call[], atSecond: number): number {
	return shareOf(calls, undefined, atSecond);
}

function secondsUntil(fromSecond: number, isReached: (atSecond: number) => boolean): number {
	for (let seconds = AVERAGE_SECONDS; seconds < 60; seconds++)
		if (isReached(fromSecond + seconds)) return seconds;
	return Infinity;
}

/** Accepted calls a second of each of four processes and of all, over 90 s. */
function picture(calls: readonly Call[]): string {
	const [width, height, left, bottom] = [760, 320, 44, 36];
	const x = (second: number) => left + (second / 90) * (width - left - 12);
	const y = (perSecond: number) => height - bottom - (perSecond / 55) * (height - bottom - 28);
	const colours = ['#3454d1', '#d1495b', '#edae49', '#00798c'];
	const line = (process: number | undefined, colour: string, strokeWidth: number) => {
		const points = Array.from(
			{ length: 89 },
			(_, i) => `${x(i + 2).toFixed(1)},${y(shareOf(calls, process, i + 2)).toFixed(1)}`,
		);
		return `<polyline fill="none" stroke="${colour}" stroke-width="${strokeWidth}" points="${points.join(' ')}"/>`;
	};
	const label = (atX: number, atY: number, text: string, anchor = 'middle') =>
		`<text x="${atX.toFixed(1)}" y="${atY.toFixed(1)}" text-anchor="${anchor}">${text}</text>`;
	return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#333">
<rect width="${width}" height="${height}" fill="#fff"/>
${[0, 10, 20, 30, 40, 50].map((n) => `<line x1="${left}" x2="${width - 12}" y1="${y(n)}" y2="${y(n)}" stroke="${n === 50 ? '#999' : '#e5e5e5'}"/>${label(left - 6, y(n) + 4, `${n}`, 'end')}`).join('\n')}
${[0, 15, 30, 45, 60, 75, 90].map((n) => label(x(n), height - 18, `${n} s`)).join('\n')}
${[30, 60].map((n) => `<line x1="${x(n)}" x2="${x(n)}" y1="${y(50)}" y2="${y(0)}" stroke="#999" stroke-dasharray="4 4"/>`).join('\n')}
${label(x(30), 18, 'a fourth joins')}
${label(x(60), 18, 'the first leaves')}
${label(left, height - 4, 'Calls per second that Sobot accepted, averaged over 2 s. Black: all processes together. Grey: the limit of 50.', 'start')}
${colours.map((colour, process) => line(process, colour, 2)).join('\n')}
${line(undefined, '#222', 2)}
</svg>
`;
}
