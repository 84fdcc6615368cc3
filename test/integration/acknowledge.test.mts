import { runAcknowledge } from './runAcknowledge.mts';

const ACKNOWLEDGED = { body: { code: 0, status: 0 }, headers: {}, statusCode: 200 };
const FAILED = { body: { code: 1, status: 1 }, headers: {}, statusCode: 200 };
const A = { name: 'A', responseMode: 'onReceived' };
const B = { name: 'B', responseMode: 'responseNode' };
const pushed = { triggers: [B], startedBy: 'B' };
const items = (...outcomes: unknown[]) =>
	outcomes.map((outcome) => ({ json: { outcome } as object as never }));
const EACH = '={{ $json.outcome }}';

test('passes the items on and says what Sobot was told', async () => {
	const { sent, tasks } = await runAcknowledge({ ...pushed, items: items('x', 'y'), outcomes: ['success'] });
	expect(sent).toEqual([ACKNOWLEDGED]);
	expect(tasks[0]?.data?.main?.[0]).toEqual([
		{ json: { outcome: 'x' }, pairedItem: { item: 0 } },
		{ json: { outcome: 'y' }, pairedItem: { item: 1 } },
	]);
	expect(tasks[0]?.hints).toEqual([{ message: "Sobot was told 'success'.", location: 'outputPane' }]);
});

test.each([
	[['success'], ACKNOWLEDGED],
	[['success', 'success'], ACKNOWLEDGED],
	[['failure'], FAILED],
	[['success', 'failure'], FAILED],
	[['failure', 'success'], FAILED],
])('the outcomes %j: Sobot is told %j', async (outcomes, answer) => {
	const { sent, error } = await runAcknowledge({ ...pushed, items: items(...outcomes), outcomes: [EACH] });
	expect(error).toBeUndefined();
	expect(sent).toEqual([answer]);
});

test.each([
	[['success', undefined], "'Outcome' of item 1 must be 'success' or 'failure', not undefined."],
	[['Failure'], `'Outcome' of item 0 must be 'success' or 'failure', not "Failure".`],
	[['failure', 'failed'], `'Outcome' of item 1 must be 'success' or 'failure', not "failed".`],
	[[null], "'Outcome' of item 0 must be 'success' or 'failure', not null."],
	[[' success'], `'Outcome' of item 0 must be 'success' or 'failure', not " success".`],
	[[true], "'Outcome' of item 0 must be 'success' or 'failure', not true."],
])('the outcomes %j: Sobot is told nothing, and the item is named', async (outcomes, message) => {
	const { sent, error } = await runAcknowledge({ ...pushed, items: items(...outcomes), outcomes: [EACH] });
	expect(sent).toEqual([]);
	expect(error?.message).toBe(message);
});

test('with On Error: Continue, items carry what is wrong', async () => {
	const { sent, tasks, error } = await runAcknowledge({
		...pushed,
		items: items('success', 'done'),
		outcomes: [EACH],
		node: { onError: 'continueRegularOutput' },
	});
	expect(error).toBeUndefined();
	expect(sent).toEqual([]);
	const message = `'Outcome' of item 1 must be 'success' or 'failure', not "done".`;
	expect(tasks[0]?.data?.main?.[0]?.map(({ json }) => json.error)).toEqual([
		expect.stringContaining(message),
		expect.stringContaining(message),
	]);
});

describe('several triggers before it', () => {
	test.each([
		['connected first', [B, A]],
		['connected last', [A, B]],
	])('the one that the push came to counts: %s', async (_, triggers) => {
		const waiting = await runAcknowledge({ triggers, startedBy: 'B', outcomes: ['success'] });
		expect([waiting.sent, waiting.error]).toEqual([[ACKNOWLEDGED], undefined]);
		const answered = await runAcknowledge({ triggers, startedBy: 'A', outcomes: ['success'] });
		expect(answered.sent).toEqual([]);
		expect(answered.error?.message).toBe('"A" does not wait for an acknowledgement.');
	});

	test('none of them: there is no push', async () => {
		const { sent, error } = await runAcknowledge({ triggers: [A, B], outcomes: ['success'] });
		expect(sent).toEqual([]);
		expect(error?.message).toBe('There is no push to acknowledge.');
	});
});

test('a workflow without a trigger of ours: there is no push', async () => {
	const { sent, error } = await runAcknowledge({ triggers: [], outcomes: ['success'] });
	expect(sent).toEqual([]);
	expect(error?.message).toBe('There is no push to acknowledge.');
});

describe('a second Acknowledge', () => {
	test('with the same outcome says that Sobot had been told', async () => {
		const { sent, tasks, error } = await runAcknowledge({ ...pushed, outcomes: ['failure', 'failure'] });
		expect([sent, error]).toEqual([[FAILED], undefined]);
		expect(tasks[1]?.hints?.map(({ message }) => message)).toEqual([
			"Sobot had already been told 'failure', so this node sent nothing.",
		]);
	});

	test('with another outcome does not pretend that Sobot receives it', async () => {
		const { sent, error } = await runAcknowledge({ ...pushed, outcomes: ['success', 'failure'] });
		expect(sent).toEqual([ACKNOWLEDGED]);
		expect(error?.message).toBe("Sobot has already been told 'success'.");
	});

	test('in a retried execution, whose push no longer waits, it stops nothing', async () => {
		const { tasks, error } = await runAcknowledge({
			...pushed,
			outcomes: ['success', 'failure'],
			mode: 'retry',
		});
		expect(error).toBeUndefined();
		expect(tasks[1]?.data?.main).toEqual([[{ json: {}, pairedItem: { item: 0 } }]]);
	});
});

test('executed by hand, it does not claim that Sobot waits', async () => {
	const { tasks, error } = await runAcknowledge({ triggers: [B], outcomes: ['success'], mode: 'manual' });
	expect(error).toBeUndefined();
	expect(tasks[0]?.hints?.map(({ message }) => message)).toEqual([
		"Sobot was told 'success', if a push was waiting.",
	]);
});
