// The option 'Send Once Per': a customer of a campaign is sent once, in whatever execution.
import type { IExecuteFunctions } from 'n8n-workflow';
import { SobotRuleEngine } from '../../nodes/SobotRuleEngine/SobotRuleEngine.node';
import { ACTION } from '../support/nodeTypes.mts';
import { shareAction } from './actionSetting.mts';
import { canvas, CONTINUE, DEFINED, people, RETRY_ON_FAIL } from './customers.mts';
import { entriesOf, restoreEntries } from './deduplicationTable.mts';
import { contextOf, outcomeOf } from './runAction.mts';
import { StoredCredentials } from './storedCredentials.mts';

const setting = shareAction(() => new StoredCredentials());
const { run, start, retried, timesAccepted } = setting;

const refuse = (contactId: string, times?: number) =>
	setting.sandbox.misbehave({ on: 'trigger', contactId, code: '910026', ...(times ? { times } : {}) });

const once = (sendOncePer: string, more = {}) => ({ ...DEFINED, options: { sendOncePer, ...more } });
const outcomes = async (...from: Parameters<typeof run>) => {
	const { output, error } = await run(...from);
	expect(error).toBeUndefined();
	return output.map(({ json }) => json.outcome);
};

test('one text for all: each customer is sent once, in this execution and in later ones', async () => {
	const parameters = once('spring');
	await run({ items: people('1', '2'), parameters });
	expect(await outcomes({ items: people('1', '2', '3', '3'), parameters })).toEqual([
		'alreadySent',
		'alreadySent',
		'accepted',
		'alreadySent',
	]);
	expect(setting.sandbox.accepted.length).toBe(3);
});

test('an order number: one customer is sent once for each of their orders', async () => {
	const items = ['o1', 'o2', 'o1'].map((order) => ({ json: { id: '7', name: 'N', order } }));
	const parameters = once('={{ $json.order }}');
	expect(await outcomes({ items, parameters })).toEqual(['accepted', 'accepted', 'alreadySent']);
	expect(await outcomes({ items: items.toReversed(), parameters })).toEqual(Array(3).fill('alreadySent'));
});

test('another canvas, another text and another node begin anew', async () => {
	const node = { id: 'anew' };
	expect(await outcomes({ parameters: once('a'), node })).toEqual(Array(3).fill('accepted'));
	const elsewhere = { ...once('a'), canvas: canvas('Quiet') };
	expect(await outcomes({ parameters: elsewhere, node })).toEqual(Array(3).fill('accepted'));
	expect(await outcomes({ parameters: once('b'), node })).toEqual(Array(3).fill('accepted'));
	expect(await outcomes({ parameters: once('a'), node: { id: 'a copy' } })).toEqual(
		Array(3).fill('accepted'),
	);
	expect(await outcomes({ parameters: once('a'), node })).toEqual(Array(3).fill('alreadySent'));
});

test.each([
	'={{ "" }}',
	'={{ NaN }}',
	'={{ 12345678901234567890 }}',
	'{{ $json.id }}',
	'={{ $execution.id }}',
	'4.40981E+17',
	"={{ 'spring\\u200b' }}",
	"={{ '#N/A' }}",
])('%s is refused', async (text) => {
	const { error } = await run({ parameters: once(text) });
	expect(error?.message).toContain("'Send Once Per'");
	expect(setting.sandbox.triggerCalls).toEqual([]);
});

describe('a history that has lost the first customers of a campaign', () => {
	const node = { id: 'full', ...CONTINUE };
	const lost = async (text: string, ...forgotten: RegExp[]) => {
		await run({ parameters: once(text), node });
		restoreEntries(
			'full',
			entriesOf('full').filter((entry) => !forgotten.some((one) => one.test(entry))),
		);
		setting.sandbox.forget();
	};

	test('refuses the campaign before anything is sent, as often as it is tried', async () => {
		await lost('spring', /^first \S+ 1$/);
		const before = entriesOf('full');
		for (let attempt = 0; attempt < 2; attempt++) {
			const { output } = await run({ items: people('8', '9'), parameters: once('spring'), node });
			expect(output.map(({ json }) => json.outcome)).toEqual(['unknown', 'unknown']);
			expect(String(output[0]?.json.reason)).toMatch(/no longer remembers everyone.*'History Size'/s);
		}
		expect(setting.sandbox.triggerCalls).toEqual([]);
		expect(entriesOf('full').filter((entry) => !before.includes(entry))).toEqual([]);
	});

	test('does so after a question whose answer was lost, too', async () => {
		await lost('summer', /^first /);
		const [first] = entriesOf('full').filter((entry) => entry.startsWith('last'));
		restoreEntries('full', [...entriesOf('full'), `${String(first).replace('last', 'first')} 1`]);
		expect(await outcomes({ items: people('9'), parameters: once('summer'), node })).toEqual(['unknown']);
		expect(setting.sandbox.triggerCalls).toEqual([]);
	});

	test('takes one that it has forgotten entirely for a new one', async () => {
		await lost('autumn', /./);
		const items = people('8', '9');
		expect(await outcomes({ items, parameters: once('autumn'), node })).toEqual(['accepted', 'accepted']);
	});
});

