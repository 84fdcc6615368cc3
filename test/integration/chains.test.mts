// Random chains of executions in the model of n8n, with random faults. CHAINS=n tries more of them, SEED=n begins at another
// one; CHAINS=1 SEED=n runs a single chain again.
import { seeded } from '../bench/simulation.mts';
import {
	CANVASES,
	type CallFate,
	type Faults,
	type Item,
	type Settings,
	type TableFate,
} from './modelNode.mts';
import { customers, ModelOfN8n, nameOf, type Execution, type Told } from './modelOfN8n.mts';
import { differencesOf, type Difference } from './modelTruth.mts';

const COUNT = Number(process.env.CHAINS ?? 700);
const FIRST_SEED = Number(process.env.SEED ?? 1);

jest.setTimeout(30_000 + COUNT * 100);

/** n8n since 2.14, and before. */
const WITH_AND_WITHOUT_TOKEN = [true, false];

/** A chain: an execution, Retries of it, second runs by n8n 1, and at last another execution with the same customers. */
class Chain {
	readonly n8n: ModelOfN8n;
	readonly faults: string[] = [];
	private readonly random: () => number;
	private readonly hasKeys: boolean;
	private readonly isTool: boolean;
	/** whether the node before this one fails in the first execution */
	private readonly failsBefore: boolean;
	private readonly size: number;
	private readonly iterations: Item[][];
	private settings: Settings;
	/** executions that have read the list in reverse */
	private readonly reversed = new Set<string>();

	/** whether the user changes something now and then */
	private isChanging = true;

	// What has happened to the execution and to those that continue it.
	hasCrashed = false;
	hasTableFault = false;
	private hasLostAnswer = false;
	private wasUnreadable = false;
	private sendsAgain = false;
	/** iterations in which customers may have been sent of whom nothing is recorded */
	private readonly unrecorded = new Set<number>();

	constructor(
		seed: number,
		private readonly hasResumeToken: boolean,
	) {
		this.n8n = new ModelOfN8n(seed, hasResumeToken);
		this.random = seeded(seed);
		this.hasKeys = this.chance(0.3);
		this.isTool = this.chance(0.07);
		this.failsBefore = this.chance(0.15);
		this.size = this.pick(1, 2, 3, 6, 10, 20, 40, 60);
		this.iterations = Array.from({ length: this.chance(0.2) ? 2 : 1 }, (_, index) =>
			this.someCustomers(index),
		);
		this.settings = this.someSettings();
	}

	async run(): Promise<void> {
		// What an earlier execution with the same customers has stored does not count for this one.
		if (!this.hasKeys && this.chance(0.3)) await this.n8n.run(this.n8n.execution(this.iterations));
		const last = await this.runLineage();
		if (last.state === 'error' || last.state === 'crashed') await this.runToTheEnd(last);
		await this.n8n.rest();
		if (!this.hasKeys && !this.isTool) await this.runAnother();
	}

	/** An execution and what n8n or the user makes of it. Returns the last one. */
	private async runLineage(): Promise<Execution> {
		let execution = this.n8n.execution(this.iterations, this.failsBefore);
		const earlier: Execution[] = [];
		for (let step = Math.ceil(this.random() * 4); ; step--) {
			await this.runOne(execution, this.settings, this.someFaults());
			while (execution.state === 'crashed' && this.chance(0.3)) {
				if (this.isSmall) this.excuseAll();
				await this.runOne(execution, this.settings, this.someFaults());
			}
			const canBeRetried = execution.state === 'error' || execution.state === 'crashed';
			// Retry of an agent's execution calls the tool anew.
			if (!canBeRetried || step <= 1 || this.isTool) return execution;
			earlier.push(execution);
			if (this.chance(0.5)) this.settings = { ...this.settings, ...this.otherSettings() };
			if (this.hasKeys && this.chance(0.25)) execution = this.n8n.execution(this.iterations);
			else execution = this.retryOf(this.chance(0.8) ? execution : this.pick(...earlier));
		}
	}

	/** Without faults, Retry comes to an end. */
	private async runToTheEnd(failed: Execution): Promise<void> {
		if (this.isTool) return;
		this.isChanging = false;
		const settings = { ...this.settings, onError: undefined, options: { unknownOutcome: 'treatAsSent' } };
		const once = await this.runOne(this.retryOf(failed), settings, {});
		const twice = once.state === 'success' ? once : await this.runOne(this.retryOf(once), settings, {});
		if (twice.state !== 'success') this.faults.push(`${twice.id} is stuck`);
	}

