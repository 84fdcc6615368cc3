import { AdaptiveRate } from '../../nodes/sobot/adaptiveRate';

/** Calls at the rate's own pace, of which a share is refused, answered after 50 ms. Returns the moment of the end. */
function drive(
	rate: AdaptiveRate,
	fromMs: number,
	seconds: number,
	isRefused: (call: number) => boolean,
): number {
	let nowMs = fromMs;
	for (let call = 0; nowMs < fromMs + seconds * 1000; call++) {
		nowMs += 1000 / rate.sent(nowMs);
		if (isRefused(call)) rate.refused(nowMs, nowMs - 50);
	}
	return nowMs;
}

test('starts just below the limit, and stays there while nothing is refused', () => {
	const rate = new AdaptiveRate();
	expect(rate.sent(0)).toBe(48.3);
	drive(rate, 0, 60, () => false);
	expect(rate.sent(60_000)).toBe(48.3);
});

test('one refusal among many takes off little', () => {
	const rate = new AdaptiveRate();
	const nowMs = drive(rate, 0, 5, () => false);
	rate.refused(nowMs, nowMs - 50);
	expect(rate.sent(nowMs) / 48.3).toBeGreaterThan(0.97);
	expect(rate.sent(nowMs) / 48.3).toBeLessThan(1);
});

test('takes off no more where Sobot works at what it accepts, and so the refusal is the first answer of all', () => {
	const rate = new AdaptiveRate();
	let nowMs = 0;
	for (let call = 0; call < 50; call++) nowMs += 1000 / rate.sent(nowMs);
	rate.refused(nowMs, nowMs - 50);
	expect(rate.sent(nowMs) / 48.3).toBeGreaterThan(0.97);
});

test('refusals of calls that were sent before the last decrease do not decrease it again', () => {
	const rate = new AdaptiveRate();
	const nowMs = drive(rate, 0, 5, () => false);
	rate.refused(nowMs, nowMs - 50);
	const once = rate.sent(nowMs);
	rate.refused(nowMs, nowMs - 49);
	expect(rate.sent(nowMs)).toBe(once);
});

test('falls within a second to what is let through when others take the most of it', () => {
	const rate = new AdaptiveRate();
	const nowMs = drive(rate, 0, 5, () => false);
	const endMs = drive(rate, nowMs, 1.5, (call) => call % 5 >= 2);
	expect(rate.sent(endMs)).toBeLessThan(30);
	expect(rate.sent(endMs)).toBeGreaterThan(5);
});

test('where too much was refused, waits until the oldest call let through has left the full second', () => {
	const rate = new AdaptiveRate();
	for (const sentMs of [0, 20, 40, 60, 80]) rate.sent(sentMs);
	rate.refused(130, 80);
	expect(rate.fullUntilMs).toBe(-Infinity);
	rate.sent(140);
	rate.refused(190, 140);
	expect(rate.fullUntilMs).toBe(1000);
	expect(rate.sent(1000)).toBeLessThan(0.3 * 48.3);
});

test('one refusal among many makes nobody wait', () => {
	const rate = new AdaptiveRate();
	const nowMs = drive(rate, 0, 5, () => false);
	rate.refused(nowMs, nowMs - 50);
	expect(rate.fullUntilMs).toBeLessThan(nowMs);
});

test('is never so low that nothing is sent any more', () => {
	const rate = new AdaptiveRate();
	const endMs = drive(rate, 0, 60, () => true);
	expect(rate.sent(endMs)).toBeGreaterThanOrEqual(0.5);
	expect(rate.sent(endMs)).toBeLessThan(2);
});

test.each([
	['half of its calls were let through for a while', 1, 25],
	['nearly none was let through for long', 60, 30],
])('is back at the limit soon after %s, and never above', (_, refusedSeconds, backWithinSeconds) => {
	const rate = new AdaptiveRate();
	const nowMs = drive(rate, 0, refusedSeconds, (call) => call % 2 === 0);
	expect(rate.sent(nowMs)).toBeLessThan(30);
	const endMs = drive(rate, nowMs, backWithinSeconds, () => false);
	expect(rate.sent(endMs)).toBe(48.3);
});
