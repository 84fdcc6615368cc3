// The same customers tried more than once: by Retry On Fail, by Retry, by Retry of a Retry, and beside other executions. What
// an earlier try has found out holds, whatever goes wrong in the next one, and nobody else's account is taken for it.
import { until } from '../support/until.mts';
import { DEMO_CANVAS, Sandbox } from '../sandbox/server.mts';
import {
	database,
	entriesOf,
	outcomeOf,
	retry,
	runAction,
	StoredCredentials,
	type ActionRun,
} from './core.mts';

// Batches that take longer than a second have a ledger.
jest.setTimeout(60_000);

/** n8n's database answers or does not. */
class FlakyCredentials extends StoredCredentials {
	isAway = () => false;

	override async getDecrypted(...from: Parameters<StoredCredentials['getDecrypted']>) {
		if (this.isAway()) throw new Error('the database is locked');
		return await super.getDecrypted(...from);
	}
}

let sandbox: Sandbox;
let credentials: FlakyCredentials;

beforeEach(async () => {
	sandbox = await Sandbox.start();
	credentials = new FlakyCredentials();
	credentials.add('sobotApi', {
		region: 'custom',
		baseUrl: sandbox.url,
		appId: 'demo-app',
		appKey: 'demo-key',
		token: '',
		canvases: {
			canvas: [
				{ name: 'Welcome', triggerId: DEMO_CANVAS.triggerId, secret: DEMO_CANVAS.secret },
				{ name: 'Asleep', triggerId: '1234567890123456780', secret: DEMO_CANVAS.secret },
			],
		},
	});
});
afterEach(async () => await sandbox.close());

const canvas = (value: string) => ({ __rl: true, mode: 'id', value });
const RIGHT = { canvas: canvas('Welcome'), contactId: '={{ $json.id }}', nick: '={{ $json.name }}' };
/** Refused as a whole, before anything is sent. */
const WRONG = { ...RIGHT, canvas: canvas('Nowhere') };
const RETRY_ON_FAIL = { retryOnFail: true, maxTries: 3, waitBetweenTries: 1 };
const CONTINUE = { onError: 'continueRegularOutput' } as const;

const people = (...ids: string[]) => ids.map((id) => ({ json: { id, name: `N ${id}` } }));
const crowd = (count: number) => people(...Array.from({ length: count }, (_, i) => `${i}`));
const start = async (more: Partial<ActionRun>) =>
	await runAction({ items: crowd(3), parameters: RIGHT, credentials, ...more });
const retried = async (failed: Awaited<ReturnType<typeof start>>, more: Partial<ActionRun> = {}) =>
	await retry(failed, { items: [], parameters: RIGHT, credentials, ...more });
const refuse = (contactId: string, times?: number) =>
	sandbox.misbehave({ on: 'trigger', contactId, code: '910026', ...(times ? { times } : {}) });
const times = (...ids: string[]) =>
	ids.map((id) => sandbox.accepted.filter(({ contactId }) => contactId === id).length);
const outcomes = (run: Awaited<ReturnType<typeof start>>) => {
	const { output, error } = outcomeOf(run);
	if (error) throw error;
	return output.map(({ json }) => json.outcome);
};
const texts = (run: Awaited<ReturnType<typeof start>>) => {
	const { error } = outcomeOf(run);
	return `${error?.message}\n${(error as { description?: string } | undefined)?.description}`;
};

describe('the account of another execution is not taken for its own', () => {
	test('that of one with Retry On Fail that failed', async () => {
		refuse('59', 3);
		outcomeOf(await start({ items: crowd(60), node: RETRY_ON_FAIL }));
		sandbox.forget();
		const refused = await start({ items: crowd(60), parameters: WRONG, node: RETRY_ON_FAIL });
		const again = await retried(refused, { node: RETRY_ON_FAIL });
		expect(new Set(outcomes(again))).toEqual(new Set(['accepted']));
		expect(sandbox.accepted.length).toBe(60);
	});

	test('that of one whose Retry failed', async () => {
		refuse('2', 1);
		const yesterday = await start({ parameters: WRONG });
		expect(outcomeOf(await retried(yesterday)).error?.message).toContain('910026');
		sandbox.forget();
		const today = await start({ parameters: WRONG });
		expect(outcomes(await retried(today))).toEqual(['accepted', 'accepted', 'accepted']);
		expect(times('0', '1', '2')).toEqual([1, 1, 1]);
	});

	test('that of one with Retry On Fail that was stopped', async () => {
		const items = crowd(100);
		const isSending = until('some calls', () => sandbox.accepted.length >= 40);
		await start({ items, node: RETRY_ON_FAIL, stopWhen: isSending });
		sandbox.forget();
		const today = await start({ items, parameters: WRONG, node: RETRY_ON_FAIL });
		expect(new Set(outcomes(await retried(today, { node: RETRY_ON_FAIL })))).toEqual(new Set(['accepted']));
		expect(sandbox.accepted.length).toBe(100);
	});
});

