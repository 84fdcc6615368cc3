// A model of n8n around the action node, in simulated time: executions with their tries and loops, Retry, kills, stops, and
// n8n 1's second run of a killed execution. The node's own code runs in it, and `ModelTruth` judges it.
import { setMaxListeners } from 'node:events';
import { execute } from '../../nodes/SobotRuleEngine/canvas/trigger.operation';
import type { SimulatedClock } from '../support/clock.mts';
import {
	CANVASES,
	ModelSobot,
	ModelTable,
	nodeOf,
	type Faults,
	type Item,
	type Settings,
	type Try,
} from './modelNode.mts';
import { ModelProcess, useSeededClock } from './modelProcess.mts';
import { countBy, ModelTruth, nameOf, type NodeEnd, type Told } from './modelTruth.mts';

/** The token of an execution begins with it. */
export const TOKEN = 'token-of-';

/** Which n8n it is, and what the workflow around the node is like. */
export interface Kind {
	/**
	 * `2`: since 2.14 an execution and its Retries have a token in common. `1`: before; n8n 1 runs a killed execution again.
	 * `engine 2.0`: each run of the node is a step with a token and a context of its own. `one token`: the steps of an execution
	 * have one token in common, as is planned for Engine 2.0.
	 */
	readonly version: '2' | '1' | 'engine 2.0' | 'one token';
	/** whether the node is an agent's tool: each batch is a call, of which two run at a time */
	readonly isTool?: boolean;
	/** whether the failed items of a batch come once more with the next one, as through an error output in a loop */
	readonly leadsBack?: boolean;
	/** whether n8n stores how far a loop has come, at a Wait node or with "Save execution progress" */
	readonly storesProgress?: boolean;
}

/** Where an execution starts, as n8n has stored it. */
interface Start {
	readonly iteration: number;
	/** the batches that are left */
	readonly batches: ReadonlyArray<readonly Item[]>;
	readonly context: Record<string, unknown>;
	/** whether nothing but the trigger has run */
	readonly isFresh: boolean;
	/** how many runs of the node n8n only assumes, by its log of a crashed execution */
	readonly assumedRuns: number;
	/** keys that the node's earlier runs have told as sent */
	readonly sentBefore: readonly string[];
	/** the executions of which the context knows */
	readonly known: readonly string[];
}

/** One execution. n8n 1 can run it a second time. */
export interface Execution {
	readonly id: string;
	/** names the execution and those that continue it, where n8n lets the node know that */
	lineage: string;
	readonly mode: 'trigger' | 'retry';
	/** whether the node before this one fails */
	readonly failsBefore: boolean;
	start: Start;
	state: 'new' | 'success' | 'error' | 'crashed' | 'canceled';
	/** what n8n stores with an execution that failed, or of its progress */
	stored?: Start;
	readonly tableCalls: { count: number };
	ends: NodeEnd[];
}

/** How an execution is run. */
export interface Running {
	readonly settings?: Settings;
	readonly faults?: Faults;
	/** the worker: 0 or 1 */
	readonly worker?: number;
}

export class ModelOfN8n {
	readonly log: string[] = [];
	readonly truth = new ModelTruth();
	readonly table: ModelTable;
	readonly sobot: ModelSobot;
	readonly clock: SimulatedClock;
	private executions = 0;
	private readonly running = new Set<string>();
	private readonly workers = [newProcess(), newProcess()];

	/** @param seed the same seed gives the same course of events */
	constructor(
		seed = 1,
		readonly kind: Kind = { version: '2' },
		tableMs = 3,
	) {
		this.clock = useSeededClock(seed);
		const startMs = this.clock.nowMs();
		const log = (line: string) => void this.log.push(`  ${this.clock.nowMs() - startMs} ms: ${line}`);
		this.truth.table = this.table = new ModelTable(log, this.truth, tableMs);
		this.sobot = new ModelSobot(log, this.truth);
	}

	get isEngine2(): boolean {
		return this.kind.version === 'engine 2.0' || this.kind.version === 'one token';
	}

