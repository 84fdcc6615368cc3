// Adaptive rate limit for one trigger ID, AIMD as in TCP: additive increase while nothing is refused, multiplicative
// decrease on refusals. Sobot's limit is shared with other processes, of which this one sees only its own refusals, and
// Sobot does not document how it counts. docs/benchmarks.md shows what these numbers give in simulation, against several
// kinds of limiter and for 1 to 256 processes.

/** Sobot's limit for a single trigger ID, in calls per second. Source: Sobot, "Rule Engine API", Limit. */
export const CALLS_PER_SECOND = 50;

/**
 * Initial and maximum rate, in calls per second. Slightly below the limit because network jitter compresses arrivals: with
 * 35 ms of jitter, 1.035 s worth of calls can arrive within one second.
 */
const HIGHEST_RATE = 0.966 * CALLS_PER_SECOND;

/** Length of Sobot's sliding window, in ms. */
export const WINDOW_MS = 1000;

/** Jitter may compress calls sent within this time, in ms, into Sobot's window: at most 50 leave in it. */
export const SAFE_WINDOW_MS = (WINDOW_MS * CALLS_PER_SECOND) / HIGHEST_RATE;

/** Minimum rate, in calls per second: a process notices within seconds that others have left. */
const LOWEST_RATE = 0.5;

/** Additive increase, in calls per second for each second. Identical in every process, so rates converge. */
const GROWTH = 0.25;

/** Below this rate, in calls per second, growth is scaled down: in a crowd, full growth would only produce refusals. */
const CROWD_RATE = 10;

/** After this many calls without a refusal, other processes have probably left: growth doubles every second. */
const QUIET_CALLS = 120;

/** Growth does not double before this many seconds without a refusal. */
const SHORTEST_QUIET_SECONDS = 1.2;

/** After this many seconds without a refusal, growth doubles in any case. */
const LONGEST_QUIET_SECONDS = 8;

/** Upper bound of the doubled growth, as a share of the rate for each second. */
const FASTEST_GROWTH_SHARE = 0.15;

/** The same bound for low rates, in calls per second for each second. */
const FASTEST_GROWTH_CALLS = 2;

/** Multiplicative decrease per refusal, as a share of the rate. Faster processes give up more, which evens out shares. */
const DECREASE = 0.1;

/** Up to this share of refusals may be caused by jitter alone; the decrease is scaled down accordingly. */
const CHANCE_SHARE = 0.04;

/** Above this share of refusals Sobot is overloaded: the rate falls to what was let through. */
const OVERLOAD_SHARE = 0.2;

/** A process that is refused in its first second, before it has sent this share of its rate: others fill the limit. */
const SHARE_OF_BEGINNERS = 0.7;

/** A single overload leaves at least this fraction of the rate. */
const LARGEST_FALL = 0.25;

/** Minimum time between two such falls, in ms. */
const SHORTEST_TRIAL_MS = 500;

/** Minimum number of calls for computing a share of refusals. */
const FEWEST_CALLS = 5;

/**
 * Nothing gets through once the refusals in a row are less likely than this by chance, given the share of calls that was
 * refused before. Where hundreds of processes share the limit, one is often refused ten times in a row.
 */
const CHANCE_OF_SILENCE = 0.001;

/** Number of assumed calls that this share counts besides the remembered ones, so that a few do not decide it. */
const ASSUMED_CALLS = 12;

/** How many of the assumed calls count as refused: many, since a process may start in a crowd. */
const ASSUMED_REFUSED = 9;

/** Pause before the first probe, in ms. Each refused probe doubles it, so that a limiter that bans callers lifts its ban. */
const FIRST_PAUSE_MS = 1000;

/** Longest pause between two probes, in ms. */
const LONGEST_PAUSE_MS = 30_000;

/** Nothing follows a probe for this long, in ms, so that its refusal can arrive. */
const PROBE_MS = 500;

/** A pause is shortened at random by up to this share of it, so that processes do not probe together. */
const PAUSE_JITTER = 0.5;

/** After silence the rate is this fraction of what was let through before. */
const SAFE_SHARE = 0.9;

/** Silence of more than this many ms comes from a limiter that bans, not from a full second. */
const SHORTEST_BAN_MS = 5000;

/** The rate does not grow for this many times the length of a ban, which bounds the share of time lost to bans. */
const HOLD_FACTOR = 4;

/** Number of calls kept: 5 s of them, longer than a refusal takes. */
const REMEMBERED_CALLS = 256;

/** A call, and whether its refusal has arrived. */
interface Call {
	readonly sentMs: number;
	isRefused: boolean;
}

/** Calls per second that a trigger ID currently allows. Timestamps are in ms and must be monotonic. */
export class AdaptiveRate {
	private rate = HIGHEST_RATE;
	private grownToMs?: number;
	private heldUntilMs = -Infinity;
	private lastReactionMs = -Infinity;
	private lastRefusalMs = -Infinity;
	private triedFromMs = -Infinity;
	/** reactions to refusals since the last call that got through */
	private reactions = 0;
	/** length of the last pause between probes; 0 while calls get through */
	private pauseMs = 0;
	/** until this moment Sobot would refuse every call */
	pausedUntilMs = -Infinity;
	/** whether the next call is a probe */
	private isProbing = false;
	/** the latest calls, oldest first */
	private readonly calls: Call[] = [];

	constructor(private readonly random: () => number) {}

