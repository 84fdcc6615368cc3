// What n8n's log says of a batch: while it is sent, and if it ends early.
import type { IExecuteFunctions } from 'n8n-workflow';
import type { Plan } from '../../nodes/SobotRuleEngine/canvas/plan';
import { Progress } from '../../nodes/SobotRuleEngine/canvas/progress';
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

const node = () => {
	const customData = {
		get: (key: string) => shown[key],
		set: (key: string, value: string) => (shown[key] = value),
	};
	return {
		getNode: () => ({ name: 'Sobot' }),
		logger: { info: (line: string) => log.push(line), warn: (line: string) => log.push(line) },
		getWorkflowDataProxy: () => ({ $execution: { customData } }),
	} as unknown as IExecuteFunctions;
};

function batch(...known: Knowledge[]) {
	const plans = known.map((one) => ({ kind: 'send', customer: { ...newCustomer(''), known: one } }) as Plan);
	const settle = (from: number, to: number, what: Knowledge) => {
		for (const { customer } of plans.slice(from, to)) customer.known = what;
	};
	return { plans, settle, progress: new Progress(node(), plans, clock) };
}

const many = (count: number, known: Knowledge) => Array.from({ length: count }, () => known);

test('a line each 30 s, whether or not Sobot answers, and one at the end', async () => {
	const { settle, progress } = batch(...many(100, 'open'));
	await clock.advance(29_000);
	expect(log).toEqual([]);
	settle(0, 60, ACCEPTED);
	await clock.advance(2000);
	expect(log).toEqual(['Sobot is sending: 60 of 100 customers accepted, 40 left, 2.0 a second']);
	await clock.advance(30_000);
	expect(log.length).toBe(2);
	settle(60, 100, ACCEPTED);
	progress.end();
	expect(log[2]).toMatch(/^Sobot has ended: 100 of 100 customers accepted, 0 left, 1\.6 a second$/);
	await clock.advance(120_000);
	expect(log.length).toBe(3);
});

test('a call that is on its way is left, and whoever was sent before does not count for the rate', async () => {
	const { settle } = batch(...many(150, ACCEPTED), ...many(150, 'open'));
	settle(150, 180, ALREADY_SENT);
	settle(180, 240, ACCEPTED);
	settle(240, 243, 'inDoubt');
	await clock.advance(30_000);
	expect(log).toEqual(['Sobot is sending: 240 of 300 customers accepted, 60 left, 2.0 a second']);
});

test('a customer of whom nothing is known is left, as in the list of executions', async () => {
	batch({ ...ACCEPTED, outcome: 'unknown', isUntold: true }, ACCEPTED);
	await clock.advance(30_000);
	expect(log).toEqual(['Sobot is sending: 1 of 2 customers accepted, 1 left, 0.0 a second']);
});

test('a short batch writes nothing, and keeps nothing', async () => {
	const { progress } = batch('open');
	progress.end();
	await clock.advance(2000);
	const { sleeps } = clock;
	await clock.advance(120_000);
	expect(log).toEqual([]);
	expect(clock.sleeps).toBe(sleeps);
});

test('a log that fails ends nothing', async () => {
	const unhandled = jest.fn();
	process.once('unhandledRejection', unhandled);
	log.push = () => {
		throw new Error('the disk is full');
	};
	const { progress } = batch('open');
	await clock.advance(31_000);
	await new Promise(setImmediate);
	// What the node remembers is stored after it.
	expect(() => progress.end()).not.toThrow();
	process.off('unhandledRejection', unhandled);
	expect(unhandled).not.toHaveBeenCalled();
});

describe('a batch that ends early', () => {
	test('the log says what the list of executions shows', () => {
		const { progress } = batch(ACCEPTED, 'inDoubt', { ...ACCEPTED, outcome: 'refused' }, 'open');
		progress.showEarlyEnd();
		expect(shown).toEqual({
			sobot_accepted: 'Sobot: 1 customer (item 0)',
			sobot_unknown: 'Sobot: 1 customer (item 1)',
			sobot_failed: 'Sobot: 1 customer (item 2)',
			sobot_not_reached: 'Sobot: 1 customer (item 3)',
		});
		expect(log).toEqual([
			'Sobot ended early. sobot_accepted: 1 customer (item 0). sobot_unknown: 1 customer (item 1). sobot_failed: 1 customer (item 2). sobot_not_reached: 1 customer (item 3).',
		]);
	});

	test('a list that n8n would cut ends between two numbers, and says how many more there are', () => {
		const known = Array.from({ length: 400 }, (_, index) => (index % 2 === 0 ? ACCEPTED : 'open'));
		batch(...known).progress.showEarlyEnd();
		const account = shown.sobot_accepted ?? '';
		expect(account.length).toBeLessThanOrEqual(500);
		const [, numbers = '', more = ''] =
			/^Sobot: 200 customers \(items ([\d, ]+), \.\.\. and (\d+) more\)$/.exec(account) ?? [];
		const listed = numbers.split(', ').map(Number);
		expect(listed).toEqual(listed.map((_, index) => 2 * index));
		expect(listed.length).toBeGreaterThan(50);
		expect(listed.length + Number(more)).toBe(200);
	});
});
