// Many processes that share one trigger ID, in simulated time: each drives the package's own rate limiter against a limiter, and
// sees nothing of the others but its refusals.
import { CALLS_PER_SECOND } from '../../nodes/sobot/adaptiveRate';
import type { Clock } from '../../nodes/sobot/clock';
import { RateLimiter } from '../../nodes/sobot/rateLimiter';
import { slidingWindow, type Limiter } from './limiters.mts';

export interface Crowd {
	processes: number;
	seconds: number;
	/** by default a sliding window of Sobot's limit */
	limiter?: () => Limiter;
	/** customers of each process; without it there is always something to send */
	customers?: number;
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

/** The limiter of a process: the package's own rate limiter, or a fixed rate. */
interface Sender {
	takeSlot(requestsPerSecond: number): Promise<boolean>;
	refused(sentMs: number): void;
}

/** All calls of a crowd, in the order in which they arrived. `random` makes a run repeatable. */
export async function simulate(crowd: Crowd, random: () => number): Promise<Call[]> {
	const { processes, seconds, wayMs = [20, 50], backMs = [10, 30] } = crowd;
	const draw = ([from, to]: [number, number]) => from + random() * (to - from);
	const clock = new Agenda(random);
	const limiter = crowd.limiter?.() ?? slidingWindow(CALLS_PER_SECOND);
	const calls: Call[] = [];

	const send = async (process: number, sender: Sender): Promise<boolean> => {
		const sentMs = clock.nowMs();
		await clock.sleep(draw(wayMs));
		const arrivedMs = clock.nowMs();
		const accepted = limiter.accepts(arrivedMs);
		calls.push({ process, arrivedMs, accepted });
		await clock.sleep(draw(backMs));
		if (!accepted) sender.refused(sentMs);
		return accepted;
	};
	const drive = async (process: number): Promise<void> => {
		const sender = crowd.fixedRate === undefined ? new RateLimiter(clock) : unadapted(clock, crowd.fixedRate);
		const leavesMs = (crowd.leaves?.[process] ?? Infinity) * 1000;
		let waiting = crowd.customers ?? Infinity;
		await clock.sleep((crowd.joins?.[process] ?? 0) * 1000 + random() * 20);
		for (let inFlight = 0; clock.nowMs() < leavesMs && waiting + inFlight > 0;) {
			if (waiting === 0) {
				await clock.sleep(10);
				continue;
			}
			await sender.takeSlot(CALLS_PER_SECOND);
			waiting--;
			inFlight++;
			void send(process, sender).then((accepted) => {
				inFlight--;
				if (!accepted) waiting++;
			});
		}
	};
	for (let process = 0; process < processes; process++) void drive(process);
	await clock.runUntil(seconds * 1000);
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

function unadapted(clock: Clock, perSecond: number): Sender {
	return {
		takeSlot: async () => {
			await clock.sleep(1000 / perSecond);
			return true;
		},
		refused: () => {},
	};
}

/** A clock in simulated time, with a binary heap of future events. */
class Agenda implements Clock {
	private readonly heap: Array<{ atMs: number; wake: () => void }> = [];
	private ms = 0;

	constructor(readonly random: () => number) {}

	nowMs(): number {
		return this.ms;
	}

	epochMs(): number {
		return this.ms;
	}

	async sleep(ms: number): Promise<void> {
		await new Promise<void>((wake) => this.add(this.ms + ms, wake));
	}

	private add(atMs: number, wake: () => void): void {
		const { heap } = this;
		let at = heap.push({ atMs, wake }) - 1;
		while (at > 0) {
			const parent = (at - 1) >> 1;
			if (this.time(parent) <= this.time(at)) break;
			this.swap(parent, at);
			at = parent;
		}
	}

	/** Moves time on, and lets all that a moment sets going come to rest before the next. */
	async runUntil(endMs: number): Promise<void> {
		for (;;) {
			await new Promise<void>((resolve) => process.nextTick(resolve));
			const first = this.heap[0];
			if (!first || first.atMs > endMs) return;
			const last = this.heap.pop();
			if (last && this.heap.length > 0) {
				this.heap[0] = last;
				this.sink();
			}
			this.ms = first.atMs;
			first.wake();
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
