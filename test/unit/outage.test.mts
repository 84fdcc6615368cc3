import { Outage } from '../../nodes/sobot/delivery/outage';
import { SimulatedClock } from '../support/clock.mts';

function setUp() {
	const clock = new SimulatedClock();
	clock.chance = 0;
	return { clock, outage: new Outage(clock) };
}

test('is off, and asks nobody to wait, while all is well', () => {
	const { outage } = setUp();
	outage.recordClear(0);
	expect([outage.isOn, outage.waitMs]).toEqual([false, 0]);
});

test('pauses twice as long each time, up to ten seconds', async () => {
	const { clock, outage } = setUp();
	const pauses: number[] = [];
	for (let i = 0; i < 7; i++) {
		outage.extend();
		pauses.push(outage.waitMs);
		await clock.advance(outage.waitMs);
	}
	expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
});

test('grows once for many calls that fail together', () => {
	const { outage } = setUp();
	for (let i = 0; i < 50; i++) outage.extend();
	expect(outage.waitMs).toBe(500);
});

test('takes one unclear answer for chance, and two in a row for an outage', () => {
	const { clock, outage } = setUp();
	outage.recordUnclear();
	outage.recordClear(clock.nowMs());
	outage.recordUnclear();
	expect(outage.isOn).toBe(false);
	outage.recordUnclear();
	expect(outage.isOn).toBe(true);
});

test('ends with a clear answer to a call sent during it, not to an earlier one', async () => {
	const { clock, outage } = setUp();
	const beforeMs = clock.nowMs();
	await clock.advance(100);
	outage.extend();
	outage.recordClear(beforeMs);
	expect(outage.isOn).toBe(true);
	await clock.advance(500);
	outage.recordClear(clock.nowMs());
	expect([outage.isOn, outage.waitMs]).toEqual([false, 0]);
	outage.extend();
	expect(outage.waitMs).toBe(500);
});

test('shortens a pause at random by up to a quarter', () => {
	const { clock, outage } = setUp();
	clock.chance = 1;
	outage.extend();
	expect(outage.waitMs).toBe(375);
});
