// Random chains of executions in the model of n8n, with random faults: nobody is sent twice, and each is told the truth. A chain
// that fails is shortened to the steps and faults that matter. CHAINS=n tries n chains of each shape, SEED=n others.
import fc from 'fast-check';
import { BY_ORDER, CANVASES, type CallFate, type Faults, type Item, type Settings } from './modelNode.mts';
import { customers, ModelOfN8n, type Execution, type Kind } from './modelOfN8n.mts';
import { struck } from './modelTruth.mts';

const COUNT = Number(process.env.CHAINS ?? 20);
const SEED = Number(process.env.SEED ?? 1);

jest.setTimeout(60_000 + COUNT * 2000);

/** What the chains of one kind have in common. */
interface Shape extends Kind {
	readonly title: string;
	/** the values of 'Send Once Per', of which each step has one */
	readonly texts?: ReadonlyArray<string | undefined>;
	/** chains that are tried before the random ones */
	readonly examples?: readonly ChainToTry[];
}

/** A chain without faults. */
const FEW: ChainToTry = {
	seed: 1,
	tableMs: 3,
	list: { size: 6, twice: undefined, hasTwoCanvases: false, loop: 99 },
	failsBefore: false,
	steps: [],
};
const STEP: Step = {
	how: 'retry',
	list: 'same',
	settings: { onError: 'continueErrorOutput', options: { requestsPerSecond: 10 } },
	faults: {},
	worker: 0,
	otherWorker: 0,
	pauseMs: 0,
};

/** Chains of two steps, in which n8n is killed at each step of the first one. */
const killedAtEachStep = (second: Step['how'], sendOncePer?: string): ChainToTry[] =>
	Array.from({ length: 40 }, (_, index) => ({
		...FEW,
		steps: [
			{ ...STEP, faults: { killedAt: index + 1 } },
			{ ...STEP, how: second },
		].map((step) => ({ ...step, settings: { ...step.settings, sendOncePer } })),
	}));

/** A loop in which a customer comes twice in a batch, and is refused once. */
const ONE_OF_TWO_REFUSED: ChainToTry = {
	...FEW,
	list: { ...FEW.list, twice: [1], loop: 4 },
	steps: [{ ...STEP, faults: { sobot: { c0: { fate: '910026', times: 1 } } } }],
};

const SHAPES: readonly Shape[] = [
	{ title: 'since n8n 2.14', version: '2', examples: killedAtEachStep('retry') },
	{
		title: 'since n8n 2.14, error output led back',
		version: '2',
		leadsBack: true,
		examples: [ONE_OF_TWO_REFUSED],
	},
	{ title: 'since n8n 2.14, after a Wait node', version: '2', leadsBack: true, storesProgress: true },
	{ title: 'since n8n 2.14, as a tool', version: '2', isTool: true },
	{ title: 'since n8n 2.14, with one text', version: '2', texts: ['spring'] },
	{ title: 'since n8n 2.14, with order numbers', version: '2', texts: [BY_ORDER], leadsBack: true },
	{ title: 'since n8n 2.14, text added or removed', version: '2', texts: ['spring', undefined] },
	{ title: 'before n8n 2.14', version: '1', examples: killedAtEachStep('run again') },
	{ title: 'before n8n 2.14, error output led back', version: '1', leadsBack: true },
	{ title: 'before n8n 2.14, after a Wait node', version: '1', storesProgress: true },
	{ title: 'before n8n 2.14, as a tool', version: '1', isTool: true },
	{
		title: 'before n8n 2.14, with one text',
		version: '1',
		texts: ['spring'],
		examples: killedAtEachStep('run again', 'spring'),
	},
	{ title: 'Engine 2.0', version: 'engine 2.0' },
	{ title: 'Engine 2.0, with one text', version: 'engine 2.0', texts: ['spring'] },
	{ title: 'Engine 2.0, with one token', version: 'one token' },
];

/** A value in some cases, which a failing chain is tried without. */
const in10 = <Value,>(weight: number, arbitrary: fc.Arbitrary<Value>) =>
	fc.oneof(
		{ withCrossShrink: true },
		{ weight: 10 - weight, arbitrary: fc.constant(undefined) },
		{ weight, arbitrary },
	);
const span = (most: number, ...counts: number[]) =>
	fc.record({ from: fc.nat({ max: most }), count: fc.constantFrom(...counts) });
const isIn = ({ from, count }: { from: number; count: number }, index: number) =>
	index >= from && index < from + count;

