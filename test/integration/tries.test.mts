// The same customers in several tries: by Retry On Fail, by Retry, by Retry of a Retry, and beside other executions. What an
// earlier try has found out holds, whatever goes wrong in the next one, and no other record is taken for its own.
import { until } from '../support/until.mts';
import { canvas, CONTINUE, crowd, DEFINED, people, RETRY_ON_FAIL } from './customers.mts';
import { database, entriesOf } from './deduplicationTable.mts';
import { outcomeOf, type ActionRun } from './runAction.mts';
import { outcomes, shareTries, texts, TREAT_AS_SENT, WRONG } from './triesSetting.mts';

// Batches that take longer than a second have a ledger.
jest.setTimeout(60_000);

const setting = shareTries();
const { start, retried, refuse, twice, timesAccepted } = setting;

describe('the record of another execution is not taken for its own', () => {
	test('that of one with Retry On Fail that failed', async () => {
		refuse('59', 3);
		await start({ items: crowd(60), node: RETRY_ON_FAIL });
		setting.sandbox.forget();
		const refused = await start({ items: crowd(60), parameters: WRONG, node: RETRY_ON_FAIL });
		const again = await retried(refused, { node: RETRY_ON_FAIL });
		expect(new Set(outcomes(again))).toEqual(new Set(['accepted']));
		expect(setting.sandbox.accepted.length).toBe(60);
	});

	test('that of one whose Retry failed', async () => {
		refuse('2', 1);
		const yesterday = await start({ parameters: WRONG });
		expect(outcomeOf(await retried(yesterday)).error?.message).toContain('910026');
		setting.sandbox.forget();
		const today = await start({ parameters: WRONG });
		expect(outcomes(await retried(today))).toEqual(['accepted', 'accepted', 'accepted']);
		expect(timesAccepted('0', '1', '2')).toEqual([1, 1, 1]);
	});

	test('that of one with Retry On Fail that was stopped', async () => {
		const items = crowd(100);
		const isSending = until('some calls', () => setting.sandbox.accepted.length >= 40);
		await start({ items, node: RETRY_ON_FAIL, stopWhen: isSending });
		setting.sandbox.forget();
		const today = await start({ items, parameters: WRONG, node: RETRY_ON_FAIL });
		expect(new Set(outcomes(await retried(today, { node: RETRY_ON_FAIL })))).toEqual(new Set(['accepted']));
		expect(setting.sandbox.accepted.length).toBe(100);
	});
});

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

	test('Retry On Fail with On Error: Continue, the credential unreadable in the second of three tries', async () => {
		let reads = 0;
		setting.credentials.isAway = () => setting.sandbox.accepted.length >= 4 && ++reads === 1;
		refuse('0', 1);
		const run = await start({ items: crowd(5), node: { ...RETRY_ON_FAIL, ...CONTINUE } });
		expect(outcomes(run)).toEqual(Array(5).fill('accepted'));
		expect(timesAccepted('0', '1', '2', '3', '4')).toEqual([1, 1, 1, 1, 1]);
	});

	test('the same until the end: whoever may be on the canvas is not reported as not sent', async () => {
		setting.credentials.isAway = () => setting.sandbox.accepted.length >= 4;
		refuse('0', 1);
		const run = await start({ items: crowd(5), node: { ...RETRY_ON_FAIL, ...CONTINUE } });
		expect(outcomes(run)).toEqual(['notSent', 'unknown', 'unknown', 'unknown', 'unknown']);
		expect(String(outcomeOf(run).output[1]?.json.error)).toMatch(
			/An earlier try of this execution .* the database is locked.*customer 1 \(item 1\)/s,
		);
	});

	test('bad input in each try is not in doubt', async () => {
		const items = [{ json: { id: '', name: 'N' } }, ...people('1', '2')];
		const run = await start({ items, node: { ...RETRY_ON_FAIL, ...CONTINUE } });
		expect(outcomes(run)).toEqual(['notSent', 'accepted', 'accepted']);
	});
});

