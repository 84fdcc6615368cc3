// n8n's deduplication table fails at each single call of a chain of executions: it rejects the call, or carries it out and its
// answer is lost. Where most can go wrong, also two calls in a row. FAULTS=all does that for every chain.
import { CANVASES, type CallFate, type Faults, type Item, type Settings } from './modelNode.mts';
import { customers, ModelOfN8n, nameOf, toldBy, type Execution } from './modelOfN8n.mts';
import { differencesOf, type Difference } from './modelTruth.mts';

jest.setTimeout(60_000);

/** Twelve customers at ten a second take longer than a second, so their record is opened before the first call. */
const AT_TEN_A_SECOND = { requestsPerSecond: 10 };
const BATCH = customers(12);
/** Expected to take less than a second, so that their record is opened late. */
const SMALL_BATCH = customers(9);

const STOP: Settings = { options: AT_TEN_A_SECOND };
const TREAT_AS_SENT: Settings = { options: { ...AT_TEN_A_SECOND, unknownOutcome: 'treatAsSent' } };
const CONTINUE = { onError: 'continueRegularOutput' } as const;
const RETRY_ON_FAIL = { retryOnFail: true } as const;
const WITH_KEYS: Settings = { ...TREAT_AS_SENT, hasKeys: true };

const KILLED: Faults = { killedAfterMs: 700 };
const refusing = (id: string): Faults => ({ sobot: (item) => (item.id === id ? '910026' : 'accepted') });
function refusingOnce(id: string): Faults {
	let isDone = false;
	const sobot = (item: Item): CallFate => {
		if (isDone || item.id !== id) return 'accepted';
		isDone = true;
		return '910026';
	};
	return { sobot };
}
/** Calls that Sobot refuses as over the limit make a small batch take longer than a second. */
const slow = (refused?: string): Faults => ({
	sobot: ({ id }, call) => (id === refused ? '910026' : call > 3 && call < 7 ? '910024' : 'accepted'),
});

/** A chain of executions while calls of the table fail. */
class Chain {
	readonly n8n: ModelOfN8n;
	hasCrashed = false;

	/** @param seed so that a call differs a little from that of the next chain */
	constructor(
		seed: number,
		readonly hasResumeToken: boolean,
		private readonly table: Required<Faults>['table'],
	) {
		this.n8n = new ModelOfN8n(seed, hasResumeToken);
	}

	async first(settings: Settings, faults: Faults = {}, items: readonly Item[] = BATCH): Promise<Execution> {
		return await this.run(this.n8n.execution([items]), settings, faults);
	}

	/** n8n's Retry of an execution, unless it has succeeded. */
	async retry(failed: Execution, settings: Settings, faults: Faults = {}): Promise<Execution> {
		return failed.state === 'success' ? failed : await this.run(this.n8n.retryOf(failed), settings, faults);
	}

	/** n8n 1's second run of a killed execution, unless it has ended. */
	async again(killed: Execution, settings: Settings, faults: Faults = {}): Promise<Execution> {
		return killed.state === 'crashed' ? await this.run(killed, settings, faults) : killed;
	}

	private async run(execution: Execution, settings: Settings, faults: Faults): Promise<Execution> {
		await this.n8n.run(execution, settings, { table: this.table, ...faults });
		this.hasCrashed ||= execution.state === 'crashed';
		return execution;
	}

	/** An execution whose node before this one fails. */
	async failedBefore(items: readonly Item[] = BATCH): Promise<Execution> {
		return await this.n8n.run(this.n8n.execution([items], true));
	}
}

interface ChainToTry {
	readonly title: string;
	/** whether two calls in a row fail too */
	readonly isAtRisk?: boolean;
	readonly hasKeys?: boolean;
	/** differences that are not promised to be impossible while the table fails */
	readonly mayDiffer?: Difference['kind'];
	/** Returns the last execution. */
	readonly run: (chain: Chain) => Promise<Execution>;
}

