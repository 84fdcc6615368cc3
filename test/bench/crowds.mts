// What the simulation says of the adaptive pace: tables for docs/benchmarks.md, and a picture.
import { median } from './figures.mts';
import { figuresOf, seeded, simulate, type Call, type Crowd } from './simulation.mts';

const CROWDS = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const SEEDS = [1, 2, 3, 4, 5];

export function simulateCrowds(): { text: string; svg: string } {
	const row = (label: string, crowd: Crowd, fromSeconds = 20): string => {
		const all = SEEDS.map((seed) =>
			figuresOf(
				simulate(crowd, seeded(seed)),
				crowd.processes,
				fromSeconds * 1000,
				crowd.seconds * 1000,
				crowd.limit,
			),
		);
		const [share, refused, least] = [
			median(all.map((one) => one.share)),
			median(all.map((one) => one.refused)),
			Math.min(...all.map((one) => one.least)),
		];
		return `| ${label} | ${share.toFixed(3)} | ${(refused * 100).toFixed(1)} % | ${least.toFixed(2)} |`;
	};
	const steady = CROWDS.map((processes) => row(`${processes}`, { processes, seconds: 120 }));
	const special = [
		row('1, only 20 a second left by others', { processes: 1, seconds: 120, limit: 20 }),
		row('1, 20-120 ms on the way', { processes: 1, seconds: 120, wayMs: [20, 120] }),
		row('4, answers after 0.6-1.2 s', { processes: 4, seconds: 120, backMs: [600, 1200] }),
		row('1 at a fixed 49.5 a second', { processes: 1, seconds: 120, fixedRate: 49.5 }),
		row('4 at a fixed 48.5 a second', { processes: 4, seconds: 120, fixedRate: 48.5 }),
	];
	const convergence = SEEDS.map((seed) => {
		const calls = simulate({ processes: 4, seconds: 90, joins: { 3: 30 }, leaves: { 0: 60 } }, seeded(seed));
		return {
			joined: secondsUntil(30, (at) => shareOf(calls, 3, at) >= 0.5 * (50 / 4)),
			left: secondsUntil(60, (at) => total(calls, at) >= 0.9 * 50),
		};
	});
	const text = `${CROWDS[0]} to ${CROWDS.at(-1)} processes that share one trigger ID, 20-50 ms on the way, always something to send, started together; 100 s after the first 20 s; median of ${SEEDS.length} runs, the worst for the least share.

| Processes | Of the limit together | Calls refused | Least share, of an even one |
| --- | --- | --- | --- |
${[...steady, ...special].join('\n')}

A fourth process that joins three has half of its even share after ${Math.max(...convergence.map(({ joined }) => joined))} s; when one of four leaves, the others together use 0.90 of the limit after ${Math.max(...convergence.map(({ left }) => left))} s (the worst of ${SEEDS.length} runs, averages over 2 s).`;
	return {
		text,
		svg: picture(simulate({ processes: 4, seconds: 90, joins: { 3: 30 }, leaves: { 0: 60 } }, seeded(1))),
	};
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
${label(left, height - 4, 'Calls a second that Sobot accepted, averages over 2 s. Black: all together. Sobot takes 50.', 'start')}
${colours.map((colour, process) => line(process, colour, 2)).join('\n')}
${line(undefined, '#222', 2)}
</svg>
`;
}