describe('a try that cannot send keeps what an earlier one has found out', () => {
	test('Retry with a wrong canvas, then with the right one', async () => {
		refuse('2', 1);
		const first = await start({});
		const wrong = await retried(first, { parameters: { ...RIGHT, canvas: canvas('Asleep') } });
		expect(outcomeOf(wrong).error?.message).toContain('910025');
		expect(outcomes(await retried(wrong))).toEqual(['accepted', 'accepted', 'accepted']);
		expect(times('0', '1', '2')).toEqual([1, 1, 1]);
	});

	test('Retry with another contact ID, then with the right one', async () => {
		refuse('2', 1);
		const first = await start({});
		const parameters = {
			...RIGHT,
			contactId: '={{ "x" + $json.id }}',
			options: { contactIdField: 'wrong' },
		};
		const wrong = await retried(first, { parameters });
		expect(outcomeOf(wrong).error?.message).toContain('910023');
		expect(outcomes(await retried(wrong))).toEqual(['accepted', 'accepted', 'accepted']);
		expect(times('0', '1', '2')).toEqual([1, 1, 1]);
	});

	test('Retry On Fail with On Error: Continue, the credential unreadable in the second of three tries', async () => {
		let reads = 0;
		credentials.isAway = () => sandbox.accepted.length >= 4 && ++reads === 1;
		refuse('0', 1);
		const run = await start({ items: crowd(5), node: { ...RETRY_ON_FAIL, ...CONTINUE } });
		expect(outcomes(run)).toEqual(Array(5).fill('accepted'));
		expect(times('0', '1', '2', '3', '4')).toEqual([1, 1, 1, 1, 1]);
	});

	test('the same until the end: whoever may be on the canvas is not reported as not sent', async () => {
		credentials.isAway = () => sandbox.accepted.length >= 4;
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
		credentials.isAway = () => sandbox.accepted.length >= 2;
		refuse('2');
		const said = texts(await start({ node: RETRY_ON_FAIL }));
		expect(said).toMatch(SAYS_SO);
		expect(said).toContain("'Execute step' sends everyone again");
	});

	test.each([
		['options', { ...RIGHT, options: { requestsPerSecond: 60 } }],
		['nicknames', { ...RIGHT, nick: '={{ "" }}' }],
	])('with Retry, and %s that cannot be sent', async (_, parameters) => {
		refuse('2');
		const said = texts(await retried(await start({}), { parameters }));
		expect(said).toMatch(SAYS_SO);
		expect(said).not.toContain('Nothing was sent');
	});
});

describe('the account of a batch without keys', () => {
	test('no longer counts once the batch is done', async () => {
		await start({ items: crowd(60), node: { id: 'cleaned' } });
		expect(
			entriesOf('cleaned').filter((entry) => entry.startsWith('batch') && !entry.includes('run')),
		).toEqual([]);
	});

	test('leaves room for that of a larger batch of the same node, which may have crashed', async () => {
		database.leastRoom = Infinity;
		await start({ items: crowd(60) });
		expect(database.leastRoom).toBeGreaterThanOrEqual(50_000);
	});

	test('is not opened by a batch that takes less than a second', async () => {
		database.leastRoom = Infinity;
		await start({ items: crowd(10) });
		expect(database.leastRoom).toBe(Infinity);
	});

	test('is opened by one that takes longer', async () => {
		database.leastRoom = Infinity;
		sandbox.misbehave({ on: 'trigger', atWork: { minMs: 1500, maxMs: 1500 } });
		await start({ items: crowd(3), node: { id: 'slow' } });
		expect(database.leastRoom).toBeGreaterThanOrEqual(50_000);
		expect(entriesOf('slow').filter((entry) => entry.startsWith('open'))).toEqual([]);
	});
});