	/** An execution that a trigger starts. */
	execution(batches: Start['batches'], failsBefore = false): Execution {
		const id = `execution${++this.executions}`;
		const start = {
			iteration: 0,
			batches,
			context: {},
			isFresh: true,
			assumedRuns: 0,
			sentBefore: [],
			known: [],
		};
		const more = { failsBefore, start, state: 'new' as const, tableCalls: { count: 0 }, ends: [] };
		return { id, lineage: id, mode: 'trigger', ...more };
	}

	/**
	 * n8n's Retry of an execution. n8n offers none of an execution that has succeeded; over its API also of one that was stopped,
	 * which begins anew then. After a crash, n8n writes a run without data for each node that had run, unless a run of it was
	 * stored, and removes only that of one node. Source: n8n, ExecutionRecoveryService and ExecutionService.
	 *
	 * @param batches another list, where the Retry begins at the trigger
	 */
	retryOf(failed: Execution, batches?: Start['batches']): Execution {
		const { state, stored, start, lineage } = failed;
		expect(['error', 'crashed', 'canceled']).toContain(state);
		const retry = this.execution([]);
		const from = structuredClone(stored ?? start);
		const isAssumed = state === 'crashed' && from.isFresh && this.clock.random() < 0.5;
		retry.start = { ...from, assumedRuns: isAssumed ? 1 : from.assumedRuns };
		if (batches && from.isFresh) retry.start = { ...retry.start, batches };
		// Before n8n 2.14, nothing but the context tells the node which execution it belongs to.
		const isKnown = this.kind.version === '2' || Object.keys(from.context).length > 0;
		return { ...retry, mode: 'retry', lineage: isKnown ? lineage : retry.id };
	}

	/** Runs an execution to its end. */
	async run(execution: Execution, how: Running = {}): Promise<Execution> {
		await this.clock.run(this.begin(execution, how));
		return execution;
	}

	/** Begins to run an execution: time stands still until `run` or the clock advances it. */
	async begin(execution: Execution, { settings = {}, faults = {}, worker = 0 }: Running = {}): Promise<void> {
		const process = this.processAt(worker);
		const { truth, clock } = this;
		if (execution.state === 'crashed') execution.start = execution.stored ?? execution.start;
		Object.assign(execution, { state: 'new', stored: undefined, ends: [] });
		if (execution.start.isFresh && !this.isEngine2) truth.wants(execution.lineage, this.wantedIn(execution));
		truth.hasOverlapped ||= this.running.add(execution.id).size > 1;
		const startMs = clock.nowMs();
		const stop = new AbortController();
		// As n8n does.
		setMaxListeners(Infinity, stop.signal);
		const died = new Promise<void>((resolve) => process.atDeath(resolve));
		const forget = this.strikeAtStep(process, faults, stop);
		const work = process.run(async () => await this.runNode(execution, settings, faults, process, stop));
		await Promise.race([work, died]);
		forget();
		// The node of a stopped execution goes on for a moment.
		if (execution.state !== 'canceled') this.running.delete(execution.id);
		if (execution.state === 'new') execution.state = 'crashed';
		if (execution.state === 'crashed' || execution.state === 'canceled')
			truth.losesContext(execution.lineage, execution.stored?.sentBefore);
		this.log.push(
			`${execution.id} (${execution.mode} of ${execution.lineage}) on ${process.name} with ${JSON.stringify(settings)}: ` +
				`${execution.state} after ${clock.nowMs() - startMs} ms. ${execution.ends.map(describeEnd).join('; ')}`,
		);
	}

	/** Lets the node of a stopped execution end, and everything else that goes on. */
	async rest(): Promise<void> {
		await this.clock.advance(120_000);
		this.truth.checkRest(this.table.entries);
	}

	/** Ends the model. None of its code goes on beside that of another one. */
	end(): void {
		for (const worker of this.workers) worker.kill();
	}

	private processAt(worker: number): ModelProcess {
		const known = this.workers[worker];
		if (known && !known.isDead) return known;
		return (this.workers[worker] = newProcess());
	}

	/** A tool puts a customer on a canvas once. */
	private wantedIn({ start: { batches } }: Execution): readonly Item[] {
		const items = batches.flat();
		if (this.kind.isTool !== true) return items;
		return [...new Map(items.map((item) => [nameOf(item), item])).values()];
	}