test('the history never shrinks below its size, what is stored, or twice the customers', async () => {
	const node = { id: 'shrinks' };
	const old = Array.from({ length: 20_000 }, (_, i) => `old ${i}`);
	restoreEntries('shrinks', old);
	await run({ parameters: once('spring', { historySize: 10 }), node });
	expect(entriesOf('shrinks').length).toBeGreaterThan(19_900);
	// A batch without the option keeps it, too.
	setting.sandbox.misbehave({ on: 'trigger', atWork: { minMs: 1200, maxMs: 1200 } });
	await run({ node });
	expect(entriesOf('shrinks').length).toBeGreaterThan(19_900);
});

describe('added or removed between a failure and its Retry: nobody twice', () => {
	test.each([
		['added', DEFINED, once('added')],
		['removed', once('removed'), DEFINED],
	])('%s', async (_, before, after) => {
		setting.sandbox.misbehave({ on: 'trigger', contactId: '3', code: '910025', times: 1 });
		const failed = await start({ parameters: before });
		const { error } = outcomeOf(await retried(failed, { parameters: after }));
		expect(error).toBeUndefined();
		expect(timesAccepted('1', '2', '3')).toEqual([1, 1, 1]);
	});
});

describe("between a failure and its Retry, 'Send Once Per' is an expression whose value changes", () => {
	test('with the number of the execution in it: nobody twice', async () => {
		refuse('3', 1);
		const parameters = once("={{ 'run ' + $execution.id }}");
		const failed = await start({ parameters, node: { id: 'byId' }, executionId: '17', resumeToken: 'byId' });
		await retried(failed, { parameters, node: { id: 'byId' } });
		expect(timesAccepted('1', '2', '3')).toEqual([1, 1, 1]);
	});

	test('with a time in it, and Retry On Fail: nobody twice', async () => {
		refuse('3', 1);
		const parameters = once('={{ $now.toISO() }}');
		await run({ parameters, node: { id: 'byTime', ...RETRY_ON_FAIL } });
		expect(timesAccepted('1', '2', '3')).toEqual([1, 1, 1]);
	});

	test('the fixed text changed, for comparison: nobody twice', async () => {
		refuse('3', 1);
		const failed = await start({ parameters: once('one'), node: { id: 'typed' } });
		await retried(failed, { parameters: once('two'), node: { id: 'typed' } });
		expect(timesAccepted('1', '2', '3')).toEqual([1, 1, 1]);
	});
});

describe('between a failure and its Retry, the node gets another ID (deployed without node IDs)', () => {
	test.each([
		["without 'Send Once Per'", DEFINED],
		["with 'Send Once Per'", once('deployed')],
	])('%s: nobody twice', async (name, parameters) => {
		refuse('3', 1);
		const failed = await start({ parameters, node: { id: `before ${name}` } });
		await retried(failed, { parameters, node: { id: `after ${name}` } });
		expect(timesAccepted('1', '2', '3')).toEqual([1, 1, 1]);
	});
});

test('between a failure and its Retry, an order number is forgotten: the execution itself still knows it', async () => {
	refuse('3', 1);
	const items = ['1', '2', '3'].map((id) => ({ json: { id, name: 'N', order: `o${id}` } }));
	const parameters = once('={{ $json.order }}');
	const node = { id: 'orders' };
	const failed = await start({ items, parameters, node });
	// Later orders have pushed them out, of the table and of this process.
	for (let i = 0; i < 6; i++) await run({ items: people(`y${i}`), parameters: once(`later ${i}`), node });
	restoreEntries('orders', ['claim of 11,000 later orders']);
	await retried(failed, { parameters, node });
	expect(timesAccepted('1', '2', '3')).toEqual([1, 1, 1]);
});

