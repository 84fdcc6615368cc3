// How fast a trigger ID may be called. Sobot shares its limit among all programs that call the trigger ID, and this
// process only sees which of its own calls were refused: so the rate goes down on refusals, and up when they stop.
// docs/benchmarks.md shows by simulation what these numbers give for 1 to 256 processes.

/** Sobot's limit for a single trigger ID. Source: Sobot, "Rule Engine API", Limit. */
export const CALLS_PER_SECOND = 50;

/**
 * The first and the highest rate, a little below the limit: calls that left evenly spaced can arrive squeezed
 * together. With 35 ms of difference on the way and in this process, 1.035 s of them fit into a second.
 */
const HIGHEST_RATE = 0.966 * CALLS_PER_SECOND;
const LOWEST_RATE = 0.5;

const WINDOW_MS = 1000;

/** A second without a refusal adds so many calls a second: the same for all, so those that started apart come together. */
const GROWTH_CALLS = 0.25;
/** A crowd so large that each has fewer calls a second than this grows by less, or it would only refuse itself. */
const CROWD_RATE = 10;
/** After so many turns without a refusal the others have probably left: growth doubles each second, up to a bound. */
const QUIET_TURNS = 120;
const SHORTEST_QUIET_SECONDS = 1.2;
const LONGEST_QUIET_SECONDS = 8;
const FASTEST_GROWTH_SHARE = 0.15;
const FASTEST_GROWTH_CALLS = 2;

/** A refusal takes off this share of the rate, the same for all: so who has more gives up more, */
const DECREASE = 0.1;
/** and less where so few of the last second's calls were refused that calls squeezed together by chance explain it; */
const CHANCE_SHARE = 0.04;
/** but where a fifth was refused, the rate falls to what was let through, down to a quarter at once, */
const OVERLOAD_SHARE = 0.2;
const LARGEST_FALL = 0.25;
/** and not again before it has been tried for so long. */
const SHORTEST_TRIAL_MS = 500;
/** Fewer calls than this show no share. */
const FEWEST_CALLS = 5;
/** What was sent this many calls ago says nothing of now. */
const REMEMBERED_CALLS = 256;

interface Call {
	sentMs: number;
	refused: boolean;
}

/** The rate that a trigger ID bears, in calls a second. Moments are milliseconds, and must not go backwards. */
export class AdaptiveRate {
	private rate = HIGHEST_RATE;
	private grownToMs?: number;
	private lastDecreaseMs = -Infinity;
	private lastRefusalMs = -Infinity;
	private triedFromMs = -Infinity;
	/** the latest calls, the oldest first */
	private readonly calls: Call[] = [];

	private fullUntil = -Infinity;

	/** Until this moment Sobot would refuse every call. */
	get fullUntilMs(): number {
		return this.fullUntil;
	}

	/** A call leaves now. Returns how many a second may leave from here on. */
	sent(nowMs: number): number {
		this.calls.push({ sentMs: nowMs, refused: false });
		if (this.calls.length > REMEMBERED_CALLS) this.calls.shift();
		return this.at(nowMs);
	}

	/** A call that was sent at `sentMs` was refused for being over the limit. */
	refused(nowMs: number, sentMs: number): void {
		this.rate = this.at(nowMs);
		this.lastRefusalMs = nowMs;
		const call = this.calls.findLast((one) => one.sentMs <= sentMs && !one.refused);
		if (!call) return;
		call.refused = true;
		// What was sent before the last decrease knew nothing of it: it must not decrease the rate again.
		if (sentMs <= this.lastDecreaseMs) return;
		this.lastDecreaseMs = nowMs;

		const second = this.calls.filter(
			(one) => one.sentMs > call.sentMs - WINDOW_MS && one.sentMs <= call.sentMs,
		);
		const letThrough = second.filter((one) => !one.refused);
		const share = 1 - letThrough.length / second.length;
		let rate = this.rate * (1 - DECREASE * Math.min(1, share / CHANCE_SHARE) ** 2);
		const isTried = sentMs >= this.triedFromMs + SHORTEST_TRIAL_MS;
		if (second.length >= FEWEST_CALLS && share > OVERLOAD_SHARE && isTried) {
			rate = Math.min(rate, Math.max(letThrough.length, LARGEST_FALL * this.rate));
			// Sobot's second is full. Of what fills it, the oldest of our own is the first that we know to leave it.
			this.fullUntil = (letThrough[0]?.sentMs ?? -Infinity) + WINDOW_MS;
			this.triedFromMs = Math.max(nowMs, this.fullUntil);
		}
		this.rate = Math.max(LOWEST_RATE, rate);
	}

	private at(nowMs: number): number {
		const seconds = (nowMs - (this.grownToMs ?? nowMs)) / 1000;
		this.grownToMs = nowMs;
		if (this.rate < HIGHEST_RATE) {
			this.rate = Math.min(HIGHEST_RATE, this.rate + this.growthPerSecond(nowMs) * seconds);
		}
		return this.rate;
	}

	private growthPerSecond(nowMs: number): number {
		const growth = GROWTH_CALLS * Math.min(1, this.rate / CROWD_RATE);
		const quietFrom = Math.min(
			LONGEST_QUIET_SECONDS,
			Math.max(SHORTEST_QUIET_SECONDS, QUIET_TURNS / this.rate),
		);
		const quietSeconds = (nowMs - this.lastRefusalMs) / 1000 - quietFrom;
		const fastest = Math.max(FASTEST_GROWTH_SHARE * this.rate, FASTEST_GROWTH_CALLS);
		return Math.min(fastest, growth * Math.max(1, 2 ** quietSeconds));
	}
}