const CHAINS: readonly ChainToTry[] = [
	{
		title: 'killed, Retry',
		isAtRisk: true,
		run: async (chain) => await chain.retry(await chain.first(STOP, KILLED), TREAT_AS_SENT),
	},
	{
		title: 'succeeded, another execution with the same customers killed, Retry of that one',
		isAtRisk: true,
		run: async (chain) => {
			await chain.first(STOP);
			return await chain.retry(await chain.first(STOP, KILLED), TREAT_AS_SENT);
		},
	},
	{
		title: 'succeeded, Retry of another execution whose node before this one failed, Retry of that one',
		run: async (chain) => {
			await chain.first(STOP);
			return await chain.retry(await chain.retry(await chain.failedBefore(), STOP), STOP);
		},
	},
	{
		title: 'killed, Retry with Retry On Fail',
		isAtRisk: true,
		run: async (chain) => {
			const killed = await chain.first({ ...STOP, ...RETRY_ON_FAIL }, KILLED);
			return await chain.retry(killed, { ...TREAT_AS_SENT, ...RETRY_ON_FAIL });
		},
	},
	{
		title: 'killed, Retry with On Error: Continue',
		isAtRisk: true,
		run: async (chain) =>
			await chain.retry(await chain.first({ ...STOP, ...CONTINUE }, KILLED), { ...STOP, ...CONTINUE }),
	},
	{
		title: 'killed, Retry refused once, Retry of that one',
		isAtRisk: true,
		run: async (chain) => {
			const killed = await chain.first(STOP, KILLED);
			return await chain.retry(await chain.retry(killed, TREAT_AS_SENT, refusingOnce('c11')), TREAT_AS_SENT);
		},
	},
	{
		title: 'killed, Retry killed too, Retry of the first one',
		isAtRisk: true,
		run: async (chain) => {
			const killed = await chain.first(STOP, { killedAfterMs: 500 });
			await chain.retry(killed, TREAT_AS_SENT, { killedAfterMs: 150 });
			return await chain.retry(killed, TREAT_AS_SENT);
		},
	},
	{
		title: 'killed, run again by n8n 1, Retry if that fails',
		isAtRisk: true,
		run: async (chain) => {
			const again = await chain.again(await chain.first(TREAT_AS_SENT, KILLED), TREAT_AS_SENT);
			return await chain.retry(again, TREAT_AS_SENT);
		},
	},
	{
		title: 'killed, run again by n8n 1 with On Error: Continue',
		// If the table cannot be read, nothing tells the second run that it is one.
		mayDiffer: 'told as not sent',
		run: async (chain) => {
			const settings = { ...TREAT_AS_SENT, ...CONTINUE };
			return await chain.again(await chain.first(settings, KILLED), settings);
		},
	},
	{
		title: 'killed, run again by n8n 1 with Retry On Fail, refused once',
		isAtRisk: true,
		run: async (chain) => {
			const settings = { ...TREAT_AS_SENT, ...RETRY_ON_FAIL };
			return await chain.again(await chain.first(settings, KILLED), settings, refusingOnce('c11'));
		},
	},
	{
		title: 'refused, Retry',
		run: async (chain) => await chain.retry(await chain.first(STOP, refusingOnce('c6')), TREAT_AS_SENT),
	},
	{
		title: 'refused, Retry killed, Retry of that one',
		isAtRisk: true,
		run: async (chain) => {
			const refused = await chain.first(STOP, refusingOnce('c2'));
			return await chain.retry(await chain.retry(refused, TREAT_AS_SENT, KILLED), TREAT_AS_SENT);
		},
	},
	{
		title: 'refused in each try of Retry On Fail',
		run: async (chain) => await chain.first({ ...STOP, ...RETRY_ON_FAIL }, refusing('c11')),
	},
	{
		title: 'refused, killed while Retry On Fail waits, Retry',
		isAtRisk: true,
		run: async (chain) => {
			const settings = { ...STOP, ...RETRY_ON_FAIL, waitBetweenTries: 3000 };
			const killed = await chain.first(settings, { ...refusingOnce('c11'), killedAfterMs: 3000 });
			return await chain.retry(killed, TREAT_AS_SENT);
		},
	},
	{
		title: 'small and slow, refused, Retry',
		run: async (chain) => await chain.retry(await chain.first(STOP, slow('c8'), SMALL_BATCH), TREAT_AS_SENT),
	},
	{
		title: 'small and slow, killed, Retry',
		// A batch's first second is not recorded if the record cannot be opened after it.
		mayDiffer: 'sent twice',
		run: async (chain) => {
			const killed = await chain.first(STOP, { ...slow(), killedAfterMs: 1600 }, SMALL_BATCH);
			return await chain.retry(killed, TREAT_AS_SENT);
		},
	},
	{
		title: 'small and slow, refused in each try of Retry On Fail',
		run: async (chain) => await chain.first({ ...STOP, ...RETRY_ON_FAIL }, slow('c8'), SMALL_BATCH),
	},
	{ title: 'succeeded', run: async (chain) => await chain.first(STOP) },
	{ title: 'stopped', run: async (chain) => await chain.first(STOP, { stoppedAfterMs: 700 }) },
	{
		title: 'two canvases, killed, Retry',
		run: async (chain) => {
			const items = [...BATCH, ...BATCH].map(({ id }, index) => ({
				id,
				canvas: CANVASES[index % 2 ? 1 : 0],
			}));
			return await chain.retry(await chain.first(STOP, KILLED, items), TREAT_AS_SENT);
		},
	},
	{
		title: 'with keys: killed, another execution',
		hasKeys: true,
		run: async (chain) => {
			await chain.first(WITH_KEYS, KILLED);
			return await chain.first(WITH_KEYS);
		},
	},
	{
		title: 'with keys: refused, Retry killed, another execution',
		hasKeys: true,
		run: async (chain) => {
			await chain.retry(await chain.first(WITH_KEYS, refusingOnce('c2')), WITH_KEYS, KILLED);
			return await chain.first(WITH_KEYS);
		},
	},
	{
		title: 'with keys: one answer lost, one refused, Retry',
		hasKeys: true,
		run: async (chain) => {
			const sobot = ({ id }: Item) => (id === 'c2' ? 'lost' : id === 'c3' ? '910026' : 'accepted');
			return await chain.retry(await chain.first(WITH_KEYS, { sobot }), WITH_KEYS);
		},
	},
];

