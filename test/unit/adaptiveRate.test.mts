import { AdaptiveRate } from '../../nodes/sobot/canvas/adaptiveRate';

/** Calls at the adaptive rate, of which a share is refused, answered after 50 ms. Returns the moment of the end. */
function drive(
	rate: AdaptiveRate,
	fromMs: number,
	seconds: number,
	isRefused: (call: number) => boolean,
): number {
	let nowMs = fromMs;
	for (let call = 0; nowMs < fromMs + seconds * 1000; call++) {
		rate.recordSent(nowMs);
		nowMs = Math.max(nowMs + 1000 / rate.rateAt(nowMs), rate.pausedUntilMs);
		if (isRefused(call)) rate.refused(nowMs, nowMs - 50);
	}
	return nowMs;
}

test('starts just below the limit and stays there while nothing is refused', () => {
	const rate = new AdaptiveRate(() => 0.5);
	expect(rate.rateAt(0)).toBe(48.3);
	const nowMs = drive(rate, 0, 60, () => false);
	expect(rate.rateAt(nowMs)).toBe(48.3);
});

test('a second refusal soon after the first takes off a little of the rate', () => {
	const rate = new AdaptiveRate(() => 0.5);
	const nowMs = drive(rate, 0, 5, () => false);
	rate.refused(nowMs, nowMs - 50);
	const laterMs = drive(rate, nowMs, 3, () => false);
	rate.refused(laterMs, laterMs - 50);
	expect(rate.rateAt(laterMs) / 48.3).toBeGreaterThan(0.95);
	expect(rate.rateAt(laterMs) / 48.3).toBeLessThan(1);
});

test('does not decrease further when refusals arrive before the slower acceptances', () => {
	const rate = new AdaptiveRate(() => 0.5);
	const nowMs = drive(rate, 0, 1, () => false);
	rate.refused(nowMs, nowMs - 50);
	expect(rate.rateAt(nowMs) / 48.3).toBeGreaterThan(0.97);
});

test('refusals of calls that were sent before the last decrease do not decrease it again', () => {
	const rate = new AdaptiveRate(() => 0.5);
	const nowMs = drive(rate, 0, 5, () => false);
	rate.refused(nowMs, nowMs - 50);
	const once = rate.rateAt(nowMs);
	rate.refused(nowMs, nowMs - 49);
	expect(rate.rateAt(nowMs)).toBe(once);
});

test('after an overload, waits until the oldest accepted call has left the full second', () => {
	const rate = new AdaptiveRate(() => 0.5);
	const calls = Array.from({ length: 48 }, (_, i) => i * 20);
	for (const sentMs of calls) rate.recordSent(sentMs);
	rate.refused(950, 800);
	expect(rate.pausedUntilMs).toBe(-Infinity);
	// Too early to cause another reaction, but they count for the next one.
	for (const sentMs of calls.slice(38)) rate.refused(955, sentMs);
	for (const sentMs of [960, 980, 1000]) rate.recordSent(sentMs);
	for (const sentMs of [960, 980, 1000]) rate.refused(sentMs + 50, sentMs);
	expect(rate.pausedUntilMs).toBe(1000);
	expect(rate.rateAt(1000)).toBeLessThan(0.9 * 48.3);
});

test('a process that has long sent few calls is refused: it only slows down a little', () => {
	const rate = new AdaptiveRate(() => 0.5);
	for (let sentMs = 0; sentMs <= 5000; sentMs += 100) rate.recordSent(sentMs);
	rate.refused(5050, 5000);
	expect(rate.pausedUntilMs).toBe(-Infinity);
	expect(rate.rateAt(5050)).toBeGreaterThan(0.85 * 48.3);
});

test('a process that is refused at its begin waits as after an overload: others fill the limit', () => {
	const rate = new AdaptiveRate(() => 0.5);
	for (const sentMs of [0, 20, 40, 60, 80]) rate.recordSent(sentMs);
	rate.refused(130, 80);
	expect(rate.pausedUntilMs).toBe(1000);
	expect(rate.rateAt(1000)).toBeLessThan(0.3 * 48.3);
});

test('one refusal among many pauses nothing', () => {
	const rate = new AdaptiveRate(() => 0.5);
	const nowMs = drive(rate, 0, 5, () => false);
	rate.refused(nowMs, nowMs - 50);
	expect(rate.pausedUntilMs).toBeLessThan(nowMs);
});

test('never falls below one call in two seconds', () => {
	const rate = new AdaptiveRate(() => 0.5);
	const endMs = drive(rate, 0, 60, () => true);
	expect(rate.rateAt(endMs)).toBeGreaterThanOrEqual(0.5);
	expect(rate.rateAt(endMs)).toBeLessThan(2);
});

test.each([
	['half of its calls were let through for a while', 1, 25],
	['nearly none was let through for long', 60, 30],
])('is back near the limit soon after %s', (_, refusedSeconds, backWithinSeconds) => {
	const rate = new AdaptiveRate(() => 0.5);
	const nowMs = drive(rate, 0, refusedSeconds, (call) => call % 2 === 0);
	expect(rate.rateAt(nowMs)).toBeLessThan(30);
	const endMs = drive(rate, nowMs, backWithinSeconds, () => false);
	expect(rate.rateAt(endMs)).toBeGreaterThanOrEqual(48.3);
});