	/** What the chain has left behind is not taken for the record of another execution with the same customers. */
	private async runAnother(): Promise<void> {
		const failed = await this.n8n.run(this.n8n.execution(this.iterations, true));
		const settings: Settings = { onError: 'continueRegularOutput' };
		const retry = await this.n8n.run(this.n8n.retryOf(failed), settings);
		// Without a token, what a crash has left can be taken for this one's.
		if (!this.hasResumeToken && (this.hasCrashed || this.hasTableFault)) return;
		for (const [iteration, { end }] of retry.ends.entries()) {
			const times = this.n8n.timesOnCanvas({ execution: retry, iteration });
			const missing =
				end.kind === 'output'
					? end.told.filter(({ item, outcome }) => outcome !== 'unknown' && !times.has(nameOf(item)))
					: [];
			this.faults.push(...missing.map(({ item, outcome }) => `another execution: ${item.id} ${outcome}`));
		}
	}

	private retryOf(failed: Execution): Execution {
		const retry = this.n8n.retryOf(failed);
		if (!retry.start.runsNodeBefore && this.reversed.has(failed.id)) this.reversed.add(retry.id);
		return retry;
	}

	private async runOne(execution: Execution, settings: Settings, faults: Faults): Promise<Execution> {
		// The node before runs again, and reads the list in another order.
		if (execution.start.runsNodeBefore && execution.mode === 'retry' && this.chance(0.2))
			this.reversed.add(execution.id);
		const isReversed = this.reversed.has(execution.id);
		const all = isReversed ? this.iterations.map((items) => items.toReversed()) : this.iterations;
		execution.iterations = this.hasKeys || !this.isChanging ? all : this.changed(all, execution);
		this.sendsAgain ||= settings.options?.unknownOutcome === 'sendAgain';
		await this.n8n.run(execution, settings, faults);
		if (execution.state === 'crashed') this.recordCrash(execution);
		if (execution.state === 'canceled') await this.n8n.rest();
		this.check(execution, settings);
		return execution;
	}

	/** What a user changes before Retry: another canvas for all, or a nickname that is missing. */
	private changed(iterations: Item[][], { mode }: Execution): Item[][] {
		const swaps = mode === 'retry' && this.chance(0.07);
		const broken = this.chance(0.06) ? Math.floor(this.random() * this.size) : -1;
		const nick = this.pick('empty' as const, 'unreadable' as const);
		return iterations.map((items, iteration) =>
			items.map((item, index) => ({
				...item,
				...(swaps ? { canvas: item.canvas === CANVASES[0] ? CANVASES[1] : CANVASES[0] } : {}),
				...(iteration === 0 && index === broken ? { nick } : {}),
			})),
		);
	}

	private recordCrash(execution: Execution): void {
		this.hasCrashed = true;
		if (this.hasKeys) return;
		const iteration = execution.start.iteration + execution.ends.length;
		for (let one = execution.start.iteration; one <= iteration; one++)
			if (!this.isRecorded(execution, one)) this.unrecorded.add(one);
	}

	/** Whether a crash has left a record of an iteration that counts, with everyone who was sent in it. */
	private isRecorded(execution: Execution, iteration: number): boolean {
		const { entries } = this.n8n.table;
		const run = entries.find((entry) => entry.endsWith(` run ${execution.id} ${iteration} 2`));
		const name = run?.split(' ')[1];
		// Without a token, the record of a batch that has ended no longer counts.
		if (!this.hasResumeToken && run !== undefined && !entries.includes(`batch ${name} open 2`)) return false;
		const recorded = entries.filter((entry) => entry.startsWith(`sent batch ${name} `)).length;
		const times = [...this.n8n.timesOnCanvas({ execution, iteration }).values()];
		const accepted = times.reduce((sum, count) => sum + count, 0);
		// A small batch has no record in its first second.
		return execution.mode === 'retry' || !this.isSmall || recorded >= accepted;
	}

	private excuseAll(): void {
		for (const iteration of this.iterations.keys()) this.unrecorded.add(iteration);
	}