const someList = fc.record({
	size: fc.integer({ min: 1, max: 16 }),
	/** customers that come in place of others */
	twice: in10(3, fc.array(fc.nat({ max: 15 }), { minLength: 1, maxLength: 3 })),
	hasTwoCanvases: fc.constantFrom(false, false, true),
	/** whether all come in each iteration of a loop; otherwise, the size of its batches */
	loop: fc.constantFrom(99, 99, 7, 4, 'same' as const),
});

const someFaults = fc.record({
	killedAt: in10(3, fc.integer({ min: 1, max: 200 })),
	stoppedAt: in10(1, fc.integer({ min: 1, max: 150 })),
	table: in10(
		3,
		fc.tuple(span(15, 1, 1, 2, 6, 30, 1000), fc.constantFrom('rejected' as const, 'lost' as const)),
	),
	sobot: in10(
		6,
		fc.dictionary(
			fc.integer({ min: 0, max: 11 }).map((index) => `c${index}`),
			fc.record({
				fate: fc.constantFrom<CallFate>('910026', '910026', 'lost', 'lostBefore', 'unreachable', '910024'),
				times: fc.constantFrom(1, 1, 2, 99),
			}),
			{ maxKeys: 3 },
		),
	),
	credential: in10(1, span(4, 1, 99)),
	options: in10(1, span(10, 1, 99)),
	nick: in10(1, fc.tuple(fc.nat({ max: 11 }), fc.constantFrom('empty' as const, 'unreadable' as const))),
	hasNoToken: in10(1, fc.constant(true)),
});
type SomeFaults = Partial<typeof someFaults extends fc.Arbitrary<infer Value> ? Value : never>;

const someSettings = ({ texts = [undefined], isTool, leadsBack }: Shape) =>
	fc.record({
		onError: fc.constantFrom<Settings['onError'][]>(
			undefined,
			...(isTool === true ? [] : ([undefined, 'continueRegularOutput', 'continueErrorOutput'] as const)),
			...(leadsBack === true ? (Array(4).fill('continueErrorOutput') as ['continueErrorOutput']) : []),
		),
		retryOnFail: fc.constantFrom(false, false, true),
		maxTries: fc.constantFrom(2, 3),
		waitBetweenTries: fc.constantFrom(10, 1000),
		sendOncePer: fc.constantFrom(...texts),
		options: fc.record({
			requestsPerSecond: fc.constantFrom(50, 10, 10, 3),
			giveUpAfter: fc.constantFrom(0, 5, 300),
			unknownOutcome: fc.constantFrom('fail', 'fail', 'treatAsSent', 'sendAgain'),
		}),
	});

interface Step {
	readonly how: 'retry' | 'retry an earlier one' | 'run again' | 'new' | 'retry twice' | 'beside another';
	/** how a Retry that begins at the trigger finds the list */
	readonly list: 'same' | 'shifted' | 'smaller' | 'reversed';
	readonly settings: Settings;
	readonly faults: SomeFaults;
	readonly worker: number;
	readonly otherWorker: number;
	readonly pauseMs: number;
}

const someSteps = (shape: Shape): fc.Arbitrary<Step[]> =>
	fc.array(
		fc.record({
			how: fc.constantFrom<Array<Step['how']>>(
				'retry',
				'retry',
				'retry an earlier one',
				'run again',
				'new',
				'retry twice',
				'beside another',
			),
			list: fc.constantFrom<Array<Step['list']>>('same', 'same', 'shifted', 'smaller', 'reversed'),
			settings: someSettings(shape),
			faults: someFaults,
			worker: fc.constantFrom(0, 0, 1),
			otherWorker: fc.constantFrom(0, 1),
			pauseMs: fc.constantFrom(0, 20, 400, 3000),
		}),
		{ minLength: 1, maxLength: 5 },
	);

interface ChainToTry {
	readonly seed: number;
	readonly tableMs: number;
	readonly list: typeof someList extends fc.Arbitrary<infer Value> ? Value : never;
	readonly failsBefore: boolean;
	readonly steps: readonly Step[];
}

const someChain = (shape: Shape): fc.Arbitrary<ChainToTry> =>
	fc.record({
		seed: fc.integer({ min: 1, max: 1_000_000 }),
		tableMs: fc.constantFrom(3, 3, 50),
		list: someList,
		failsBefore: fc.constantFrom(false, false, false, true),
		steps: someSteps(shape),
	});

