// Each way of counting calls against a limit of two a second, at given moments.
import { Limiter, LIMITER_KINDS, type LimiterKind } from './limiter.mts';

/** The outcome of calls that arrive at these moments, as a pattern of + and -. */
function outcomes(kind: LimiterKind, momentsMs: number[]): string {
	const limiter = new Limiter(kind);
	return momentsMs.map((ms) => (limiter.take(2, ms) ? '+' : '-')).join('');
}

test.each(LIMITER_KINDS)('%s: two calls at once are within the limit, a third is not', (kind) => {
	expect(outcomes(kind, [900, 900, 900])).toBe('++-');
});

test.each<[LimiterKind, number[], string]>([
	// Two calls in any one second, whenever it begins.
	['slidingWindow', [900, 900, 1000, 1899, 1900, 1900, 1900], '++--++-'],
	// The clock's next second begins at 1000.
	['fixedWindow', [900, 900, 999, 1000, 1000, 1999, 2000], '++-++-+'],
	// One more every 500 ms, never more than two.
	['tokenBucket', [900, 900, 1000, 1400, 1400, 1900, 9000, 9000, 9000], '++-+-+++-'],
	// A refused call counts: only a pause of a second helps.
	['countRefused', [900, 900, 1800, 1900, 2799, 3799, 3799], '++-+-++'],
	// After the refusal at 1000, nothing until 61000.
	['ban', [900, 900, 1000, 2500, 60_999, 61_000], '++---+'],
])('%s', (kind, momentsMs, expected) => {
	expect(outcomes(kind, momentsMs)).toBe(expected);
});
