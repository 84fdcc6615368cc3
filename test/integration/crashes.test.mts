// What is promised after a crash, after a fault of n8n's database and to another execution with the same customers: one short
// chain of executions for each promise. Each of them was broken once.
import type { Faults, Item, Settings, TableCall } from './modelNode.mts';
import { customers, errorOf, ModelOfN8n, nameOf, toldBy, TOKEN, type Execution } from './modelOfN8n.mts';
import { differencesOf, itemsIn } from './modelTruth.mts';

let n8n: ModelOfN8n;

const CONTINUE: Settings = { onError: 'continueRegularOutput' };
const RETRY_ON_FAIL: Settings = { retryOnFail: true };
const TREAT_AS_SENT: Settings = { options: { unknownOutcome: 'treatAsSent' } };
/** Some customers are then neither on the canvas nor about to be sent. */
const KILLED: Faults = { killedAfterMs: 1200 };
const CREDENTIAL_AWAY: Faults = { isCredentialAway: () => true };
const refusing = (...ids: string[]): Faults => ({
	sobot: ({ id }) => (ids.includes(id) ? '910026' : 'accepted'),
});

/** An execution with these customers whose node before this one fails, and its Retry, which runs this node. */
async function retryAfterFailureBefore(
	items: readonly Item[],
	settings: Settings = {},
	faults: Faults = {},
): Promise<Execution> {
	const execution = await n8n.run(n8n.execution([items], true));
	return await n8n.run(n8n.retryOf(execution), settings, faults);
}

/** A batch of 100 customers that is killed half way. */
async function crashed(settings: Settings = {}, faults: Faults = KILLED): Promise<Execution> {
	const execution = await n8n.run(n8n.execution([customers(100)]), settings, faults);
	expect(execution.state).toBe('crashed');
	expect(onCanvas(execution).length).toBeGreaterThan(20);
	expect(onCanvas(execution).length).toBeLessThan(100);
	return execution;
}

/** The customers on the canvas, by this execution and by those that it continues. */
const onCanvas = ({ lineage }: Execution) =>
	n8n.sobot.accepted.filter((one) => one.lineage === lineage).map(({ item }) => nameOf(item));

/** Customers of an execution that has just ended, who are on the canvas twice, or other than the node says. */
const differences = (execution: Execution) => differencesOf(n8n, execution, false);

/** Each outcome that the node's output names. */
const outcomesOf = (execution: Execution) => [...new Set(toldBy(execution).map(({ outcome }) => outcome))];

/** Makes calls of the table fail, counted from the first one after this moment. */
function tableFaults(fate: 'rejected' | 'lost', isHit: (call: number) => boolean): Faults {
	const from = n8n.table.calls;
	return { table: ({ index }) => (isHit(index - from) ? fate : 'stored') };
}

/** Customers of whom the node says that it cannot tell. */
const unknownOf = (execution: Execution) =>
	toldBy(execution)
		.filter(({ outcome }) => outcome === 'unknown')
		.map(({ item }) => nameOf(item));