test('the hint that the memory is full appears when customers are pushed out', async () => {
	const old = Array.from({ length: 11_000 }, (_, i) => `claim ${i}`);
	restoreEntries('hint', old);
	const { hints } = await run({ parameters: once('hinted'), node: { id: 'hint' } });
	const forgotten = old.filter((entry) => !entriesOf('hint').includes(entry)).length;
	expect(forgotten).toBeGreaterThan(0);
	expect(hints.map(({ message }) => message).join()).toContain("memory for 'Send Once Per' is full");
});

test('a campaign that is run again gets room, so no such hint appears', async () => {
	const node = { id: 'run again' };
	await run({ parameters: once('again'), node });
	const [one, two, ...rest] = entriesOf('run again');
	const old = Array.from({ length: 15_770 }, (_, i) => `claim ${i}`);
	restoreEntries('run again', [String(one), String(two), ...old, ...rest]);
	for (let i = 0; i < 5; i++) {
		const { hints } = await run({ items: people(`new ${i}`), parameters: once('again'), node });
		expect(hints.map(({ message }) => message)).toEqual([]);
	}
	const stored = new Set(entriesOf('run again'));
	expect(old.filter((entry) => !stored.has(entry))).toEqual([]);
});

test('the same customer for two canvases is not said to be put on one canvas twice', async () => {
	const items = [DEFINED.canvas.value, 'Quiet'].map((to) => ({ json: { id: '1', name: 'N', to } }));
	const { hints } = await run({
		items,
		parameters: { ...DEFINED, canvas: canvas('={{ $json.to }}') },
	});
	expect(hints.filter(({ message }) => message.includes('once more'))).toEqual([]);
});

test("with 'Treat as Sent', an earlier try does not count the one in doubt as put on the canvas", async () => {
	setting.sandbox.misbehave({
		on: 'trigger',
		contactId: '2',
		answerWith: { status: 502, body: '' },
		times: 1,
	});
	refuse('3');
	let reads = 0;
	const parameters = { ...DEFINED, options: { unknownOutcome: 'treatAsSent' } };
	const get = setting.credentials.getDecrypted.bind(setting.credentials);
	setting.credentials.getDecrypted = async (...from: Parameters<typeof get>) => {
		if (setting.sandbox.triggerCalls.length >= 3 && ++reads > 0) throw new Error('the database is locked');
		return await get(...from);
	};
	const { error } = await run({ parameters, node: { id: 'counts', ...RETRY_ON_FAIL, maxTries: 2 } });
	const said = String((error as { description?: string } | undefined)?.description);
	expect(said).not.toContain('put 2 customers there, and left 1');
});

test("'Unknown Outcome' must be the same for all items", async () => {
	const unknownOutcome = "={{ $json.id === '1' ? 'sendAgain' : 'fail' }}";
	const parameters = { ...DEFINED, options: { unknownOutcome } };
	const { output } = await run({ parameters, node: { id: 'differs', ...CONTINUE } });
	expect(output.map(({ json }) => json.outcome)).toEqual(['accepted', 'notSent', 'notSent']);
	expect(output[1]?.json.reason).toContain("'Unknown Outcome' must be the same for all items");
});

test("an agent's tool that is called for two orders of one customer: each order is sent, and each once", async () => {
	const shared = {};
	const call = async (order: string) => {
		const context = contextOf({
			items: [{ json: { id: '1', name: 'N', order } }],
			parameters: once('={{ $json.order }}'),
			credentials: setting.credentials,
			node: { id: 'orders as a tool', type: `${ACTION.type}Tool` },
		});
		const made = Object.create(context) as IExecuteFunctions;
		made.getContext = () => shared;
		const [items] = (await new SobotRuleEngine().execute.call(made)) ?? [];
		return items?.[0]?.json.outcome;
	};
	expect([await call('o1'), await call('o2'), await call('o1')]).toEqual([
		'accepted',
		'accepted',
		'alreadySent',
	]);
	expect(setting.sandbox.accepted.length).toBe(2);
});

test('in a workflow that was never saved, it is refused with what to do', async () => {
	const { credentials } = setting;
	const context = contextOf(
		{ items: people('1'), parameters: once('spring'), credentials, node: CONTINUE },
		'',
	);
	const [items] = (await new SobotRuleEngine().execute.call(context)) ?? [];
	expect(items?.[0]?.json.reason).toBe(
		"Customer 1 (item 0): 'Send Once Per' works in a saved workflow only. Save the workflow, then run it again.",
	);
	expect(setting.sandbox.triggerCalls.length).toBe(0);
});
