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

test('a line each 30 s, whether or not Sobot answers, until the batch ends', async () => {
	let hasEnded = false;
	const plans = batch(ACCEPTED, ALREADY_SENT, 'open', 'inDoubt', { ...ACCEPTED, outcome: 'refused' });
	const logged = logProgress(node(), plans, clock, () => hasEnded);
	await clock.advance(29_000);
	expect(log).toEqual([]);
	await clock.advance(2000);
	expect(log).toEqual(['Sobot is sending: 2 of 5 customers accepted']);
	for (const { customer } of plans) customer.known = ACCEPTED;
	await clock.advance(30_000);
	expect(log.slice(1)).toEqual(['Sobot is sending: 5 of 5 customers accepted']);
	hasEnded = true;
	await clock.advance(1000);
	await logged;
	const { sleeps } = clock;
	await clock.advance(120_000);
	expect(log.length).toBe(2);
	expect(clock.sleeps).toBe(sleeps);
});

describe('a batch that ends early', () => {
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

	test('of a list that n8n would cut, the list of executions shows the counts, and the log all of it', () => {
		showEarlyEnd(node(), batch(...Array.from({ length: 400 }, (_, i) => (i % 2 === 0 ? ACCEPTED : 'open'))));
		expect(shown).toEqual({
			sobot: 'Sobot ended early. Accepted: 200 customers of 400. Not reached yet: 200 customers.',
		});
		expect(log[0]).toMatch(/items 0, 2, 4,.* 398\) of 400\..*items 1, 3, .* 399\)\.$/);
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