	private get isSmall(): boolean {
		return !this.hasKeys && this.size < Number(this.settings.options?.requestsPerSecond);
	}

	private check(execution: Execution, settings: Settings): void {
		for (const difference of differencesOf(this.n8n, execution, this.hasKeys)) {
			if (!this.isExcused(difference))
				this.faults.push(`${execution.id}, ${difference.kind}: ${difference.text}`);
		}
		for (const { end } of execution.ends) {
			if (end.kind === 'thrown' && (settings.onError !== undefined || this.isTool))
				this.faults.push(`${execution.id} has thrown: ${end.text}`);
			for (const told of end.kind === 'output' ? end.told : []) {
				const wrong = this.wrongIn(told, settings);
				if (wrong !== undefined)
					this.faults.push(`${execution.id}, ${told.item.id} ${told.outcome}: ${wrong}`);
			}
		}
	}

	/** What is wrong with an output item, whether or not its outcome is true. */
	private wrongIn({ outcome, error, isOnErrorOutput }: Told, settings: Settings): string | undefined {
		const isUnknown = outcome === 'unknown';
		const isTreatedAsSent = isUnknown && settings.options?.unknownOutcome === 'treatAsSent';
		const isAsWanted = outcome === 'accepted' || outcome === 'alreadySent' || isTreatedAsSent;
		const hasError = error !== null;
		// If the options cannot be read, their defaults hold.
		if (hasError === isAsWanted && !(isTreatedAsSent && this.wasUnreadable)) return `error ${String(error)}`;
		if (hasError && settings.onError === undefined && !this.isTool) return 'not thrown';
		if (isOnErrorOutput !== (hasError && settings.onError === 'continueErrorOutput')) return 'wrong output';
		return isUnknown && !this.mayBeUnknown ? 'nothing has made it unknown' : undefined;
	}

	private get mayBeUnknown(): boolean {
		return (
			this.hasCrashed || this.hasTableFault || this.hasLostAnswer || this.wasUnreadable || this.failsBefore
		);
	}

	/** Whether it is known that this can happen: see docs/promise.md, "What it does not promise". */
	private isExcused({ kind, iteration, end }: Difference): boolean {
		const isUnrecorded = !this.hasKeys && this.unrecorded.has(iteration);
		switch (kind) {
			case 'sent twice':
				// With 'Send Again', the user has chosen that.
				return isUnrecorded || (this.sendsAgain && this.mayBeUnknown);
			case 'told as sent':
				return false;
			case 'told as not sent':
				// After a crash, a table that fails tells nothing.
				if (isUnrecorded || (this.hasCrashed && this.hasTableFault)) return true;
				// A key is looked up when its customer's turn comes, and belongs to all iterations.
				return this.hasKeys && (end !== 'output' || this.cannotLookUp || this.iterations.length > 1);
		}
	}

	private get cannotLookUp(): boolean {
		return this.wasUnreadable || this.hasTableFault;
	}

	private someCustomers(iteration: number): Item[] {
		// In a loop, the same customers can come again.
		let items = customers(this.size, this.chance(0.3) ? 'c' : `c${iteration}-`);
		if (this.chance(0.3)) items = items.map((item) => ({ ...item, canvas: this.pick(...CANVASES) }));
		const [first] = items;
		return first && this.chance(0.2) ? items.map((item) => (this.chance(0.2) ? first : item)) : items;
	}

	private someSettings(): Settings {
		return {
			onError: this.isTool
				? undefined
				: this.pick(undefined, undefined, 'continueRegularOutput', 'continueErrorOutput'),
			retryOnFail: this.chance(0.3),
			maxTries: this.pick(2, 3),
			waitBetweenTries: this.pick(10, 1000),
			hasKeys: this.hasKeys,
			isTool: this.isTool,
			options: {
				requestsPerSecond: this.pick(50, 50, 10, 3),
				giveUpAfter: this.pick(0, 5, 300),
				unknownOutcome: this.pick('fail', 'fail', 'treatAsSent', 'sendAgain'),
			},
		};
	}

	private otherSettings(): Settings {
		return {
			onError: this.pick(undefined, undefined, 'continueRegularOutput'),
			retryOnFail: this.chance(0.3),
			options: {
				...this.settings.options,
				requestsPerSecond: this.pick(50, 10),
				unknownOutcome: this.pick('fail', 'treatAsSent', 'sendAgain'),
			},
		};
	}

