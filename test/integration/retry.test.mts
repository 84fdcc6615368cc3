// Whom n8n's Retry On Fail and Retry send again after a failed try. In tries.test.mts something goes wrong in the next try, too.
import { accepted } from '../support/workflows.mts';
import { shareAction } from './actionSetting.mts';
import { canvas, CONTINUE, crowd, DEFINED, people, RETRY_ON_FAIL } from './customers.mts';
import { database } from './deduplicationTable.mts';
import { outcomeOf } from './runAction.mts';
import { StoredCredentials } from './storedCredentials.mts';

// Batches that take longer than a second have a ledger.
jest.setTimeout(30_000);

const setting = shareAction(() => new StoredCredentials());
const { account, run, start, retried, timesAccepted, timesSent } = setting;

describe("with n8n's Retry On Fail", () => {
	test('what was accepted is not sent again, and what failed is', async () => {
		setting.sandbox.misbehave({ on: 'trigger', contactId: '2', code: '910025', times: 2 });
		const { output, error } = await run({ node: RETRY_ON_FAIL });
		expect(error).toBeUndefined();
		expect(output.map(({ json }) => json)).toEqual(['1', '2', '3'].map(accepted));
		expect(timesSent('1', '2', '3')).toEqual([1, 3, 1]);
	});

	test('what may have been accepted is not sent again either', async () => {
		setting.sandbox.misbehave({ on: 'trigger', contactId: '2', drop: 'after' });
		const { error } = await run({ node: RETRY_ON_FAIL });
		expect(error?.message).toContain('Sobot may or may not have');
		expect(timesSent('1', '2')).toEqual([1, 1]);
	});

	test('with On Error: Continue n8n makes one try: an item without a field named error is no failure', async () => {
		setting.sandbox.misbehave({ on: 'trigger', contactId: '1', code: '910025' });
		const { output } = await run({ node: { ...RETRY_ON_FAIL, ...CONTINUE } });
		expect(output.map(({ json }) => json.ret_code)).toEqual(['910025', '000000', '000000']);
		expect(timesSent('1', '2', '3')).toEqual([1, 1, 1]);
	});
});

describe("with n8n's Retry of a failed execution", () => {
	test.each(['original', 'current'] as const)(
		'with the %s workflow: only those who are not on the canvas are sent, and the execution completes',
		async (which) => {
			setting.sandbox.misbehave({ on: 'trigger', contactId: '30', code: '910025', times: 1 });
			const failed = await start({ items: crowd(60) });
			expect(outcomeOf(failed).error?.message).toContain('Customer 30 (item 30)');
			const before = setting.sandbox.accepted.length;
			expect(before).toBeGreaterThan(20);
			const parameters = which === 'current' ? { ...DEFINED, nick: 'Someone' } : DEFINED;
			const { output, error } = outcomeOf(await retried(failed, { parameters }));
			expect(error).toBeUndefined();
			expect(output.map(({ json }) => json)).toEqual(crowd(60).map(({ json }) => accepted(json.id)));
			expect(setting.sandbox.accepted.length).toBe(60);
			expect(new Set(setting.sandbox.accepted.map(({ contactId }) => contactId)).size).toBe(60);
		},
	);

	test('a customer in doubt is not sent again, and is named', async () => {
		setting.sandbox.misbehave({ on: 'trigger', contactId: '2', drop: 'after' });
		// So slow that the execution ends before the third customer.
		const failed = await start({ parameters: { ...DEFINED, options: { requestsPerSecond: 5 } } });
		expect(timesSent('1', '2', '3')).toEqual([1, 1, 0]);
		setting.sandbox.misbehaviours.clear();
		const again = outcomeOf(await retried(failed));
		expect(again.error?.message).toContain('Customer 2 (item 1)');
		expect(timesAccepted('1', '2', '3')).toEqual([1, 1, 1]);
		const decided = { ...DEFINED, options: { unknownOutcome: 'treatAsSent' } };
		const { output } = outcomeOf(await retried(failed, { parameters: decided }));
		// The first Retry has put the third customer on the canvas, though the failed execution does not know it.
		expect(output.map(({ json }) => json.outcome)).toEqual(['accepted', 'unknown', 'alreadySent']);
		expect(timesAccepted('2')).toEqual([1]);
		const sendAgain = { ...DEFINED, options: { unknownOutcome: 'sendAgain' } };
		const last = outcomeOf(await retried(failed, { parameters: sendAgain }));
		expect(last.output.map(({ json }) => json.outcome)).toEqual(['accepted', 'accepted', 'alreadySent']);
		expect(timesAccepted('1', '2', '3')).toEqual([1, 2, 1]);
	});

	test('on another canvas everybody is sent', async () => {
		setting.sandbox.misbehave({ on: 'trigger', contactId: '3', code: '910025', times: 1 });
		const failed = await start();
		const parameters = { ...DEFINED, canvas: canvas('Quiet') };
		await retried(failed, { parameters });
		expect(timesAccepted('1', '2', '3')).toEqual([2, 2, 1]);
	});

	test('equal contact IDs of one batch are each sent once', async () => {
		setting.sandbox.misbehave({ on: 'trigger', contactId: 'x', code: '910025', times: 1 });
		const failed = await start({ items: people('1', '1', '1', 'x') });
		await retried(failed);
		expect(timesAccepted('1', 'x')).toEqual([3, 1]);
	});

	test('what n8n stores of it holds no customer', async () => {
		setting.sandbox.misbehave({ on: 'trigger', contactId: 'c-3', code: '910025' });
		const failed = await start({ items: people('c-1', 'c-2', 'c-3') });
		const context = JSON.stringify(failed.data.executionData?.contextData);
		expect(context).toContain('accepted');
		expect(context).not.toMatch(/c-[123]/);
	});
});

