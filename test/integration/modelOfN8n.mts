// A model of n8n around the action node, in simulated time: executions with their tries and loops, Retry, kills, stops, and
// n8n 1's second run of a killed execution. The node's own code runs in it, and the model knows whom Sobot has accepted.
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

/** The token of an execution begins with it. */
export const TOKEN = 'token-of-';

/** What the node's output says about one item. */
export interface Told {
	readonly item: Item;
	readonly outcome: string;
	readonly error: unknown;
	/** whether n8n sends the item to the error output, if there is one */
	readonly isOnErrorOutput: boolean;
}

/** What the list of executions shows. */
type CustomData = Readonly<Record<string, string>>;

/** How the node has ended in one iteration. */
export type NodeEnd =
	| { readonly kind: 'output'; readonly told: readonly Told[] }
	| { readonly kind: 'thrown'; readonly text: string; readonly customData: CustomData }
	| { readonly kind: 'stopped'; readonly customData: CustomData };

/** Where an execution starts, as n8n has stored it. */
interface Start {
	readonly iteration: number;
	readonly context: Record<string, unknown>;
	/** whether the node before this one runs first */
	readonly runsNodeBefore: boolean;
	/** how many runs of the node n8n only assumes, by its log of a crashed execution */
	readonly assumedRuns: number;
}

/** One execution. n8n 1 can run it a second time. */
export interface Execution {
	readonly id: string;
	/** names the execution and those that continue it */
	lineage: string;
	readonly mode: 'trigger' | 'retry';
	/** the node's input in each iteration of a loop; without a loop there is one iteration */
	iterations: ReadonlyArray<readonly Item[]>;
	/** whether the node before this one fails */
	readonly failsBefore: boolean;
	readonly start: Start;
	state: 'new' | 'success' | 'error' | 'crashed' | 'canceled';
	/** what n8n stores with an execution that failed or was stopped */
	stored?: Start;
	ends: Array<{ readonly iteration: number; readonly end: NodeEnd }>;
}

export class ModelOfN8n {
	readonly log: string[] = [];
	readonly table: ModelTable;
	readonly sobot: ModelSobot;
	readonly clock: SimulatedClock;
	private executions = 0;
	private process: ModelProcess;

	/**
	 * @param seed the same seed gives the same course of events
	 * @param hasResumeToken whether an execution and its Retries have a token in common, as since n8n 2.14
	 */
	constructor(
		seed = 1,
		private readonly hasResumeToken = true,
	) {
		this.clock = useSeededClock(seed);
		const startMs = this.clock.nowMs();
		const log = (line: string) => void this.log.push(`  ${this.clock.nowMs() - startMs} ms: ${line}`);
		this.table = new ModelTable(log);
		this.sobot = new ModelSobot(log);
		this.process = newProcess();
	}

	/** An execution that a trigger starts. */
	execution(iterations: Execution['iterations'], failsBefore = false): Execution {
		const id = `execution${++this.executions}`;
		const start = { iteration: 0, context: {}, runsNodeBefore: true, assumedRuns: 0 };
		return { id, lineage: id, mode: 'trigger', iterations, failsBefore, start, state: 'new', ends: [] };
	}

	/**
	 * n8n's Retry of an execution. n8n offers none of an execution that has succeeded or was stopped. After a crash, n8n
	 * writes a run without data for each node that had run, unless a run of it was stored, and removes only that of one node.
	 * Source: n8n, ExecutionRecoveryService.
	 */
	retryOf({ state, stored, start, lineage, iterations }: Execution): Execution {
		expect(['error', 'crashed']).toContain(state);
		const retry = this.execution(iterations);
		const from = structuredClone(stored ?? start);
		const isAssumed = state === 'crashed' && start.runsNodeBefore && this.clock.random() < 0.5;
		const assumedRuns = isAssumed ? 1 : from.assumedRuns;
		return { ...retry, lineage, mode: 'retry', start: { ...from, assumedRuns } };
	}

	/** Runs an execution to its end. */
	async run(execution: Execution, settings: Settings = {}, faults: Faults = {}): Promise<Execution> {
		await this.clock.run(this.begin(execution, settings, faults));
		// The node may go on for a moment after its execution has ended.
		if (!this.process.isDead && execution.state !== 'canceled') await this.clock.advance(3000);
		return execution;
	}

	/** Begins to run an execution: time stands still until `run` or the clock advances it. */
	async begin(execution: Execution, settings: Settings = {}, faults: Faults = {}): Promise<void> {
		if (this.process.isDead) this.process = newProcess();
		Object.assign(execution, { state: 'new', stored: undefined, ends: [] });
		const { process } = this;
		const done = process.run(async () => await this.runNode(execution, settings, faults, process));
		const { killedAfterMs } = faults;
		const startMs = this.clock.nowMs();
		if (killedAfterMs === undefined) await done;
		else await Promise.race([done, this.clock.sleep(killedAfterMs)]);
		if (execution.state === 'new') {
			process.kill();
			execution.state = 'crashed';
		}
		this.log.push(
			`${execution.id} (${execution.mode} of ${execution.lineage}) with ${JSON.stringify(settings)}: ` +
				`${execution.state} after ${this.clock.nowMs() - startMs} ms. ${execution.ends.map(describeEnd).join('; ')}`,
		);
	}