	private someFaults(): Faults {
		// Some are killed before they begin, and some would have ended by then.
		const durationMs = Math.max(200, (this.size / Number(this.settings.options?.requestsPerSecond)) * 1000);
		const someTimeMs = () => Math.floor(this.random() * durationMs * 1.3);
		const ends = this.chance(0.35)
			? { killedAfterMs: someTimeMs() }
			: this.chance(0.08)
				? { stoppedAfterMs: someTimeMs() }
				: {};
		if (this.chance(0.15)) return ends;
		return {
			...ends,
			...(this.chance(0.6) ? { sobot: this.someCallFates() } : {}),
			...(this.chance(0.25) ? { table: this.someTableFates() } : {}),
			...(this.chance(0.08) ? this.someUnreadableCredential() : {}),
			...(this.chance(0.05) ? this.someUnreadableOptions() : {}),
			...(this.chance(0.05) ? { hasNoToken: true } : {}),
		};
	}

	/** About two customers are refused or in doubt, once, twice or always. */
	private someCallFates(): NonNullable<Faults['sobot']> {
		const fates = new Map<string, { fate: CallFate; left: number }>();
		for (const { id } of this.iterations.flat()) {
			if (!this.chance(2 / this.size)) continue;
			const fate = this.pick('910026', '910026', 'lost', 'lostBefore', 'unreachable', '910024');
			fates.set(id, { fate, left: this.pick(1, 1, 2, Infinity) });
		}
		return ({ id }) => {
			const one = fates.get(id);
			if (!one || one.left-- <= 0) return 'accepted';
			this.hasLostAnswer ||= one.fate === 'lost' || one.fate === 'lostBefore';
			return one.fate;
		};
	}

	private someTableFates(): NonNullable<Faults['table']> {
		const from = this.n8n.table.calls + Math.floor(this.random() * 12);
		const to = from + this.pick(1, 1, 2, 6, 30);
		const fate = this.pick<TableFate>('rejected', 'lost');
		return ({ index }) => {
			if (index < from || index >= to) return 'stored';
			this.hasTableFault = true;
			return fate;
		};
	}

	private someUnreadableCredential(): Faults {
		const from = this.pick(0, 0, 1, 4);
		const to = from + this.pick(1, Infinity);
		const isCredentialAway = (read: number) => {
			const isAway = read >= from && read < to;
			this.wasUnreadable ||= isAway;
			return isAway;
		};
		return { isCredentialAway };
	}

	private someUnreadableOptions(): Faults {
		const after = Math.floor(this.random() * this.size);
		const areOptionsUnreadable = () => {
			const isUnreadable = this.n8n.sobot.accepted.length > after;
			this.wasUnreadable ||= isUnreadable;
			return isUnreadable;
		};
		return { areOptionsUnreadable };
	}

	private chance(probability: number): boolean {
		return this.random() < probability;
	}

	private pick<Value>(...values: readonly Value[]): Value {
		return values[Math.floor(this.random() * values.length)] as Value;
	}
}

test(`in ${COUNT} random chains nobody is sent twice, and each is told the truth`, async () => {
	const failed: string[] = [];
	const seen = { crashed: 0, withTableFault: 0 };
	for (let seed = FIRST_SEED; seed < FIRST_SEED + COUNT; seed++) {
		const chain = new Chain(seed, WITH_AND_WITHOUT_TOKEN[seed % 2] ?? true);
		await chain.run();
		chain.n8n.end();
		seen.crashed += chain.hasCrashed ? 1 : 0;
		seen.withTableFault += chain.hasTableFault ? 1 : 0;
		if (chain.faults.length === 0) continue;
		// The log of one chain is enough.
		const log = failed.length === 0 ? chain.n8n.log : [];
		failed.push([`CHAINS=1 SEED=${seed}`, ...chain.faults.slice(0, 5), ...log].join('\n'));
	}
	expect(failed).toEqual([]);
	if (COUNT < 100) return;
	expect(seen.crashed).toBeGreaterThan(COUNT / 5);
	expect(seen.withTableFault).toBeGreaterThan(COUNT / 10);
});
