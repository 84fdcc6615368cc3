// Many processes that share one trigger ID, in simulated time: each drives the package's own rate limiter against a limiter, and
// sees nothing of the others but its refusals.
import { CALLS_PER_SECOND } from '../../nodes/sobot/canvas/adaptiveRate';
import type { Clock } from '../../nodes/sobot/clock';
import { RateLimiter } from '../../nodes/sobot/canvas/rateLimiter';
import { SimulatedClock } from '../support/clock.mts';
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
	/** how long a process of a busy machine runs before it must wait, and how long it waits then, in ms */
	stalls?: { runsMs: [number, number]; waitsMs: [number, number] };
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
	const clock = new SimulatedClock(0);
	clock.random = random;
	const limiter = crowd.limiter?.() ?? slidingWindow(CALLS_PER_SECOND);
	const calls: Call[] = [];

	const send = async (process: number, sender: Sender, own: Clock): Promise<boolean> => {
		const sentMs = clock.nowMs();
		await clock.sleep(draw(wayMs));
		const arrivedMs = clock.nowMs();
		const accepted = limiter.accepts(arrivedMs);
		calls.push({ process, arrivedMs, accepted });
		await own.sleep(draw(backMs));
		if (!accepted) sender.refused(sentMs);
		return accepted;
	};
	const drive = async (process: number): Promise<void> => {
		const own = crowd.stalls ? new BusyClock(clock, crowd.stalls, draw) : clock;
		const sender = crowd.fixedRate === undefined ? new RateLimiter(own) : unadapted(own, crowd.fixedRate);
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
			void send(process, sender, own).then((accepted) => {
				inFlight--;
				if (!accepted) waiting++;
			});
		}
	};
	for (let process = 0; process < processes; process++) void drive(process);
	await clock.advance(seconds * 1000);
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

/** The clock of a process that has to wait for the processor now and then: what falls due meanwhile comes later. */
class BusyClock implements Clock {
	private startMs = 0;
	private endMs = 0;

	constructor(
		private readonly clock: Clock,
		private readonly stalls: NonNullable<Crowd['stalls']>,
		private readonly draw: (range: [number, number]) => number,
	) {}

	nowMs(): number {
		return this.clock.nowMs();
	}

	epochMs(): number {
		return this.clock.epochMs();
	}

	random(): number {
		return this.clock.random();
	}

	async sleep(ms: number): Promise<void> {
		await this.clock.sleep(ms);
		const nowMs = this.nowMs();
		while (nowMs >= this.endMs) {
			this.startMs = this.endMs + this.draw(this.stalls.runsMs);
			this.endMs = this.startMs + this.draw(this.stalls.waitsMs);
		}
		if (nowMs >= this.startMs) await this.clock.sleep(this.endMs - nowMs);
	}
}