describe('a try that cannot send says what the earlier one has sent', () => {
	const SAYS_SO = /This try sent nothing\. An earlier try of this execution put 2 customers on the canvas/;

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

describe('the record of a batch without keys', () => {
	/** The entries that keep a node's record open. */
	const openings = (nodeId: string) => entriesOf(nodeId).filter((entry) => /^batch \S+ open /.test(entry));

	test('counts while the batch is sent, and no longer once it is done', async () => {
		const { sandbox } = setting;
		const isSending = until('some calls', () => sandbox.accepted.length >= 10);
		const meanwhile = isSending.then(() => openings('cleaned').length);
		await start({ items: crowd(60), node: { id: 'cleaned' } });
		expect(await meanwhile).toBeGreaterThan(0);
		expect(openings('cleaned')).toEqual([]);
	});

	test('leaves room for that of a larger batch of the same node, which may have crashed', async () => {
		database.leastRoom = Infinity;
		await start({ items: crowd(60) });
		expect(database.leastRoom).toBeGreaterThanOrEqual(50_000);
		expect(database.leastRoom).toBeLessThan(Infinity);
	});

	test('is not opened by a batch that takes less than a second', async () => {
		database.leastRoom = Infinity;
		await start({ items: crowd(10) });
		expect(database.leastRoom).toBe(Infinity);
	});

	test('is opened by one that takes longer', async () => {
		database.leastRoom = Infinity;
		setting.sandbox.misbehave({ on: 'trigger', atWork: { minMs: 1500, maxMs: 1500 } });
		await start({ items: crowd(3), node: { id: 'slow' } });
		expect(database.leastRoom).toBeLessThan(Infinity);
		expect(openings('slow')).toEqual([]);
		expect(entriesOf('slow').filter((entry) => entry.startsWith('open'))).toEqual([]);
	});
});

describe('the record of a run that has ended is not left for another execution, whose node before this one fails', () => {
	const CASES: Array<[string, Partial<ActionRun>, () => void]> = [
		[
			'Retry On Fail, and one in doubt',
			{ items: crowd(60), node: { id: 'doubt', ...RETRY_ON_FAIL } },
			() => setting.sandbox.misbehave({ on: 'trigger', contactId: '59', drop: 'after', times: 1 }),
		],
		[
			'Retry On Fail, a slow first try and a quick second one',
			{ items: crowd(10), node: { id: 'quick', ...RETRY_ON_FAIL } },
			() => {
				refuse('9', 1);
				setting.sandbox.misbehave({
					on: 'trigger',
					contactId: '0',
					atWork: { minMs: 1500, maxMs: 1500 },
					times: 1,
				});
			},
		],
		[
			'Retry On Fail and On Error: Continue',
			{ items: crowd(60), node: { id: 'continue', ...RETRY_ON_FAIL, ...CONTINUE, maxTries: 2 } },
			() => refuse('59', 2),
		],
	];
	test.each(CASES)('%s', async (_, run, prepare) => {
		prepare();
		await start(run);
		setting.sandbox.forget();
		const failed = await start({ ...run, failsBefore: true });
		expect(outcomes(await retried(failed, run)).length).toBe(run.items?.length);
		expect(setting.sandbox.accepted.length).toBe(run.items?.length);
	});

	test("by a run that finds n8n's database away in its last try", async () => {
		const run = { items: crowd(60), node: { id: 'away', ...RETRY_ON_FAIL, maxTries: 2 } };
		refuse('59', 1);
		const isRefused = () => setting.sandbox.triggerCalls.some(({ contactId }) => contactId === '59');
		database.refuses = (entries) => isRefused() && entries.some((entry) => entry.endsWith(' valid'));
		await start(run);
		database.refuses = undefined;
		setting.sandbox.forget();
		expect(outcomes(await retried(await start({ ...run, failsBefore: true }), run)).length).toBe(60);
		expect(setting.sandbox.accepted.length).toBe(60);
	});

	test('by a run that is refused as a whole in its last try', async () => {
		const run = { items: crowd(60), node: { id: 'refused', ...RETRY_ON_FAIL } };
		refuse('59', 1);
		setting.credentials.isAway = () => setting.sandbox.accepted.length >= 59;
		await start(run);
		setting.credentials.isAway = () => false;
		setting.sandbox.forget();
		expect(outcomes(await retried(await start({ ...run, failsBefore: true }), run)).length).toBe(60);
		expect(setting.sandbox.accepted.length).toBe(60);
	});
});

describe('Retry of an execution in which the node before fails', () => {
	const failedBefore = async (run: Partial<ActionRun>) => await start({ ...run, failsBefore: true });

	test('that ends at a customer, then Retry of the first one again: nobody twice', async () => {
		const run = { items: crowd(80), node: { id: 'first' } };
		const first = await failedBefore(run);
		refuse('70', 1);
		expect(outcomeOf(await retried(first, run)).error?.message).toContain('customer 70 ');
		const before = setting.sandbox.accepted.length;
		// The node cannot tell it from an execution of its own with the same customers.
		const again = outcomes(await retried(first, { ...run, parameters: TREAT_AS_SENT }));
		expect(again.filter((outcome) => outcome === 'unknown').length).toBe(before);
		expect([setting.sandbox.accepted.length, twice()]).toEqual([80, 0]);
	});

	test('with Retry On Fail, beside another execution with the same customers: each sends all', async () => {
		const run = { items: crowd(60), node: { id: 'beside', ...RETRY_ON_FAIL, waitBetweenTries: 4000 } };
		refuse('59', 1);
		const first = start(run);
		await until('the first try', () =>
			setting.sandbox.triggerCalls.some(({ contactId }) => contactId === '59'),
		);
		setting.sandbox.forget();
		expect(outcomes(await start(run)).length).toBe(60);
		expect(outcomes(await first)).toEqual(Array(60).fill('accepted'));
		expect(setting.sandbox.accepted.length).toBe(61);
	});
});