describe.each([
	['since n8n 2.14', true],
	['before n8n 2.14', false],
])('%s', (_, hasResumeToken) => {
	beforeEach(() => (n8n = new ModelOfN8n(1, hasResumeToken)));
	afterEach(() => n8n.end());

	describe('Retry after a crash', () => {
		test('sends the rest, and nobody twice', async () => {
			const execution = await crashed();
			const retry = await n8n.run(n8n.retryOf(execution), TREAT_AS_SENT);
			expect(retry.state).toBe('success');
			expect(differences(retry)).toEqual([]);
			expect(new Set([...onCanvas(execution), ...unknownOf(retry)]).size).toBe(100);
		});

		test('with On Error: Continue and no token says of nobody on the canvas that they are not', async () => {
			const execution = await crashed(CONTINUE, { ...refusing('c0'), killedAfterMs: 1800 });
			const retry = await n8n.run(n8n.retryOf(execution), CONTINUE, { hasNoToken: true });
			expect(differences(retry)).toEqual([]);
			expect(outcomesOf(retry)).toContain('alreadySent');
		});

		test('or another execution with idempotency keys and no token says the same', async () => {
			const settings = { ...CONTINUE, hasKeys: true };
			await crashed(settings, { ...refusing('c0'), ...KILLED });
			const next = await n8n.run(n8n.execution([customers(100)]), settings, { hasNoToken: true });
			expect(differencesOf(n8n, next, true)).toEqual([]);
			expect(toldBy(next).filter(({ outcome }) => outcome === 'alreadySent').length).toBeGreaterThan(20);
			expect(onCanvas(next)).toEqual([]);
		});

		test("says the same with On Error: Continue if n8n's database goes away once the record is read", async () => {
			const settings = { ...CONTINUE, options: { giveUpAfter: 0 } };
			const execution = await crashed(settings);
			const faults = tableFaults('rejected', (call) => call >= 2);
			const retry = await n8n.run(n8n.retryOf(execution), settings, faults);
			expect(differences(retry)).toEqual([]);
			expect(outcomesOf(retry)).toEqual(['unknown']);
		});

		test.each([
			['rejects its second call', 'rejected', 1],
			['loses the answer to its first call', 'lost', 0],
		] as const)("with Retry On Fail, while n8n's database %s: nobody twice", async (_, fate, at) => {
			const execution = await crashed(RETRY_ON_FAIL);
			const settings = { ...RETRY_ON_FAIL, ...TREAT_AS_SENT };
			const faults = tableFaults(fate, (call) => call === at);
			const retry = await n8n.run(n8n.retryOf(execution), settings, faults);
			expect(retry.state).toBe('success');
			expect(differences(retry)).toEqual([]);
		});

		test('killed between its first two calls of the table, and run again by n8n 1: nobody twice', async () => {
			const execution = await crashed();
			const retry = n8n.retryOf(execution);
			await n8n.run(retry, TREAT_AS_SENT, { killedAfterMs: 5 });
			expect(retry.state).toBe('crashed');
			await n8n.run(retry, TREAT_AS_SENT);
			expect(retry.state).toBe('success');
			expect(differences(retry)).toEqual([]);
		});

		test('that cannot read the credential names all as unknown, and the next Retry sends nobody twice', async () => {
			const execution = await crashed(CONTINUE);
			const retry = await n8n.run(n8n.retryOf(execution), CONTINUE, CREDENTIAL_AWAY);
			expect(outcomesOf(retry)).toEqual(['unknown']);
			const next = await n8n.run(n8n.retryOf(execution), CONTINUE);
			expect(differences(next)).toEqual([]);
			expect(onCanvas(execution).length).toBeGreaterThan(70);
		});

		test("that finds n8n's database away counts nobody as failed or not accepted", async () => {
			const execution = await crashed();
			const retry = await n8n.run(n8n.retryOf(execution), {}, { table: () => 'rejected' });
			expect(errorOf(retry)).toMatch(/An earlier run may have put customers on the canvas/);
			expect(errorOf(retry)).not.toMatch(/Failed: /);
			expect(retry.ends).toMatchObject([{ end: { customData: { sobot_accepted: 'Sobot: no customers' } } }]);
			expect(JSON.stringify(retry.ends)).not.toContain('sobot_not_accepted');
		});

		test('after another one that ended at a customer: whoever the killed run has sent counts as sent', async () => {
			const execution = await crashed();
			const before = onCanvas(execution).length;
			expect((await n8n.run(n8n.retryOf(execution), TREAT_AS_SENT, refusing('c99'))).state).toBe('error');
			const retry = await n8n.run(n8n.retryOf(execution), TREAT_AS_SENT);
			expect(differences(retry)).toEqual([]);
			const sent = toldBy(retry).filter(({ outcome }) => outcome === 'alreadySent');
			// The last outcomes before the kill had not been stored.
			expect(sent.length).toBeGreaterThan(before - 25);
		});

		test('after an earlier execution with the same customers, which went well: sends the rest', async () => {
			await n8n.run(n8n.execution([customers(100)]));
			const execution = await crashed();
			const retry = await n8n.run(n8n.retryOf(execution), TREAT_AS_SENT);
			expect(differences(retry)).toEqual([]);
			expect(onCanvas(execution).length).toBeGreaterThan(70);
		});

		test('with On Error: Continue and an empty nickname in the list: nobody twice', async () => {
			const execution = await crashed(CONTINUE);
			const retry = n8n.retryOf(execution);
			const withoutNick = ({ id, canvas }: Item) => ({ id, canvas, nick: 'empty' as const });
			retry.iterations = [customers(100).map((item) => (item.id === 'c7' ? withoutNick(item) : item))];
			await n8n.run(retry, CONTINUE);
			expect(toldBy(retry)[7]?.outcome).toBe('unknown');
			expect(differences(retry)).toEqual([]);
			expect(onCanvas(execution).length).toBeGreaterThan(70);
		});

		test('that reads the list in another order and stops: its text says of nobody on the canvas that they are still to send', async () => {
			const execution = await crashed();
			const before = new Set(onCanvas(execution));
			const retry = n8n.retryOf(execution);
			const items = customers(100).toReversed();
			retry.iterations = [items];
			await n8n.run(retry, TREAT_AS_SENT, refusing('c99'));
			const text = errorOf(retry);
			expect(text).toContain('910026');
			const left = itemsIn(text.split('Still to send: ')[1] ?? '').map((index) =>
				nameOf(items[index] as Item),
			);
			expect(left.length).toBeGreaterThan(0);
			expect(left.filter((name) => before.has(name))).toEqual([]);
		});
	});

	describe('n8n 1, which runs a killed execution again', () => {
		test('and cannot read the credential, with On Error: Continue, says of nobody that they were not sent', async () => {
			const execution = await crashed(CONTINUE);
			await n8n.run(execution, CONTINUE, CREDENTIAL_AWAY);
			expect(outcomesOf(execution)).toEqual(['unknown']);
		});
	});

	describe('a killed Retry of a failed execution', () => {
		test('then Retry with On Error: Continue that cannot read the credential: nobody on the canvas is denied', async () => {
			const execution = await n8n.run(n8n.execution([customers(100)]), {}, refusing('c0'));
			expect(execution.state).toBe('error');
			const killed = await n8n.run(n8n.retryOf(execution), {}, KILLED);
			const retry = await n8n.run(n8n.retryOf(killed), CONTINUE, CREDENTIAL_AWAY);
			expect(onCanvas(execution).length).toBeGreaterThan(20);
			expect(differences(retry)).toEqual([]);
		});

		test("the same with On Error: Stop does not say 'Nothing was sent'", async () => {
			const execution = await n8n.run(n8n.execution([customers(100)]), {}, CREDENTIAL_AWAY);
			const killed = await n8n.run(n8n.retryOf(execution), {}, KILLED);
			const retry = await n8n.run(n8n.retryOf(killed), {}, CREDENTIAL_AWAY);
			expect(onCanvas(execution).length).toBeGreaterThan(20);
			expect(errorOf(retry)).toContain('An earlier run may have put customers on the canvas');
			expect(errorOf(retry)).not.toContain('Nothing was sent');
		});
	});

	describe('another execution with the same customers, whose node before this one failed', () => {
		const all = Array<string>(60).fill('accepted');
		const outcomes = (execution: Execution) => toldBy(execution).map(({ outcome }) => outcome);

		/** Since n8n 2.14 a Retry sends everyone. Before, it names whom the earlier one had sent, and sends the others. */
		function expectSentOrNamed(retry: Execution, before: readonly string[]): void {
			const doubtful = unknownOf(retry);
			const named = hasResumeToken ? [] : before;
			expect(named.filter((name) => !doubtful.includes(name))).toEqual([]);
			expect(doubtful.length).toBeLessThan(hasResumeToken ? 1 : toldBy(retry).length);
			expect(new Set([...doubtful, ...onCanvas(retry)]).size).toBe(toldBy(retry).length);
		}

		test.each([
			['a Retry that ended at a customer', refusing('c59'), 59],
			['a Retry that was stopped', { stoppedAfterMs: 800 }, undefined],
		])('after %s: its Retry sends everyone, or names whom that one had sent', async (__, faults, sent) => {
			const earlier = await retryAfterFailureBefore(customers(60), {}, faults);
			await n8n.rest();
			const before = onCanvas(earlier);
			expect(before.length).toBe(sent ?? before.length);
			expect(before.length).toBeGreaterThan(20);
			expectSentOrNamed(await retryAfterFailureBefore(customers(60), CONTINUE), before);
		});

		test('the same with On Error: Stop: everyone is sent, or the error names them', async () => {
			await retryAfterFailureBefore(customers(60), {}, refusing('c59'));
			const retry = await retryAfterFailureBefore(customers(60));
			const text = hasResumeToken ? '' : errorOf(retry);
			expect(text.includes('A Retry with the same customers has ended before')).toBe(!hasResumeToken);
			const named = itemsIn(text.split('Unknown: ')[1] ?? '');
			expect([named.length, onCanvas(retry).length]).toEqual(hasResumeToken ? [0, 60] : [59, 1]);
		});

		test('the same after a small batch of its own, which went well', async () => {
			const earlier = await retryAfterFailureBefore(customers(10), {}, refusing('c9'));
			expect((await n8n.run(n8n.execution([customers(10)]))).state).toBe('success');
			expectSentOrNamed(await retryAfterFailureBefore(customers(10), CONTINUE), onCanvas(earlier));
		});

		test('after one with Retry On Fail whose options could not be read in the last try: all are sent', async () => {
			const faults = {
				...refusing('c59'),
				areOptionsUnreadable: () => n8n.sobot.accepted.length >= 59,
			};
			const failed = await n8n.run(n8n.execution([customers(60)]), RETRY_ON_FAIL, faults);
			expect(failed.state).toBe('error');
			expect(outcomes(await retryAfterFailureBefore(customers(60), RETRY_ON_FAIL))).toEqual(all);
		});

		test('after one that went well, and a Retry that loses the answer to its first call of the table: all are sent', async () => {
			expect((await n8n.run(n8n.execution([customers(60)]))).state).toBe('success');
			const faults = tableFaults('lost', (call) => call === 0);
			const retry = await retryAfterFailureBefore(customers(60), {}, faults);
			expect(retry.state).toBe('error');
			const next = await n8n.run(n8n.retryOf(retry));
			expect(outcomes(next)).toEqual(all);
		});

		test("after one whose last calls of n8n's database failed for half a minute: all are sent", async () => {
			let refused = 0;
			const isEnd = ({ kind }: TableCall) => kind === 'remove' && n8n.sobot.accepted.length === 60;
			const table = (call: TableCall) => (isEnd(call) && refused++ < 60 ? 'rejected' : 'stored');
			await n8n.run(n8n.execution([customers(60)]), {}, { table });
			expect(refused).toBeGreaterThan(60);
			expect(outcomes(await retryAfterFailureBefore(customers(60)))).toEqual(all);
		});

		test('after a Retry that failed in the next iteration of a loop: all are sent', async () => {
			const iterations = [customers(10, 'a'), customers(10, 'b')];
			const execution = await n8n.run(n8n.execution(iterations), {}, refusing('a9'));
			const retry = await n8n.run(n8n.retryOf(execution), {}, refusing('b9'));
			expect(retry.state).toBe('error');
			expect(outcomes(await retryAfterFailureBefore(customers(10, 'b')))).toEqual(all.slice(0, 10));
		});

		test('after a small batch for whose record the database lost one answer: all are sent', async () => {
			let lost = 0;
			const isMarker = ({ kind, entries }: TableCall) =>
				kind === 'add' &&
				entries.length > 3 &&
				entries.every((entry) => / (open|run .*|some run) [12]$/.test(entry));
			const failed = await n8n.run(
				n8n.execution([customers(40)]),
				{},
				{
					sobot: ({ id }, call) => (id === 'c39' ? '910026' : call > 5 && call < 9 ? '910024' : 'accepted'),
					table: (call) => (isMarker(call) && lost++ === 0 ? 'lost' : 'stored'),
				},
			);
			expect([failed.state, lost]).toEqual(['error', 2]);
			expect(outcomes(await retryAfterFailureBefore(customers(40)))).toEqual(all.slice(0, 40));
		});
	});

	describe('two executions with the same customers', () => {
		test('that overlap, the second one killed once the first has ended: Retry of it sends nobody twice', async () => {
			const [first, second] = [n8n.execution([customers(100)]), n8n.execution([customers(100)])];
			const ended = n8n.begin(first);
			await n8n.clock.advance(1000);
			await n8n.run(second, {}, { killedAfterMs: 2700 });
			await ended;
			expect([first.state, second.state]).toEqual(['success', 'crashed']);
			const retry = await n8n.run(n8n.retryOf(second), TREAT_AS_SENT);
			expect(differences(retry)).toEqual([]);
		});

		test('of which the first is stopped, and the second killed at once: Retry of it sends nobody twice', async () => {
			const stopped = await n8n.run(n8n.execution([customers(100)]), {}, { stoppedAfterMs: 1000 });
			expect(stopped.state).toBe('canceled');
			const second = await crashed();
			const retry = await n8n.run(n8n.retryOf(second), TREAT_AS_SENT);
			expect(differences(retry)).toEqual([]);
		});
	});

	describe('Retry pressed twice: both run at the same time, and nobody is sent twice', () => {
		/** Runs two Retries of an execution that begin one after the other. */
		async function retryTwice(execution: Execution, apartMs: number): Promise<Execution[]> {
			const [first, second] = [n8n.retryOf(execution), n8n.retryOf(execution)];
			const running = n8n.begin(first, TREAT_AS_SENT);
			await n8n.clock.advance(apartMs);
			await n8n.run(second, TREAT_AS_SENT);
			await n8n.clock.run(running);
			return [first, second];
		}

		test.each([
			[200, 0],
			[200, 5],
			[200, 500],
			[40, 200],
		])('of one with %i customers that failed, %i ms apart', async (count, apartMs) => {
			const failed = await n8n.run(n8n.execution([customers(count)]), {}, refusing('c2'));
			const [first, second] = await retryTwice(failed, apartMs);
			expect([first?.state, second?.state]).toEqual(['success', 'success']);
			const times = [...n8n.timesOnCanvas({ execution: failed, iteration: 0 }).values()];
			expect([times.length, Math.max(...times)]).toEqual([count, 1]);
		});

		test('of one that crashed', async () => {
			const execution = await crashed();
			const [first, second] = await retryTwice(execution, 500);
			expect([first?.state, second?.state]).toEqual(['success', 'success']);
			const times = [...n8n.timesOnCanvas({ execution, iteration: 0 }).values()];
			expect(Math.max(...times)).toBe(1);
		});
	});

	describe('Retry of an execution that has been retried already sends nobody twice', () => {
		/** Two executions without a node context: one whose node before this one failed, and one that crashed. */
		const begun = {
			'whose node before this one failed': async () => await n8n.run(n8n.execution([customers(100)], true)),
			'that crashed': async () => await crashed(),
		};
		const kinds = Object.keys(begun) as Array<keyof typeof begun>;

		/** Expects that everyone is on the canvas once, or was named as unknown. */
		function expectOnce(execution: Execution, retries: readonly Execution[]): void {
			const times = n8n.timesOnCanvas({ execution, iteration: 0 });
			expect(Math.max(...times.values())).toBe(1);
			const doubtful = retries.flatMap((retry) => unknownOf(retry));
			expect(new Set([...times.keys(), ...doubtful]).size).toBe(100);
		}

		test.each(kinds)('after a Retry that went well here: one %s', async (kind) => {
			const execution = await begun[kind]();
			const first = await n8n.run(n8n.retryOf(execution), TREAT_AS_SENT);
			const second = await n8n.run(n8n.retryOf(execution), TREAT_AS_SENT);
			expectOnce(execution, [first, second]);
			expect(differences(second)).toEqual([]);
		});

		test.each(kinds)('after a Retry of its Retry: one %s', async (kind) => {
			const execution = await begun[kind]();
			const first = await n8n.run(n8n.retryOf(execution), TREAT_AS_SENT, refusing('c90'));
			const second = await n8n.run(n8n.retryOf(first), TREAT_AS_SENT);
			expect([first.state, second.state]).toEqual(['error', 'success']);
			const third = await n8n.run(n8n.retryOf(execution), TREAT_AS_SENT);
			expectOnce(execution, [second, third]);
		});
	});

	test.each([4000, 8000])(
		'killed after %i ms, in the later tries of a small batch: Retry sends nobody twice',
		async (ms) => {
			const settings = { ...RETRY_ON_FAIL, maxTries: 5, waitBetweenTries: 3500 };
			const execution = n8n.execution([customers(40)]);
			await n8n.run(execution, settings, { ...refusing('c39'), killedAfterMs: ms });
			expect(execution.state).toBe('crashed');
			const retry = await n8n.run(n8n.retryOf(execution), TREAT_AS_SENT);
			expect(onCanvas(execution).length).toBe(40);
			expect(differences(retry)).toEqual([]);
		},
	);

	test('what a failed Retry of another execution has left is not taken for sent, also after a crash', async () => {
		await retryAfterFailureBefore(customers(100), {}, refusing('c50'));
		const execution = await n8n.run(n8n.execution([customers(100)], true));
		const killed = await n8n.run(n8n.retryOf(execution), TREAT_AS_SENT, { killedAfterMs: 600 });
		expect(killed.state).toBe('crashed');
		const again = await n8n.run(n8n.retryOf(execution), CONTINUE);
		expect(differences(again)).toEqual([]);
		expect(outcomesOf(again)).toContain('unknown');
	});
});

