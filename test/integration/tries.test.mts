// The same customers in several tries: by Retry On Fail, by Retry, by Retry of a Retry, and beside other executions. What an
// earlier try has found out holds, whatever goes wrong in the next one.
import { ACTION } from '../support/nodeTypes.mts';
import { until } from '../support/until.mts';
import { canvas, crowd, DEFINED, RETRY_ON_FAIL } from './customers.mts';
import { entriesOf } from './deduplicationTable.mts';
import { outcomeOf, type ActionRun } from './runAction.mts';
import { outcomes, shareTries, texts } from './triesSetting.mts';

// Batches that take longer than a second have a ledger.
jest.setTimeout(60_000);

const setting = shareTries();
const { start, retried, refuse, twice, timesAccepted } = setting;

describe('a try that cannot send keeps what an earlier one has found out', () => {
	test('Retry with a wrong canvas, then with the right one', async () => {
		refuse('2', 1);
		const first = await start({});
		const wrong = await retried(first, { parameters: { ...DEFINED, canvas: canvas('Asleep') } });
		expect(outcomeOf(wrong).error?.message).toContain('910025');
		expect(outcomes(await retried(wrong))).toEqual(['accepted', 'accepted', 'accepted']);
		expect(timesAccepted('0', '1', '2')).toEqual([1, 1, 1]);
	});

	test('Retry with another contact ID, then with the right one', async () => {
		refuse('2', 1);
		const first = await start({});
		const parameters = {
			...DEFINED,
			contactId: '={{ "x" + $json.id }}',
			options: { contactIdField: 'wrong' },
		};
		const wrong = await retried(first, { parameters });
		expect(outcomeOf(wrong).error?.message).toContain('910023');
		expect(outcomes(await retried(wrong))).toEqual(['accepted', 'accepted', 'accepted']);
		expect(timesAccepted('0', '1', '2')).toEqual([1, 1, 1]);
	});

	test('Retry On Fail, the credential unreadable in the second of three tries', async () => {
		let reads = 0;
		setting.credentials.isAway = () => setting.sandbox.accepted.length >= 2 && ++reads === 1;
		refuse('2', 1);
		expect(outcomes(await start({ node: RETRY_ON_FAIL }))).toEqual(['accepted', 'accepted', 'accepted']);
		expect(timesAccepted('0', '1', '2')).toEqual([1, 1, 1]);
		expect(reads).toBeGreaterThan(1);
	});
});

describe('a try that cannot send says what the earlier one has sent', () => {
	const SAYS_SO =
		/This try put nobody on the canvas\. An earlier try of this execution put 2 customers there/;

	test('with Retry On Fail, the credential unreadable', async () => {
		setting.credentials.isAway = () => setting.sandbox.accepted.length >= 2;
		refuse('2');
		const said = texts(await start({ node: RETRY_ON_FAIL }));
		expect(said).toMatch(SAYS_SO);
		expect(said).toContain("'Execute step' sends everyone again");
	});

	test.each([
		['options', { ...DEFINED, options: { requestsPerSecond: 60 } }],
		['nicknames', { ...DEFINED, nick: '={{ "" }}' }],
	])('with Retry, and %s that cannot be sent', async (_, parameters) => {
		refuse('2');
		const said = texts(await retried(await start({}), { parameters }));
		expect(said).toMatch(SAYS_SO);
		expect(said).not.toContain('Nothing was sent');
	});
});

describe('what is stored of a batch', () => {
	const stored = (nodeId: string, kind: 'claim' | 'pending') =>
		entriesOf(nodeId).filter((entry) => entry.startsWith(`${kind} `)).length;
	const slowly = () =>
		setting.sandbox.misbehave({ on: 'trigger', atWork: { minMs: 1500, maxMs: 1500 }, times: 3 });

	test('nothing, if it takes less than a second', async () => {
		await start({ node: { id: 'quick' } });
		expect(entriesOf('quick')).toEqual([]);
	});

	test('each customer, if it takes longer: pending until their outcome is clear', async () => {
		slowly();
		const isSending = until('the writing', () => stored('slow', 'pending') === 3);
		await start({ node: { id: 'slow' } });
		await isSending;
		expect([stored('slow', 'claim'), stored('slow', 'pending')]).toEqual([3, 0]);
	});

	test.each<[string, string, Partial<ActionRun>]>([
		["an agent's tool", 'tool', { node: { type: `${ACTION.type}Tool` } }],
		['an execution that n8n 1 may run again', 'old', { resumeToken: '' }],
		[
			"a batch with 'Send Once Per'",
			'once',
			{ parameters: { ...DEFINED, options: { sendOncePer: 'spring' } } },
		],
	])('each customer, in %s of any length', async (_, id, run) => {
		await start({ ...run, node: { ...run.node, id } });
		expect([stored(id, 'claim'), stored(id, 'pending')]).toEqual([3, 0]);
	});

	test('each customer, in a Retry of any length', async () => {
		const node = { id: 'again' };
		await retried(await start({ node, failsBefore: true }), { items: crowd(3), node });
		expect([stored('again', 'claim'), stored('again', 'pending')]).toEqual([3, 0]);
	});
});

test('Retry of a crashed execution that ends at a customer, then Retry of the same one again: nobody twice', async () => {
	const run = { items: crowd(80), node: { id: 'first' } };
	const crashed = await start({ ...run, failsBefore: true });
	refuse('70', 1);
	expect(outcomeOf(await retried(crashed, run)).error?.message).toContain('Customer 70 ');
	const before = setting.sandbox.accepted.length;
	const again = outcomes(await retried(crashed, run));
	expect(again.filter((outcome) => outcome === 'alreadySent').length).toBe(before);
	expect([setting.sandbox.accepted.length, twice()]).toEqual([80, 0]);
});