	private strikeAtStep(process: ModelProcess, faults: Faults, stop: AbortController): () => void {
		let step = 0;
		return process.atStep(() => {
			step++;
			if (!process.isDead && faults.isKilled?.(step) === true) {
				this.truth.strikes('killed');
				process.kill();
			}
			if (!stop.signal.aborted && !process.isDead && faults.isStopped?.(step) === true) {
				this.truth.strikes('stopped');
				stop.abort();
			}
		});
	}

	private async runNode(
		execution: Execution,
		settings: Settings,
		faults: Faults,
		process: ModelProcess,
		stop: AbortController,
	): Promise<void> {
		const { start } = execution;
		if (execution.failsBefore) return void Object.assign(execution, { stored: start, state: 'error' });
		const context = structuredClone(start.context);
		const sentBefore = new Set(start.sentBefore);
		const stopped = new Promise<undefined>((resolve) =>
			stop.signal.addEventListener('abort', () => resolve(undefined)),
		);
		let { iteration, batches } = start;
		const progress = () =>
			structuredClone({
				...start,
				iteration,
				batches,
				context,
				isFresh: false,
				sentBefore: [...sentBefore],
				known: [...start.known, execution.id],
			});
		while (batches.length > 0) {
			const atOnce = batches.slice(0, this.kind.isTool === true ? 2 : 1);
			const ends = await Promise.all(
				atOnce.map(async (items) => {
					const attempt = this.attempt(execution, { settings, faults, process, context, items, iteration });
					const running = this.runTries(
						{ ...attempt, signal: this.isEngine2 ? undefined : stop.signal },
						sentBefore,
					);
					const end = (await Promise.race([running, stopped])) ?? this.stopped(attempt, sentBefore);
					execution.ends.push(end);
					return end;
				}),
			);
			const bad = ends.find(({ kind }) => kind !== 'output');
			if (bad) {
				if (bad.kind === 'thrown' || this.kind.storesProgress === true) execution.stored = progress();
				execution.state = bad.kind === 'stopped' ? 'canceled' : 'error';
				return;
			}
			iteration++;
			batches = this.leadBack(batches.slice(atOnce.length), ends);
			if (this.kind.storesProgress === true) execution.stored = progress();
		}
		// The agent itself fails now and then. Retry calls the tool anew.
		const failsAfter = this.kind.isTool === true && this.clock.random() < 0.5;
		if (failsAfter) execution.stored = { ...progress(), batches: start.batches };
		execution.state = failsAfter ? 'error' : 'success';
	}

	private stopped({ customData, ...attempt }: Try, sentBefore: Set<string>): NodeEnd {
		const end = { kind: 'stopped' as const, customData };
		this.truth.checkEnd(end, { ...attempt, customData }, sentBefore);
		return end;
	}

	/** The failed items of a batch come with the next one. */
	private leadBack(batches: Start['batches'], ends: readonly NodeEnd[]): Start['batches'] {
		const [end] = ends;
		if (this.kind.leadsBack !== true || end?.kind !== 'output') return batches;
		const back = end.told.filter(({ isOnErrorOutput, item }) => isOnErrorOutput && !this.isWornOut(item));
		if (back.length === 0) return batches;
		for (const { outcome } of back) this.truth.strikes(`${outcome} led back`);
		const accepted = end.told.filter(({ outcome }) => outcome === 'accepted').map(({ item }) => nameOf(item));
		if (back.some(({ item }) => accepted.includes(nameOf(item)))) this.truth.strikes('one of two led back');
		const [next = [], ...others] = batches;
		return [[...back.map(({ item }) => item), ...next], ...others];
	}

	private readonly timesLedBack = new Map<Item, number>();

	private isWornOut(item: Item): boolean {
		const times = (this.timesLedBack.get(item) ?? 0) + 1;
		this.timesLedBack.set(item, times);
		return times > 3;
	}

