import { CanvasTrust } from '../../nodes/sobot/canvas/canvasTrust';
import { SimulatedClock } from '../support/clock.mts';

const HOUR_MS = 3_600_000;

function setUp() {
	const clock = new SimulatedClock();
	return { clock, trust: new CanvasTrust(clock) };
}

test('blames a canvas that has accepted nobody after three tokens', () => {
	const { trust } = setUp();
	expect(['a', 'a', 'b', 'b', 'c', 'd'].map((token) => trust.recordNotFound(token))).toEqual([
		false,
		false,
		false,
		false,
		true,
		true,
	]);
});

test('blames a canvas that has accepted customers only after eight tokens in a row', () => {
	const { trust } = setUp();
	trust.recordAccepted();
	for (const token of 'abcdefg') expect(trust.recordNotFound(token)).toBe(false);
	trust.recordAccepted();
	for (const token of 'abcdefg') expect(trust.recordNotFound(token)).toBe(false);
	expect(trust.recordNotFound('h')).toBe(true);
});

test('gives a blamed canvas another chance after an hour', async () => {
	const { clock, trust } = setUp();
	for (const token of 'abc') trust.recordNotFound(token);
	await clock.advance(HOUR_MS - 1);
	expect(trust.recordNotFound('d')).toBe(true);
	await clock.advance(1);
	expect(trust.recordNotFound('d')).toBe(false);
});

test('a canvas that has accepted nobody for two hours counts as one that never has', async () => {
	const { clock, trust } = setUp();
	trust.recordAccepted();
	await clock.advance(2 * HOUR_MS);
	expect(['a', 'b', 'c'].map((token) => trust.recordNotFound(token))).toEqual([false, false, true]);
});
