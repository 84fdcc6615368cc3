import { digestOf, RetryMemory, type CustomerState } from '../../nodes/SobotRuleEngine/canvas/retryMemory';

const entry = (contactId: string, outcome?: string, more: object = {}): CustomerState =>
	({
		index: 0,
		digest: digestOf('canvas', contactId, 0),
		...(outcome ? { result: { outcome, retCode: null, message: '', advice: '' } } : {}),
		...more,
	}) as CustomerState;

test('remembers who is on the canvas or may be, and nobody else', () => {
	const context = {};
	new RetryMemory(context, 0, 'e', false).remember([
		entry('accepted', 'accepted'),
		entry('unknown', 'unknown'),
		entry('in flight', undefined, { isInDoubt: true }),
		entry('refused', 'refused'),
		entry('left'),
	]);
	// n8n stores the context as JSON.
	const memory = new RetryMemory(
		JSON.parse(JSON.stringify(context)) as Record<string, unknown>,
		0,
		'e',
		false,
	);
	const outcome = (contactId: string) => memory.earlierResult(digestOf('canvas', contactId, 0))?.outcome;
	expect(['accepted', 'unknown', 'in flight', 'refused', 'left'].map(outcome)).toEqual([
		'accepted',
		'unknown',
		'unknown',
		undefined,
		undefined,
	]);
});

test('keeps the return code of a call whose outcome is unknown', () => {
	const context = {};
	const unknown = { outcome: 'unknown', retCode: '999999', message: '', advice: '' } as const;
	new RetryMemory(context, 0, 'e', false).remember([
		{ index: 0, digest: digestOf('c', '1', 0), result: unknown },
	]);
	expect(new RetryMemory(context, 0, 'e', false).earlierResult(digestOf('c', '1', 0))).toMatchObject({
		retCode: '999999',
	});
});

test('tells canvases, customers, occurrences and runs apart', () => {
	const digests = [
		digestOf('a', '1', 0),
		digestOf('b', '1', 0),
		digestOf('a', '2', 0),
		digestOf('a', '1', 1),
	];
	expect(new Set(digests).size).toBe(4);
	const context = {};
	new RetryMemory(context, 0, 'e', false).remember([entry('1', 'accepted')]);
	expect(new RetryMemory(context, 1, 'e', false).earlierResult(digestOf('canvas', '1', 0))).toBeUndefined();
});

test('holds no customer data, and 16 characters for each customer', () => {
	const context: Record<string, { accepted: string }> = {};
	const entries = Array.from({ length: 100 }, (_, i) => entry(`customer-${i}`, 'accepted'));
	new RetryMemory(context, 0, 'e', false).remember(entries);
	expect(JSON.stringify(context)).not.toContain('customer');
	expect(context.run0?.accepted.length).toBe(1600);
});

test('deletes the record of a run that needs no other try', () => {
	const context = {};
	const memory = new RetryMemory(context, 0, 'e', false);
	memory.remember([entry('1', 'accepted')]);
	memory.forget();
	expect(context).toEqual({ firstRun: 0 });
});

test.each([[null], ['text'], [{ accepted: 5, unknown: null }], [{}]])(
	'survives a foreign entry %j',
	(foreign) => {
		const memory = new RetryMemory({ run0: foreign }, 0, 'e', false);
		expect(memory.earlierResult(digestOf('canvas', '1', 0))).toBeUndefined();
	},
);

test('counts runs from the first one, which n8n can number 1 after a crash', () => {
	const context = {};
	const runs = [1, 1, 2, 3].map((runIndex) => new RetryMemory(context, runIndex, 'execution', true).run);
	expect(runs).toEqual([0, 0, 1, 2]);
});