/** Executions of one list, each of which follows from the one before. */
class Chain {
	readonly n8n: ModelOfN8n;
	private last: Execution;
	private readonly earlier: Execution[] = [];
	private readonly textOf = new Map<Execution, string | undefined>();

	constructor(
		private readonly shape: Shape,
		private readonly chain: ChainToTry,
	) {
		this.n8n = new ModelOfN8n(chain.seed, shape, chain.tableMs);
		this.n8n.truth.hasTwoTexts = (shape.texts?.length ?? 0) > 1;
		this.last = this.n8n.execution(this.batches('same'), chain.failsBefore && !this.n8n.isEngine2);
	}

	/** What went wrong. */
	async run(): Promise<string[]> {
		const { n8n } = this;
		try {
			const [first, ...steps] = this.chain.steps;
			if (first) await this.runOne(this.last, first);
			for (const step of steps) await this.take(step);
			await this.finish();
		} catch (cause) {
			n8n.truth.faults.push(String(cause));
		}
		n8n.end();
		return n8n.truth.faults.length === 0 ? [] : [...n8n.truth.faults, ...n8n.log];
	}

	private async take(step: Step): Promise<void> {
		const { last, n8n, shape } = this;
		await n8n.clock.advance(step.pauseMs);
		const retryable = [last, ...this.earlier].filter(({ state }) => !['new', 'success'].includes(state));
		if (step.how === 'run again' && shape.version === '1' && last.state === 'crashed')
			return await this.runOne(last, step);
		const [failed = last] = step.how === 'retry an earlier one' ? retryable.toReversed() : retryable;
		if (step.how === 'new' || retryable.length === 0 || n8n.isEngine2)
			return await this.runOne(n8n.execution(this.batches(step.list)), step);
		const beside =
			step.how === 'retry twice'
				? this.retryOf(failed, step)
				: step.how === 'beside another'
					? n8n.execution(this.batches('same'))
					: undefined;
		if (!beside) return await this.runOne(this.retryOf(failed, step), step);
		this.excuseOtherText(beside, step.settings);
		n8n.truth.strikes(`${step.how}, ${step.worker === step.otherWorker ? 'one worker' : 'two workers'}`);
		const running = n8n.begin(beside, { settings: step.settings, worker: step.otherWorker });
		await n8n.clock.advance(step.pauseMs);
		await this.runOne(this.retryOf(failed, step), step);
		await n8n.clock.run(running);
	}

	private retryOf(failed: Execution, { list }: Pick<Step, 'list'>): Execution {
		const retry = this.n8n.retryOf(failed, this.batches(list));
		if (retry.start.isFresh && list !== 'same') this.n8n.truth.strikes(`Retry, list ${list}`);
		return retry;
	}

	private async runOne(execution: Execution, { settings, faults, worker }: Step): Promise<void> {
		const { n8n } = this;
		if (execution.state === 'crashed') n8n.truth.strikes('run again');
		this.excuseOtherText(execution, settings);
		if (execution !== this.last) this.earlier.unshift(this.last);
		this.last = execution;
		await n8n.run(execution, { settings, faults: this.faultsOf(faults), worker });
	}

	/** What an execution with another text has sent is known by the context alone, which a crash does not leave. */
	private excuseOtherText(execution: Execution, { sendOncePer }: Settings): void {
		const { lineage, start } = execution;
		const others = [...this.textOf].filter(
			([other, text]) => other.lineage === lineage && text !== sendOncePer,
		);
		if (others.some(([{ id }]) => !start.known.includes(id)))
			this.n8n.truth.wants(lineage, start.batches.flat(), true);
		this.textOf.set(execution, sendOncePer);
	}

	/** Without faults, it comes to an end, and everybody is sent. */
	private async finish(): Promise<void> {
		const { n8n, shape } = this;
		await n8n.rest();
		const settings: Settings = {
			sendOncePer: shape.texts?.[0],
			options: { unknownOutcome: 'treatAsSent', requestsPerSecond: 10 },
		};
		const step: Step = { ...STEP, settings, worker: 1 };
		for (let left = 3; left > 0 && (this.last.state === 'error' || this.last.state === 'crashed'); left--) {
			const isRetried = !n8n.isEngine2;
			await this.runOne(
				isRetried ? this.retryOf(this.last, step) : n8n.execution(this.batches('same')),
				step,
			);
			// An agent fails by itself.
			if (shape.isTool === true) break;
			if (left === 1) n8n.truth.faults.push(`${this.last.id} is stuck`);
		}
		await n8n.rest();
		if (n8n.truth.faults.length > 0) return;
		// What the chain has left behind is not taken for another execution's.
		const other = await n8n.run(n8n.execution(this.batches('same')), { settings });
		const outcomes = new Set(
			other.ends.flatMap((end) => (end.kind === 'output' ? end.told : [])).map((told) => told.outcome),
		);
		const hasText = shape.texts?.[0] !== undefined || shape.isTool === true;
		for (const outcome of outcomes)
			if (outcome !== 'accepted' && !hasText) n8n.truth.faults.push(`another execution: ${outcome}`);
	}