describe('Retry sends whom another execution has sent before', () => {
	test.each([3, 60])('of %i customers, refused as a whole after yesterday they went out', async (count) => {
		const items = crowd(count);
		await run({ items });
		const parameters = { ...DEFINED, canvas: canvas('Nowhere') };
		const refused = await start({ items, parameters });
		expect(outcomeOf(refused).error?.message).toContain('has no canvas');
		const { output } = outcomeOf(await retried(refused));
		expect(output.map(({ json }) => json.outcome)).toEqual(Array(count).fill('accepted'));
		expect(setting.sandbox.accepted.length).toBe(2 * count);
	});

	test.each([3, 60])('of %i customers, in two failed executions that are both retried', async (count) => {
		const items = crowd(count);
		const last = `${count - 1}`;
		setting.sandbox.misbehave({ on: 'trigger', contactId: last, code: '910025', times: 2 });
		const failed = [await start({ items }), await start({ items })];
		for (const one of failed) {
			const { error } = outcomeOf(await retried(one));
			expect(error).toBeUndefined();
		}
		expect(timesAccepted(...items.map(({ json }) => json.id))).toEqual(Array(count).fill(2));
	});
});

test('nobody is sent twice when n8n 1 runs an execution again, whose worker was killed after this node had ended', async () => {
	const items = crowd(60);
	await start({ items, executionId: 'killed' });
	const { output } = outcomeOf(await start({ items, executionId: 'killed' }));
	expect(output.map(({ json }) => json.outcome)).toEqual(Array(60).fill('alreadySent'));
	expect(setting.sandbox.accepted.length).toBe(60);
	const another = outcomeOf(await start({ items }));
	expect(another.output.map(({ json }) => json.outcome)).toEqual(Array(60).fill('accepted'));
});

test('a customer in doubt stays in doubt when nothing can be stored before sending them again', async () => {
	setting.sandbox.misbehave({ on: 'trigger', contactId: '2', drop: 'after' });
	const failed = await start();
	const parameters = { ...DEFINED, options: { unknownOutcome: 'sendAgain', giveUpAfter: 0 } };
	database.isAway = true;
	const again = await retried(failed, { parameters });
	database.isAway = false;
	expect(outcomeOf(again).error?.message).toContain("n8n's database could not tell");
	setting.sandbox.misbehaviours.clear();
	const { error } = outcomeOf(await retried(again));
	expect(error?.message).toContain('Customer 2 (item 1)');
	expect(timesAccepted('2')).toEqual([1]);
});

test('Retry of a Retry leaves nothing behind that another execution could take for its own', async () => {
	const items = crowd(3);
	const wrong = { ...DEFINED, canvas: canvas('Nowhere') };
	setting.sandbox.misbehave({ on: 'trigger', contactId: '2', code: '910025', times: 1 });
	const refused = await start({ items, parameters: wrong });
	const again = await retried(refused);
	await retried(again);
	expect(setting.sandbox.accepted.length).toBe(3);
	const other = await start({ items, parameters: wrong });
	const { output } = outcomeOf(await retried(other));
	expect(output.map(({ json }) => json.outcome)).toEqual(Array(3).fill('accepted'));
	expect(setting.sandbox.accepted.length).toBe(6);
});

test('Retry after the address of the account was put right sends nobody again', async () => {
	setting.sandbox.misbehave({ on: 'trigger', contactId: '3', code: '910025', times: 1 });
	const failed = await start();
	setting.credentials.add(
		'sobotApi',
		account({ baseUrl: setting.sandbox.url.replace('127.0.0.1', 'localhost') }),
	);
	const { output } = outcomeOf(await retried(failed));
	expect(output.map(({ json }) => json.ret_code)).toEqual(['000000', '000000', '000000']);
	expect(timesAccepted('1', '2', '3')).toEqual([1, 1, 1]);
});
