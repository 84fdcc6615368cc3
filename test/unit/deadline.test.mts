import { Deadline } from '../../nodes/sobot/deadline';
import { SimulatedClock } from '../support/clock.mts';

test('a call that never ends is given up within a second of its limit; others keep their outcome', async () => {
	const clock = new SimulatedClock();
	const deadline = new Deadline(clock, 5000);
	const startMs = clock.nowMs();
	const endless = deadline.bound(new Promise(() => undefined));
	const answered = deadline.bound(clock.sleep(3000).then(() => 'answer'));
	const failed = deadline.bound(Promise.reject(new Error('reset')));
	await expect(failed).rejects.toThrow('reset');
	expect(await clock.run(answered)).toBe('answer');
	await expect(clock.run(endless)).rejects.toMatchObject({ code: 'ECONNABORTED' });
	expect(clock.nowMs() - startMs).toBeGreaterThanOrEqual(5000);
	expect(clock.nowMs() - startMs).toBeLessThanOrEqual(6000);
});

test('leaves no timer behind once nothing is in flight', async () => {
	const clock = new SimulatedClock();
	const deadline = new Deadline(clock, 5000);
	await clock.run(deadline.bound(clock.sleep(10)));
	await clock.advance(2000);
	const { sleeps } = clock;
	await clock.advance(60_000);
	expect(clock.sleeps).toBe(sleeps);
});