describe('since n8n 2.14, an execution is known by its token', () => {
	beforeEach(() => (n8n = new ModelOfN8n(1)));
	afterEach(() => n8n.end());

	test('so Retry after a crash in the next iteration of a loop sends the first one to nobody again', async () => {
		const execution = n8n.execution([customers(100, 'a'), customers(100, 'b')]);
		await n8n.run(execution, {}, { killedAfterMs: 3300 });
		expect([execution.state, execution.ends.length]).toEqual(['crashed', 1]);
		const retry = await n8n.run(n8n.retryOf(execution), TREAT_AS_SENT);
		expect(differences(retry)).toEqual([]);
		expect(retry.state).toBe('success');
	});

	test('so Retry after a crash sends nobody twice if a new execution with the same customers went well meanwhile', async () => {
		const execution = await crashed();
		expect((await n8n.run(n8n.execution([customers(100)]))).state).toBe('success');
		const retry = await n8n.run(n8n.retryOf(execution), TREAT_AS_SENT);
		expect(differences(retry)).toEqual([]);
	});

	test('so Retry after a crash sends nobody twice if the list has changed meanwhile', async () => {
		const execution = await crashed();
		const retry = n8n.retryOf(execution);
		retry.iterations = [[...customers(20, 'new'), ...customers(70)]];
		await n8n.run(retry, TREAT_AS_SENT);
		expect(differences(retry)).toEqual([]);
		expect(toldBy(retry)[0]?.outcome).toBe('accepted');
	});

	test('so Retry beside a new execution with the same customers takes nobody of that one for its own', async () => {
		const execution = await n8n.run(n8n.execution([customers(100)], true));
		const [retry, other] = [n8n.retryOf(execution), n8n.execution([customers(100)])];
		const running = n8n.begin(retry);
		await n8n.clock.advance(200);
		await n8n.run(other);
		await n8n.clock.run(running);
		expect([...outcomesOf(retry), ...outcomesOf(other)]).toEqual(['accepted', 'accepted']);
		expect([differences(retry), differences(other)]).toEqual([[], []]);
	});

	test('so two Retries of which the second ends at a customer in flight leave nothing for another execution', async () => {
		const execution = await n8n.run(n8n.execution([customers(100)], true));
		const [first, second] = [n8n.retryOf(execution), n8n.retryOf(execution)];
		const running = n8n.begin(first);
		await n8n.clock.advance(300);
		await n8n.run(second, {}, { hasNoToken: true });
		await n8n.clock.run(running);
		const other = await retryAfterFailureBefore(customers(100));
		expect(outcomesOf(other)).toEqual(['accepted']);
		expect(onCanvas(other).length).toBe(100);
	});

	describe('so after a crash Retry sends nobody twice whom another run of the node had sent', () => {
		const chunksOf = (items: readonly Item[], size: number) =>
			Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
		const loop = customers(300);
		const [later, refusedFirst] = [customers(100, 'later'), customers(60, 'refused')];
		let asked: string[] = [];
		/** Sobot refuses these customers the first time. */
		const refusingFirst: Faults['sobot'] = ({ id }) => {
			const isFirst = !asked.includes(id);
			asked.push(id);
			return id.startsWith('refused') && isFirst ? '910026' : 'accepted';
		};
		beforeEach(() => (asked = []));

		test.each<[string, Item[][], Item[][]]>([
			[
				'a new row moves each chunk of a loop',
				chunksOf(loop, 60),
				chunksOf([...customers(1, 'new'), ...loop], 60),
			],
			['the batches of a loop have become smaller', chunksOf(loop, 100), chunksOf(loop, 50)],
			[
				'the first of two branches has nobody left',
				[customers(100, 'a'), customers(150, 'b')],
				[customers(150, 'b')],
			],
			[
				'the error output had led back to the node',
				[[...customers(40), ...refusedFirst], refusedFirst, later],
				[[...customers(40), ...refusedFirst], later],
			],
		])('%s', async (_, before, after) => {
			const execution = n8n.execution(before);
			await n8n.run(execution, CONTINUE, { sobot: refusingFirst, killedAfterMs: 4700 });
			expect([execution.state, execution.ends.length > 0]).toEqual(['crashed', true]);
			const retry = n8n.retryOf(execution);
			retry.iterations = after;
			await n8n.run(retry, TREAT_AS_SENT);
			const sent = n8n.sobot.accepted.map(({ item }) => nameOf(item));
			expect(sent.length).toBe(new Set(sent).size);
			const named = retry.ends.flatMap(({ end }) => (end.kind === 'output' ? end.told : []));
			expect(named.length).toBe(after.flat().length);
			const unknown = named.filter(({ outcome }) => outcome === 'unknown').map(({ item }) => nameOf(item));
			expect(
				after
					.flat()
					.map(nameOf)
					.filter((name) => !sent.includes(name) && !unknown.includes(name)),
			).toEqual([]);
		});

		test('but sends whoever comes in each iteration as often as before', async () => {
			const same = customers(100);
			const execution = n8n.execution([same, same, same]);
			await n8n.run(execution, CONTINUE, { killedAfterMs: 5500 });
			expect([execution.state, execution.ends.length]).toEqual(['crashed', 2]);
			const retry = await n8n.run(n8n.retryOf(execution), TREAT_AS_SENT);
			expect(differences(retry)).toEqual([]);
			expect(unknownOf(retry).length).toBeLessThan(60);
			expect(onCanvas(execution).length).toBeGreaterThan(240);
		});
	});

	test('so an execution that n8n takes for crashed while it sends, and its Retry: nobody twice', async () => {
		const execution = n8n.execution([customers(300)]);
		const running = n8n.begin(execution, TREAT_AS_SENT);
		await n8n.clock.advance(1500);
		const retry = n8n.retryOf({ ...execution, state: 'crashed' });
		await n8n.run(retry, TREAT_AS_SENT);
		await n8n.clock.run(running);
		expect([execution.state, retry.state]).toEqual(['success', 'success']);
		expect([differences(execution), differences(retry)]).toEqual([[], []]);
	});

	describe('so after an execution that ended before it sent anybody', () => {
		const few = customers(20);
		const slowly: Settings = { options: { requestsPerSecond: 10, unknownOutcome: 'treatAsSent' } };

		test.each<[string, Faults, Faults]>([
			[
				'options that could not be read, and a Retry of its Retry that went well',
				{ areOptionsUnreadable: () => true },
				{},
			],
			["n8n's database away, and a Retry of its Retry that went well", { table: () => 'rejected' }, {}],
			[
				'options that could not be read, and a Retry of its Retry that was killed',
				{ areOptionsUnreadable: () => true },
				{ killedAfterMs: 600 },
			],
		])('(%s) another Retry of it sends nobody twice', async (_, before, faults) => {
			const execution = await n8n.run(n8n.execution([few]), slowly, before);
			expect([execution.state, onCanvas(execution)]).toEqual(['error', []]);
			const first = await n8n.run(n8n.retryOf(execution), slowly, refusing('c12'));
			expect(first.state).toBe('error');
			await n8n.run(n8n.retryOf(first), slowly, faults);
			const again = await n8n.run(n8n.retryOf(execution), slowly);
			expect(again.state).toBe('success');
			expect(differences(again)).toEqual([]);
		});
	});

	describe('so Retry of a crashed loop whose batches have become smaller says of nobody on the canvas that they are not', () => {
		const slowly: Settings = { ...CONTINUE, options: { requestsPerSecond: 10, giveUpAfter: 0 } };
		const [a, b] = [customers(20, 'a'), customers(20, 'b')];
		const smaller = [a.slice(0, 12), a.slice(12), b.slice(0, 12), b.slice(12)];
		const withoutNick = smaller.map((items) =>
			items.map((item) => (item.id === 'b1' ? { ...item, nick: 'empty' as const } : item)),
		);

		/** Retry of an execution that crashed in its second iteration. */
		async function retryInSmaller(iterations: Item[][], settings: Settings, faults: Faults = {}) {
			const execution = await n8n.run(n8n.execution([a, b]), slowly, { killedAfterMs: 3000 });
			expect([execution.state, onCanvas(execution).some((name) => name.includes(' b'))]).toEqual([
				'crashed',
				true,
			]);
			const retry = n8n.retryOf(execution);
			retry.iterations = iterations;
			return await n8n.run(retry, settings, faults);
		}
		const deniedIn = (retry: Execution) => {
			const sent = onCanvas(retry);
			const told = retry.ends.flatMap(({ end }) => (end.kind === 'output' ? end.told : []));
			return told.filter(({ item, outcome }) => outcome === 'notSent' && sent.includes(nameOf(item)));
		};

		test("if n8n's database goes away", async () => {
			let lookUps = 0;
			const table = ({ entries }: TableCall) => {
				if (entries.some((entry) => entry.startsWith('some run'))) lookUps++;
				return lookUps >= 3 ? 'rejected' : 'stored';
			};
			const retry = await retryInSmaller(smaller, slowly, { table });
			expect(lookUps).toBeGreaterThan(2);
			expect(deniedIn(retry)).toEqual([]);
		});

		test('if a nickname is empty', async () => {
			const retry = await retryInSmaller(withoutNick, slowly);
			expect(deniedIn(retry)).toEqual([]);
		});

		test('if a nickname is empty, with On Error: Stop', async () => {
			const retry = await retryInSmaller(withoutNick, {
				options: { requestsPerSecond: 10, unknownOutcome: 'treatAsSent' },
			});
			expect(errorOf(retry)).not.toContain('Nothing was sent for any customer');
		});
	});

	describe('so a short batch that fails with Retry On Fail', () => {
		const short = customers(9);
		const retried: Settings = { ...RETRY_ON_FAIL, options: { requestsPerSecond: 10 } };
		/** The first call that stores customers fails. */
		function failingOnce(fate: 'rejected' | 'lost'): Faults {
			let isDone = false;
			return {
				table: ({ kind, entries }) => {
					if (isDone || kind !== 'add' || !entries.some((entry) => entry.startsWith('sent ')))
						return 'stored';
					isDone = true;
					return fate;
				},
			};
		}
		/** Sobot refuses this customer the first time. */
		function refusingOnce(id: string): Faults {
			let isDone = false;
			return {
				sobot: (item) => {
					if (isDone || item.id !== id) return 'accepted';
					isDone = true;
					return '910026';
				},
			};
		}

		test.each(['rejected', 'lost'] as const)(
			'while its customers cannot be stored (%s), and is killed in the next try: Retry sends nobody twice',
			async (fate) => {
				const faults = { ...refusingOnce('c5'), ...failingOnce(fate), killedAfterMs: 1700 };
				const execution = await n8n.run(n8n.execution([short]), retried, faults);
				expect(execution.state).toBe('crashed');
				const retry = await n8n.run(n8n.retryOf(execution), TREAT_AS_SENT);
				expect(differences(retry)).toEqual([]);
			},
		);

		test('or is stopped stores nothing after the stop: n8n makes no other try then', async () => {
			const execution = await n8n.run(n8n.execution([short]), retried, { stoppedAfterMs: 400 });
			await n8n.rest();
			expect([execution.state, onCanvas(execution).length < 9]).toEqual(['canceled', true]);
			expect(n8n.table.calls).toBe(0);
		});

		test('while the answer to that is lost: the refused customer is sent in the next try', async () => {
			const faults = { ...refusingOnce('c5'), ...failingOnce('lost') };
			const execution = await n8n.run(n8n.execution([short]), retried, faults);
			expect(execution.state).toBe('success');
			expect(onCanvas(execution).length).toBe(9);
		});
	});

	test("the token is a secret, and is not in n8n's deduplication table", async () => {
		await crashed();
		expect(n8n.table.entries.length).toBeGreaterThan(20);
		expect(n8n.table.entries.join()).not.toContain(TOKEN);
	});
});