	private batches(change: Step['list']): Item[][] {
		const { size, twice = [], hasTwoCanvases, loop } = this.chain.list;
		let items: Item[] = customers(size).map((item, index) => ({
			...item,
			canvas: hasTwoCanvases && index % 2 === 1 ? CANVASES[1] : CANVASES[0],
			order: `order ${index % 5}`,
		}));
		const [first] = items;
		items = items.map((item, index) => (twice.includes(index) && first ? first : item));
		if (change === 'reversed') items.reverse();
		if (change === 'shifted') items.unshift({ id: 'new', canvas: CANVASES[0], order: 'order 9' });
		if (this.shape.isTool === true) return items.map((item) => [item]);
		if (loop === 'same') return [items, items];
		const length = change === 'smaller' ? Math.ceil(Math.min(loop, size) / 2) : loop;
		return Array.from({ length: Math.ceil(items.length / length) }, (_, index) =>
			items.slice(index * length, (index + 1) * length),
		);
	}

	private faultsOf({
		killedAt,
		stoppedAt,
		table,
		sobot,
		credential,
		options,
		nick,
		...more
	}: SomeFaults): Faults {
		const { truth } = this.n8n;
		const left = new Map<string, number>(Object.entries(sobot ?? {}).map(([id, { times }]) => [id, times]));
		let optionReads = 0;
		const strikes = (what: string, does: boolean) => {
			if (does) truth.strikes(what);
			return does;
		};
		return {
			isKilled: (step) => step === killedAt,
			isStopped: (step) => step === stoppedAt && !this.n8n.isEngine2,
			...(table ? { table: ({ index }) => (isIn(table[0], index) ? table[1] : 'stored') } : {}),
			sobot: ({ id }) => {
				const times = left.get(id) ?? 0;
				left.set(id, times - 1);
				const fate = times > 0 ? sobot?.[id]?.fate : undefined;
				if (fate) truth.strikes(`Sobot: ${fate}`);
				return fate ?? 'accepted';
			},
			isCredentialAway: (read) => strikes('credential unreadable', !!credential && isIn(credential, read)),
			areOptionsUnreadable: () => strikes('options unreadable', !!options && isIn(options, optionReads++)),
			nick: ({ id }) => (strikes('bad nickname', id === `c${nick?.[0]}`) ? nick?.[1] : undefined),
			hasNoToken: more.hasNoToken,
		};
	}
}

test.each(SHAPES)(`${COUNT} chains $title`, async (shape) => {
	const { examples = [] } = shape;
	await fc.assert(
		fc.asyncProperty(someChain(shape), async (chain) => {
			expect((await new Chain(shape, chain).run()).join('\n')).toBe('');
		}),
		{ numRuns: examples.length + COUNT, seed: SEED, examples: examples.map((chain) => [chain]) },
	);
});

test('each fault and each situation has come up', () => {
	if (process.env.STRUCK)
		process.stderr.write(`${JSON.stringify(Object.fromEntries([...struck].sort()), null, 1)}\n`);
	const faults = [
		...['killed', 'stopped', 'table rejected', 'table lost', 'run again', 'one of two led back'],
		...['killed in count', 'killed in add', 'killed in an add of keys called before', 'killed in remove'],
		...[
			'bad nickname',
			'credential unreadable',
			'options unreadable',
			'unknown led back',
			'refused led back',
		],
		...['910024', '910026', 'lost', 'lostBefore', 'unreachable'].map((fate) => `Sobot: ${fate}`),
		...['shifted', 'smaller', 'reversed'].map((list) => `Retry, list ${list}`),
		...['retry twice', 'beside another'].flatMap((how) => [`${how}, one worker`, `${how}, two workers`]),
	];
	expect(faults.filter((what) => !struck.has(what))).toEqual([]);
});
