// What n8n's log says of a batch: while it is sent, and if it ends early.
import type { IExecuteFunctions } from 'n8n-workflow';
import type { Plan } from '../../nodes/SobotRuleEngine/canvas/plan';
import { logProgress, showEarlyEnd } from '../../nodes/SobotRuleEngine/canvas/progress';
import { newCustomer, type Knowledge } from '../../nodes/sobot/outcome/customer';
import { ACCEPTED } from '../../nodes/sobot/outcome/verdict';
import { SimulatedClock } from '../support/clock.mts';

const ALREADY_SENT: Knowledge = { ...ACCEPTED, outcome: 'alreadySent' };

let clock: SimulatedClock;
let log: string[];
let shown: Record<string, string>;

beforeEach(() => {
	clock = new SimulatedClock();
	log = [];
	shown = {};
});

const node = () =>
	({
		getNode: () => ({ name: 'Sobot' }),
		logger: { info: (line: string) => log.push(line), warn: (line: string) => log.push(line) },
		getWorkflowDataProxy: () => ({
			$execution: { customData: { set: (key: string, value: string) => (shown[key] = value) } },
		}),
	}) as unknown as IExecuteFunctions;

const batch = (...known: Knowledge[]) =>
	known.map((one) => ({ kind: 'send', customer: { ...newCustomer(''), known: one } }) as Plan);

/** Follows a batch in the log. */
function follow(...known: Knowledge[]) {
	const plans = batch(...known);
	let hasEnded = false;
	const logged = logProgress(node(), plans, clock, () => hasEnded);
	const settle = (from: number, to: number, what: Knowledge) => {
		for (const { customer } of plans.slice(from, to)) customer.known = what;
	};
	return { logged, settle, end: () => (hasEnded = true) };
}

const many = (count: number, known: Knowledge) => Array.from({ length: count }, () => known);

test('a line each 30 s, whether or not Sobot answers, and one at the end', async () => {
	const { settle, end, logged } = follow(...many(100, 'open'));
	await clock.advance(29_000);
	expect(log).toEqual([]);
	settle(0, 60, ACCEPTED);
	await clock.advance(1000);
	expect(log).toEqual(['Sobot is sending: 60 of 100 customers accepted, 40 left, 2.0 a second']);
	await clock.advance(30_000);
	expect(log.length).toBe(2);
	settle(60, 100, ACCEPTED);
	end();
	await clock.advance(1000);
	await logged;
	expect(log[2]).toMatch(/^Sobot has ended: 100 of 100 customers accepted, 0 left, 1\.6 a second$/);
	await clock.advance(120_000);
	expect(log.length).toBe(3);
});

test('a call that is on its way is left, and whoever was sent before does not count for the rate', async () => {
	const { settle } = follow(...many(150, ACCEPTED), ...many(150, 'open'));
	settle(150, 180, ALREADY_SENT);
	settle(180, 240, ACCEPTED);
	settle(240, 243, 'inDoubt');
	await clock.advance(30_000);
	expect(log).toEqual(['Sobot is sending: 240 of 300 customers accepted, 60 left, 2.0 a second']);
});

test('a customer of whom nothing is known is left, as in the list of executions', async () => {
	follow({ ...ACCEPTED, outcome: 'unknown', isUntold: true }, ACCEPTED);
	await clock.advance(30_000);
	expect(log).toEqual(['Sobot is sending: 1 of 2 customers accepted, 1 left, 0.0 a second']);
});

test('a short batch writes nothing, and keeps nothing', async () => {
	const { end, logged } = follow('open');
	end();
	await clock.advance(1000);
	await logged;
	const { sleeps } = clock;
	await clock.advance(120_000);
	expect(log).toEqual([]);
	expect(clock.sleeps).toBe(sleeps);
});

describe('a batch that ends early', () => {
	const states: Knowledge[] = [ACCEPTED, { ...ACCEPTED, outcome: 'refused' }, 'open', 'inDoubt'];
	const long = Array.from({ length: 800 }, (_, i): Knowledge => states[i % 4] ?? 'open');

	test('the log says what the list of executions shows', () => {
		showEarlyEnd(
			node(),
			batch(ACCEPTED, 'inDoubt', { ...ACCEPTED, outcome: 'refused' }, 'open', ALREADY_SENT),
		);
		const text =
			'Sobot ended early. Accepted: 2 customers (items 0, 4) of 5. Failed: 1 customer (item 2). Not reached yet: 1 customer (item 3). Unknown: 1 customer (item 1).';
		expect(shown).toEqual({ sobot: text });
		expect(log).toEqual([text]);
	});

	test('a list that n8n would cut ends between two numbers there, and says how many more there are', () => {
		showEarlyEnd(node(), batch(...long));
		expect(shown.sobot).toBe(
			'Sobot ended early. Accepted: 200 customers (items 0, 4, 8, ... and 197 more) of 800. Failed: 200 customers (items 1, 5, 9, ... and 197 more). Not reached yet: 200 customers (items 2, 6, 10, ... and 197 more). Unknown: 200 customers (items 3, 7, 11, ... and 197 more).',
		);
		expect(log[0]).toMatch(/items 0, 4, 8,.* 796\) of 800\..*items 3, 7, .* 799\)\.$/);
	});

	test('n8n cuts none, however large the batch', () => {
		const first = many(100_000, ACCEPTED);
		const named = { ...node(), getNode: () => ({ name: 'N'.repeat(100) }) } as unknown as IExecuteFunctions;
		const pairs = long.flatMap((one) => [one, one]);
		showEarlyEnd(named, batch(...first, ...pairs));
		expect(shown.sobot?.length).toBeGreaterThan(300);
		expect(shown.sobot?.length).toBeLessThanOrEqual(512);
	});
});

test('a log that fails ends nothing', async () => {
	log.push = () => {
		throw new Error('the disk is full');
	};
	let hasEnded = false;
	const logged = logProgress(node(), batch('open'), clock, () => hasEnded);
	await clock.advance(31_000);
	hasEnded = true;
	await clock.advance(1000);
	await expect(logged).resolves.toBeUndefined();
	// What the node remembers is stored after it.
	expect(() => showEarlyEnd(node(), batch('open'))).not.toThrow();
});