	/** Records a call that leaves now. */
	recordSent(nowMs: number): void {
		this.calls.push({ sentMs: nowMs, isRefused: false });
		if (this.calls.length > REMEMBERED_CALLS) this.calls.shift();
		if (this.isProbing) this.pausedUntilMs = nowMs + PROBE_MS;
		this.isProbing = false;
	}

	/** How many calls per second may leave from now on. */
	rateAt(nowMs: number): number {
		this.growTo(nowMs);
		return this.rate;
	}

	/** Records that Sobot refused a call, sent at `sentMs`, because it was over the limit. */
	refused(nowMs: number, sentMs: number): void {
		this.growTo(nowMs);
		this.lastRefusalMs = nowMs;
		const call = this.calls.findLast((one) => one.sentMs <= sentMs && !one.isRefused);
		if (!call) return;
		call.isRefused = true;
		// A call sent before the last reaction could not benefit from it: it must not cause another.
		if (sentMs <= this.lastReactionMs) return;
		const lastThrough = this.calls.findLastIndex((one) => one.sentMs <= sentMs && !one.isRefused);
		const lastThroughMs = this.calls[lastThrough]?.sentMs ?? -Infinity;
		if (lastThroughMs >= this.lastReactionMs) this.reactions = this.pauseMs = 0;
		this.reactions++;
		this.lastReactionMs = nowMs;
		const chance = refusedShare(this.calls.slice(0, lastThrough + 1)) ** this.reactions;
		if (chance < CHANCE_OF_SILENCE) this.pause(nowMs, lastThroughMs);
		else this.decrease(nowMs, call.sentMs);
	}

	/** Nothing gets through: probes with single calls, with longer and longer pauses. */
	private pause(nowMs: number, lastThroughMs: number): void {
		const hasBeenThrough = lastThroughMs > -Infinity;
		if (this.pauseMs === 0 && hasBeenThrough) {
			const letThrough = this.secondBefore(lastThroughMs).filter((one) => !one.isRefused);
			this.rate = Math.max(LOWEST_RATE, SAFE_SHARE * letThrough.length);
		}
		this.pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * this.pauseMs || FIRST_PAUSE_MS);
		this.pausedUntilMs = nowMs + this.pauseMs * (1 - PAUSE_JITTER * this.random());
		this.isProbing = true;
		const silentMs = this.pausedUntilMs - lastThroughMs;
		if (hasBeenThrough && silentMs >= SHORTEST_BAN_MS)
			this.heldUntilMs = this.pausedUntilMs + HOLD_FACTOR * silentMs;
	}

	/** Some calls get through: lowers the rate by the share of the last second's calls that was refused. */
	private decrease(nowMs: number, sentMs: number): void {
		const second = this.secondBefore(sentMs);
		const letThrough = second.filter((one) => !one.isRefused);
		const share = 1 - letThrough.length / second.length;
		let rate = this.rate * (1 - DECREASE * Math.min(1, share / CHANCE_SHARE) ** 2);
		const isTried = sentMs >= this.triedFromMs + SHORTEST_TRIAL_MS;
		const isBeginner = this.calls[0] === second[0] && second.length < SHARE_OF_BEGINNERS * this.rate;
		const isOverload = second.length >= FEWEST_CALLS && share > OVERLOAD_SHARE;
		if (isTried && (isBeginner || isOverload)) {
			rate = Math.min(rate, Math.max(letThrough.length, LARGEST_FALL * this.rate));
			// Sobot's second is full. Of the calls that fill it, our oldest is the first that we know to leave it.
			this.pausedUntilMs = (letThrough[0]?.sentMs ?? nowMs) + WINDOW_MS;
			this.triedFromMs = Math.max(nowMs, this.pausedUntilMs);
		}
		this.rate = Math.max(LOWEST_RATE, rate);
	}

	/** The calls that left within the second before a moment. */
	private secondBefore(endMs: number): Call[] {
		return this.calls.filter((one) => one.sentMs > endMs - WINDOW_MS && one.sentMs <= endMs);
	}

	/** Lets the rate grow for the time since it last grew, without pauses and holds. */
	private growTo(nowMs: number): void {
		const fromMs = Math.max(this.grownToMs ?? nowMs, this.pausedUntilMs, this.heldUntilMs);
		const seconds = Math.max(0, nowMs - fromMs) / 1000;
		this.grownToMs = nowMs;
		this.rate = Math.min(HIGHEST_RATE, this.rate + this.growthPerSecond(nowMs) * seconds);
	}

	private growthPerSecond(nowMs: number): number {
		const growth = GROWTH * Math.min(1, this.rate / CROWD_RATE);
		const quietFromMs = Math.max(this.lastRefusalMs, this.heldUntilMs);
		const quietSeconds = Math.min(
			LONGEST_QUIET_SECONDS,
			Math.max(SHORTEST_QUIET_SECONDS, QUIET_CALLS / this.rate),
		);
		const doublings = (nowMs - quietFromMs) / 1000 - quietSeconds;
		const fastest = Math.max(FASTEST_GROWTH_SHARE * this.rate, FASTEST_GROWTH_CALLS);
		return Math.min(fastest, growth * Math.max(1, 2 ** doublings));
	}
}

/** The share of refusals among these calls and the assumed ones. */
function refusedShare(calls: readonly Call[]): number {
	const refused = calls.filter((one) => one.isRefused).length;
	return (refused + ASSUMED_REFUSED) / (calls.length + ASSUMED_CALLS);
}