const ALL = process.env.FAULTS === 'all';

interface Fault {
	/** whether n8n is 2.14 or newer */
	readonly hasResumeToken: boolean;
	readonly fate: 'rejected' | 'lost';
	/** the first call that fails, and how many do */
	readonly from: number;
	readonly count: number;
}

describe.each([
	['since n8n 2.14', true],
	['before n8n 2.14', false],
])('%s', (_, hasResumeToken) => {
	test.each(CHAINS)('$title: nobody twice, and each told the truth', async (toTry) => {
		const calls = await callsOf(toTry, hasResumeToken);
		expect(calls).toBeGreaterThan(1);
		const counts = ALL || toTry.isAtRisk === true ? [1, 2] : [1];
		for (let from = 0; from < calls; from++) {
			for (const fate of ['rejected', 'lost'] as const)
				for (const count of counts)
					expect(await faultsFoundBy(toTry, { hasResumeToken, fate, from, count })).toEqual([]);
		}
	});
});

/** How often a chain calls the table if nothing fails. Then it has no differences. */
async function callsOf({ run, hasKeys = false }: ChainToTry, hasResumeToken: boolean): Promise<number> {
	const chain = new Chain(1, hasResumeToken, () => 'stored');
	const last = await run(chain);
	await chain.n8n.rest();
	expect(differencesOf(chain.n8n, last, hasKeys)).toEqual([]);
	chain.n8n.end();
	return chain.n8n.table.calls;
}

/** Whether the last execution has found out whom a killed one had sent, so that the record no longer counts. */
const hasReadRecord = (last: Execution) =>
	last.state === 'success' && toldBy(last).some(({ outcome }) => /^(accepted|alreadySent)$/.test(outcome));

/** What is wrong after a chain, with its log. */
async function faultsFoundBy(
	{ run, hasKeys = false, mayDiffer }: ChainToTry,
	{ hasResumeToken, fate, from, count }: Fault,
): Promise<string[]> {
	const table = ({ index }: { index: number }) => (index >= from && index < from + count ? fate : 'stored');
	const chain = new Chain(1 + from, hasResumeToken, table);
	const { n8n } = chain;
	const last = await run(chain);
	await n8n.rest();
	const found = differencesOf(n8n, last, hasKeys)
		.filter(({ kind }) => kind !== mayDiffer)
		.map(({ kind, text }) => `${kind}: ${text}`);
	if (!hasKeys && (hasResumeToken || !chain.hasCrashed || hasReadRecord(last))) {
		const [items = []] = last.iterations;
		const failed = await chain.failedBefore(items);
		const other = await n8n.run(n8n.retryOf(failed), { ...STOP, ...CONTINUE });
		const times = n8n.timesOnCanvas({ execution: other, iteration: 0 });
		const missing = toldBy(other).filter(
			({ item, outcome }) => !times.has(nameOf(item)) && outcome !== 'unknown',
		);
		found.push(...missing.map(({ item, outcome }) => `${item.id} of another execution: ${outcome}`));
	}
	n8n.end();
	if (found.length === 0) return [];
	return [`${count} calls of the table ${fate} from call ${from}`, ...found, ...n8n.log];
}
