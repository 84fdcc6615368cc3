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

/** A second without a refusal adds this share of the rate, */
const GROWTH_SHARE = 0.01;
/** and this many calls a second: it is what makes processes that started apart come together. */
const GROWTH_CALLS = 0.1;
/** A crowd so large that each has fewer calls a second than this grows by less, or it would only refuse itself. */
const CROWD_RATE = 4;
/** After so many turns without a refusal the others have probably left: growth doubles each second, up to a bound. */
const QUIET_TURNS = 60;
const SHORTEST_QUIET_SECONDS = 1.2;
const LONGEST_QUIET_SECONDS = 8;
const FASTEST_GROWTH_SHARE = 0.15;
const FASTEST_GROWTH_CALLS = 2;

/** A refusal takes off the share of the last second's calls that was refused, but no more than this, */
const LARGEST_DECREASE = 0.1;
/** and less than that where it is so small that calls squeezed together by chance explain it; */
const CHANCE_SHARE = 0.04;
/** but where a fifth was refused, the rate falls to what was let through. */
const OVERLOAD_SHARE = 0.2;
/** Fewer answers than this show no share. */
const FEWEST_ANSWERS = 5;

interface Answer {
	atMs: number;
	refused: boolean;
}

/** The rate that a trigger ID bears, in calls a second. Moments are milliseconds, and must not go backwards. */
export class AdaptiveRate {
	private rate = HIGHEST_RATE;
	private grownToMs?: number;
	private firstAnswerMs?: number;
	private lastDecreaseMs = -Infinity;
	private lastRefusalMs = -Infinity;
	/** the answers of the last second */
	private answers: Answer[] = [];
	/** when the calls of the last second were sent */
	private readonly sentMs: number[] = [];

	/** A call leaves now. Returns how many a second may leave from here on. */
	sent(nowMs: number): number {
		this.sentMs.push(nowMs);
		while ((this.sentMs[0] ?? nowMs) <= nowMs - WINDOW_MS) this.sentMs.shift();
		return this.at(nowMs);
	}

	/** A call was let through. */
	accepted(nowMs: number): void {
		this.note({ atMs: nowMs, refused: false });
	}

	/** A call that was sent at `sentMs` was refused for being over the limit. */
	refused(nowMs: number, sentMs: number): void {
		this.note({ atMs: nowMs, refused: true });
		let rate = this.at(nowMs);
		const refused = this.answers.filter((answer) => answer.refused).length;
		const sent = this.sentMs.filter((ms) => ms > nowMs - WINDOW_MS).length;
		// Refusals come back sooner than what Sobot has to work at: then the answers alone would show too many.
		const refusedShare = refused / Math.max(this.answers.length, sent);
		const seconds = Math.min(WINDOW_MS, Math.max(50, nowMs - (this.firstAnswerMs ?? nowMs))) / 1000;
		// What was sent before the last decrease knew nothing of it: it must not decrease the rate again.
		if (sentMs > this.lastDecreaseMs) {
			rate *= 1 - Math.min(LARGEST_DECREASE, refusedShare * Math.min(1, refusedShare / CHANCE_SHARE));
			this.lastDecreaseMs = nowMs;
		}
		// Only who uses the rate can tell from what was let through what can be.
		const isUsed = this.answers.length >= FEWEST_ANSWERS && this.answers.length / seconds > 0.7 * this.rate;
		if (isUsed && refused / this.answers.length > OVERLOAD_SHARE) {
			rate = Math.min(rate, (this.answers.length - refused) / seconds);
		}
		this.rate = Math.max(LOWEST_RATE, rate);
		this.lastRefusalMs = nowMs;
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
		const growth = GROWTH_SHARE * this.rate + GROWTH_CALLS * Math.min(1, this.rate / CROWD_RATE);
		const quietFrom = Math.min(
			LONGEST_QUIET_SECONDS,
			Math.max(SHORTEST_QUIET_SECONDS, QUIET_TURNS / this.rate),
		);
		const quietSeconds = (nowMs - this.lastRefusalMs) / 1000 - quietFrom;
		const fastest = Math.max(FASTEST_GROWTH_SHARE * this.rate, FASTEST_GROWTH_CALLS);
		return Math.min(fastest, growth * Math.max(1, 2 ** quietSeconds));
	}

	private note(answer: Answer): void {
		this.firstAnswerMs ??= answer.atMs;
		this.answers.push(answer);
		const oldest = this.answers.findIndex(({ atMs }) => atMs > answer.atMs - WINDOW_MS);
		if (oldest > 0) this.answers.splice(0, oldest);
	}
}