	private attempt(
		{ id, lineage, mode, start, tableCalls }: Execution,
		one: Pick<Try, 'settings' | 'faults' | 'process' | 'items'> & {
			context: Try['context'];
			iteration: number;
		},
	): Try {
		const { iteration, ...more } = one;
		const { version, isTool = false } = this.kind;
		const hasToken = version !== '1';
		const name = version === 'engine 2.0' ? `${lineage} step ${iteration}` : lineage;
		const resumeUrl = `https://n8n.example.com/webhook-waiting/${id}${hasToken ? `?signature=${TOKEN}${name}` : ''}`;
		const step = this.isEngine2 ? { context: {}, lineage: `${lineage} step ${iteration}` } : { lineage };
		if (this.isEngine2) this.truth.wants(step.lineage, more.items);
		const isAlwaysStored = more.settings.sendOncePer !== undefined || mode === 'retry' || isTool || !hasToken;
		const $runIndex = iteration + start.assumedRuns;
		const common = { executionId: id, mode, resumeUrl, isTool, isAlwaysStored, $runIndex, tableCalls };
		return { ...more, ...common, ...step, customData: {}, keys: [] };
	}

	private async runTries(attempt: Try, sentBefore: Set<string>): Promise<NodeEnd> {
		const { retryOnFail, maxTries, waitBetweenTries = 1000 } = attempt.settings;
		// Source: n8n, WorkflowExecute.
		const tries = retryOnFail === true && !this.isEngine2 ? Math.min(5, Math.max(2, maxTries ?? 3)) : 1;
		for (let count = 1; ; count++) {
			attempt.keys.length = 0;
			const node = nodeOf(attempt, this);
			const end = await endOf(attempt, async () => await execute.call(node));
			await attempt.process.step();
			if (attempt.signal?.aborted === true) this.running.delete(attempt.executionId);
			await unlessStopped(attempt);
			this.truth.checkEnd(end, attempt, sentBefore);
			if (count === tries || end.kind === 'output') return end;
			await this.clock.sleep(waitBetweenTries);
			await attempt.process.step();
			await unlessStopped(attempt);
		}
	}

	/** How often each customer is on a canvas, by the executions of a lineage, or by all. */
	timesOnCanvas(lineage?: string): Map<string, number> {
		const accepted = this.sobot.accepted.filter(
			({ attempt }) => lineage === undefined || attempt.lineage === lineage,
		);
		return countBy(accepted, ({ item }) => nameOf(item));
	}
}

let processes = 0;
const newProcess = () => new ModelProcess(`process${++processes}`);

/** n8n makes no other try of an execution that was stopped. */
async function unlessStopped({ signal }: Try): Promise<void> {
	if (signal?.aborted === true) await new Promise(() => {});
}

async function endOf(
	{ items, keys, customData }: Try,
	work: () => ReturnType<typeof execute>,
): Promise<NodeEnd> {
	let output: Awaited<ReturnType<typeof execute>>;
	try {
		output = await work();
	} catch (cause) {
		const { message, description } = cause as { message: string; description?: string | null };
		return { kind: 'thrown', text: [message, description].join('\n'), customData };
	}
	expect(output.length).toBe(items.length);
	const told = output.map(({ json, error }, index) => ({
		item: items[index] as Item,
		key: keys[index],
		outcome: String(json.outcome),
		reason: json.reason,
		isOnErrorOutput: error !== undefined,
	}));
	return { kind: 'output', told };
}

function describeEnd(end: NodeEnd): string {
	if (end.kind !== 'output') return JSON.stringify(end);
	const counts = countBy(end.told, ({ outcome }) => outcome);
	return [...counts].map(([outcome, count]) => `${count} ${outcome}`).join(', ');
}

/** Customers `c0`, `c1`, ... for the first canvas. */
export const customers = (count: number, prefix = 'c'): Item[] =>
	Array.from({ length: count }, (_, index) => ({ id: `${prefix}${index}`, canvas: CANVASES[0] }));

/** What the last run of the node has said about its items. */
export function toldBy({ ends }: Execution): readonly Told[] {
	const end = ends.at(-1);
	if (end?.kind !== 'output') throw new Error(`The node has no output: ${ends.map(describeEnd).join('; ')}`);
	return end.told;
}

/** The error with which the node has ended. */
export function errorOf({ ends }: Execution): string {
	const end = ends.at(-1);
	if (end?.kind !== 'thrown') throw new Error(`The node has not failed: ${ends.map(describeEnd).join('; ')}`);
	return end.text;
}
