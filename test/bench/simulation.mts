// The adaptive pace of many processes that share one trigger ID, in simulated time: each drives the package's own
// AdaptiveRate against Sobot's sliding window, and sees nothing of the others but its refusals.
import { AdaptiveRate, CALLS_PER_SECOND } from '../../nodes/sobot/adaptiveRate';

export interface Crowd {
	processes: number;
	seconds: number;
	/** what Sobot lets through in any one second */
	limit?: number;
	/** milliseconds on the way to Sobot, and until its answer is back */
	wayMs?: [number, number];
	backMs?: [number, number];
	/** seconds at which a process joins or leaves, by its number */
	joins?: Record<number, number>;
	leaves?: Record<number, number>;
	/** calls a second, for a process that does not adapt */
	fixedRate?: number;
}

export interface Call {
	process: number;
	arrivedMs: number;
	accepted: boolean;
}

interface Rate {
	sent(nowMs: number): number;
	refused(nowMs: number, sentMs: number): void;
	readonly fullUntilMs: number;
}

/** All calls of a crowd, in the order in which they arrived. `random` makes a run repeatable. */
export function simulate(crowd: Crowd, random: () => number): Call[] {
	const { processes, seconds, limit = CALLS_PER_SECOND, wayMs = [20, 50], backMs = [10, 30] } = crowd;
	const draw = ([from, to]: [number, number]) => from + random() * (to - from);
	const agenda = new Agenda();
	const window: number[] = [];
	const calls: Call[] = [];

	for (let process = 0; process < processes; process++) {
		const rate: Rate = crowd.fixedRate === undefined ? new AdaptiveRate() : unadapted(crowd.fixedRate);
		const leavesMs = (crowd.leaves?.[process] ?? Infinity) * 1000;
		const send = (nowMs: number): void => {
			if (nowMs >= leavesMs) return;
			if (nowMs < rate.fullUntilMs) {
				agenda.add(rate.fullUntilMs, send);
				return;
			}
			agenda.add(nowMs + draw(wayMs), (arrivedMs) => {
				while (window[0] !== undefined && window[0] <= arrivedMs - 1000) window.shift();
				const accepted = window.length < limit;
				if (accepted) window.push(arrivedMs);
				calls.push({ process, arrivedMs, accepted });
				agenda.add(arrivedMs + draw(backMs), (backAtMs) => {
					if (!accepted) rate.refused(backAtMs, nowMs);
				});
			});
			agenda.add(nowMs + 1000 / rate.sent(nowMs), send);
		};
		agenda.add((crowd.joins?.[process] ?? 0) * 1000 + random() * 20, send);
	}
	agenda.runUntil(seconds * 1000);
	return calls;
}

export interface Figures {
	/** of the limit */
	share: number;
	refused: number;
	/** the least of the processes, against an even share */
	least: number;
}

export function figuresOf(
	calls: readonly Call[],
	processes: number,
	fromMs: number,
	toMs: number,
	limit = CALLS_PER_SECOND,
): Figures {
	const within = calls.filter(({ arrivedMs }) => arrivedMs >= fromMs && arrivedMs < toMs);
	const accepted = within.filter((call) => call.accepted);
	const counts = Array.from(
		{ length: processes },
		(_, i) => accepted.filter(({ process }) => process === i).length,
	);
	return {
		share: accepted.length / ((limit * (toMs - fromMs)) / 1000),
		refused: 1 - accepted.length / within.length,
		least: Math.min(...counts) / (accepted.length / processes),
	};
}

/** A generator of random numbers that starts the same each time (Marsaglia, "Xorshift RNGs", 2003). */
export function seeded(seed: number): () => number {
	let state = (seed * 2_654_435_761) >>> 0 || 1;
	return () => {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		return (state >>> 0) / 2 ** 32;
	};
}

function unadapted(rate: number): Rate {
	return { sent: () => rate, refused: () => {}, fullUntilMs: -Infinity };
}

/** What is to happen when, as a binary heap. */
class Agenda {
	private readonly heap: Array<{ atMs: number; act: (nowMs: number) => void }> = [];

	add(atMs: number, act: (nowMs: number) => void): void {
		const { heap } = this;
		let at = heap.push({ atMs, act }) - 1;
		while (at > 0) {
			const parent = (at - 1) >> 1;
			if (this.time(parent) <= this.time(at)) break;
			this.swap(parent, at);
			at = parent;
		}
	}

	runUntil(endMs: number): void {
		for (;;) {
			const first = this.heap[0];
			if (!first || first.atMs > endMs) return;
			const last = this.heap.pop();
			if (last && this.heap.length > 0) {
				this.heap[0] = last;
				this.sink();
			}
			first.act(first.atMs);
		}
	}

	private sink(): void {
		for (let at = 0; ;) {
			const left = 2 * at + 1;
			if (left >= this.heap.length) return;
			const least = this.time(left + 1) < this.time(left) ? left + 1 : left;
			if (this.time(at) <= this.time(least)) return;
			this.swap(at, least);
			at = least;
		}
	}

	private time(at: number): number {
		return this.heap[at]?.atMs ?? Infinity;
	}

	private swap(a: number, b: number): void {
		const [first, second] = [this.heap[a], this.heap[b]];
		if (first && second) [this.heap[a], this.heap[b]] = [second, first];
	}
}