	/** Lets the node of a stopped execution end, and everything else that goes on. */
	async rest(): Promise<void> {
		await this.clock.advance(120_000);
	}

	/** Ends the model. None of its code goes on beside that of another one. */
	end(): void {
		this.process.kill();
	}

	private async runNode(
		execution: Execution,
		settings: Settings,
		faults: Faults,
		process: ModelProcess,
	): Promise<void> {
		const { start, iterations } = execution;
		if (execution.failsBefore) {
			execution.stored = start;
			execution.state = 'error';
			return;
		}
		const context = structuredClone(start.context);
		const stop = new AbortController();
		const stopped = this.stopLater(execution, faults.stoppedAfterMs, stop);
		for (const [iteration, items] of iterations.entries()) {
			if (iteration < start.iteration) continue;
			const customData: Record<string, string> = {};
			const { assumedRuns } = start;
			const common = { settings, faults, process, context, customData, items, iteration, assumedRuns };
			const ended = this.runTries(execution, { ...common, signal: stop.signal });
			const end = (await Promise.race([ended, stopped])) ?? { kind: 'stopped' as const, customData };
			execution.ends.push({ iteration, end });
			if (end.kind === 'output') continue;
			execution.stored = { ...start, iteration, context: structuredClone(context), runsNodeBefore: false };
			execution.state = end.kind === 'stopped' ? 'canceled' : 'error';
			return;
		}
		execution.state = 'success';
	}

	/** Resolves when the user stops the execution. */
	private async stopLater(
		execution: Execution,
		afterMs = Infinity,
		stop: AbortController,
	): Promise<undefined> {
		if (afterMs < Infinity) await this.clock.sleep(afterMs);
		if (afterMs === Infinity || execution.state !== 'new') await new Promise(() => {});
		stop.abort();
	}

	private async runTries(
		execution: Execution,
		one: Omit<Try, 'table' | 'sobot' | 'mode' | 'executionId' | 'lineage' | 'resumeUrl'>,
	): Promise<NodeEnd> {
		const { table, sobot } = this;
		const { retryOnFail, maxTries, waitBetweenTries = 1000, isTool } = one.settings;
		// Source: n8n, WorkflowExecute.
		const tries = retryOnFail === true ? Math.min(5, Math.max(2, maxTries ?? 3)) : 1;
		const { id: executionId, lineage, mode } = execution;
		const token = this.hasResumeToken ? `?signature=${TOKEN}${lineage}` : '';
		const resumeUrl = `https://n8n.example.com/webhook-waiting/${executionId}${token}`;
		for (let count = 1; ; count++) {
			const node = nodeOf({ ...one, table, sobot, mode, executionId, lineage, resumeUrl });
			const end = await endOf(one, async () => await execute.call(node));
			await one.process.alive();
			// n8n 1 tries again for an item's field 'error', even if that is null and the node has not thrown.
			if (count === tries || (isTool === true && end.kind === 'output')) return end;
			await this.clock.sleep(waitBetweenTries);
			await one.process.alive();
		}
	}

	/**
	 * How often each customer is on a canvas.
	 *
	 * @param of counts one iteration of an execution and of those that continue it; by default all executions
	 */
	timesOnCanvas(of?: { execution: Execution; iteration: number }): Map<string, number> {
		const accepted = this.sobot.accepted.filter(
			(one) => !of || (one.lineage === of.execution.lineage && one.iteration === of.iteration),
		);
		return countBy(accepted, ({ item }) => nameOf(item));
	}
}

let processes = 0;
const newProcess = () => new ModelProcess(`process${++processes}`);

async function endOf(
	{ items, customData }: Pick<Try, 'items' | 'customData'>,
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
		outcome: String(json.outcome),
		error: json.error,
		isOnErrorOutput: error !== undefined,
	}));
	return { kind: 'output', told };
}

function describeEnd({ end }: Execution['ends'][number]): string {
	if (end.kind !== 'output') return JSON.stringify(end);
	const counts = countBy(end.told, ({ outcome }) => outcome);
	return [...counts].map(([outcome, count]) => `${count} ${outcome}`).join(', ');
}

/** A customer on a canvas, as text. */
export const nameOf = ({ canvas, id }: Item) => `${canvas} ${id}`;

/** How many values have each name. */
export function countBy<Value>(
	values: Iterable<Value>,
	nameOf: (value: Value) => string,
): Map<string, number> {
	const counts = new Map<string, number>();
	for (const value of values) counts.set(nameOf(value), (counts.get(nameOf(value)) ?? 0) + 1);
	return counts;
}

/** Customers `c0`, `c1`, ... for the first canvas. */
export const customers = (count: number, prefix = 'c'): Item[] =>
	Array.from({ length: count }, (_, index) => ({ id: `${prefix}${index}`, canvas: CANVASES[0] }));

/** What the last run of the node has said about its items. */
export function toldBy({ ends }: Execution): readonly Told[] {
	const end = ends.at(-1)?.end;
	if (end?.kind !== 'output') throw new Error(`The node has no output: ${ends.map(describeEnd).join('; ')}`);
	return end.told;
}

/** The error with which the node has ended. */
export function errorOf({ ends }: Execution): string {
	const end = ends.at(-1)?.end;
	if (end?.kind !== 'thrown') throw new Error(`The node has not failed: ${ends.map(describeEnd).join('; ')}`);
	return end.text;
}
