// Every way in which n8n can reach the action, combined with every outcome of a call. For each cell the sandbox counts how
// often each customer was accepted, and n8n's own data show what the user reads: nobody twice, nobody missing without being
// named, nobody unsent on a success output.
import { createCredentials, type Credentials } from '../support/credentials.mts';
import { N8n, type Execution, type Item, type Workflow } from '../support/n8n/n8n.mts';
import type { Misbehaviour } from '../sandbox/misbehaviour.mts';
import { Sandbox } from '../sandbox/server.mts';
import { askAgent, ScriptedModel } from '../support/scriptedModel.mts';
import { changeNode, fillIn, importWorkflow, readExample } from '../support/examples.mts';
import { connect, underTest } from '../support/underTest.mts';
import { itemsIn } from '../support/kills.mts';
import { until } from '../support/until.mts';
import { actionNode, chain, FROM_ITEM, node, type SavedNode } from '../support/workflows.mts';

jest.setTimeout(240_000);

const ON_ERROR = ['stopWorkflow', 'continueRegularOutput', 'continueErrorOutput'] as const;
type OnError = (typeof ON_ERROR)[number];

/** The outcome for the second of three customers; the first and the last are accepted. */
const OUTCOMES = ['accepted', 'refused', 'overLimit', 'unknown', 'badInput', 'tokenDead'] as const;
type Outcome = (typeof OUTCOMES)[number];

const MISBEHAVIOURS: Partial<Record<Outcome, Partial<Misbehaviour>>> = {
	refused: { code: '910026' },
	overLimit: { code: '910024' },
	unknown: { drop: 'after' },
};

/** One cell of the matrix, with its own Sobot and credential, so that several can run in parallel. */
class Cell {
	private constructor(
		readonly n8n: N8n,
		readonly onError: OnError,
		readonly outcome: Outcome,
		readonly sandbox: Sandbox,
		readonly credentials: Credentials,
	) {}

	static async start(n8n: N8n, onError: OnError, outcome: Outcome): Promise<Cell> {
		const sandbox = await Sandbox.start();
		const cell = new Cell(n8n, onError, outcome, sandbox, await createCredentials(n8n, sandbox));
		const misbehaviour = MISBEHAVIOURS[outcome];
		if (misbehaviour) sandbox.misbehave({ on: 'trigger', contactId: cell.ids[1], ...misbehaviour });
		return cell;
	}

	get ids(): [string, string, string] {
		return ['first', this.outcome === 'badInput' ? '' : 'second', 'third'];
	}

	get customers() {
		return this.ids.map((id) => ({ id, name: 'N' }));
	}

	/** Sobot behaves well from here on. */
	mend(): void {
		this.sandbox.misbehaviours.clear();
	}

	action(more: Record<string, unknown> = {}, options: Record<string, unknown> = {}): SavedNode {
		const parameters = { ...FROM_ITEM, options: { giveUpAfter: 1, ...options } };
		return { ...actionNode(this.credentials, parameters), onError: this.onError, ...more };
	}

	/** By hand, the customers, some nodes behind them; whatever comes out of the last one goes to "Sent" or "Failed". */
	async workflow(
		nodes: SavedNode[],
		connections: Record<string, unknown> = {},
		settings: Record<string, unknown> = {},
	): Promise<Workflow> {
		return await this.n8n.createWorkflow({
			name: `Paths: ${this.onError}, ${this.outcome}`,
			settings,
			nodes: [
				node('By hand', 'n8n-nodes-base.manualTrigger', 1, {}),
				node('List', 'n8n-nodes-base.set', 3.4, {
					mode: 'raw',
					jsonOutput: JSON.stringify({ list: this.customers }),
				}),
				node('Items', 'n8n-nodes-base.splitOut', 1, { fieldToSplitOut: 'list' }),
				...nodes,
			],
			connections: { ...chain('By hand', 'List', 'Items', nodes[0]?.name ?? ''), ...connections },
		});
	}

	async run(workflow: Workflow): Promise<Execution> {
		const id = await this.n8n.launch(workflow);
		// The token was good when the batch began.
		if (this.outcome === 'tokenDead') {
			await until('the first call', () => this.sandbox.tokenCalls.length > 0);
			this.sandbox.account.renewToken(Date.now());
		}
		return await this.ended(id);
	}

	/** An execution once n8n has stored all of it: it calls one canceled a moment before. */
	async ended(id: string): Promise<Execution> {
		let execution = await this.n8n.finished(id);
		await until('what n8n stores of the execution', async () => {
			execution = await this.n8n.execution(id);
			const isAccounted = execution.customData?.sobot !== undefined || hasEnded(execution);
			return execution.status !== 'canceled' || isAccounted || this.sandbox.accepted.length === 0;
		});
		return execution;
	}

	timesAccepted(id: string): number {
		return this.sandbox.accepted.filter(({ contactId }) => contactId === id).length;
	}

	/** Nobody twice, whatever the node reports. */
	expectNobodyTwice(): void {
		for (const id of this.ids) expect([id, this.timesAccepted(id) <= 1]).toEqual([id, true]);
	}

	/** What an output item says is true. */
	expectTrueItems(execution: Execution, name = 'Sobot'): Item[] {
		const runs = execution.data.resultData.runData[name] ?? [];
		const success = runs.flatMap((run) => run.data?.main[0] ?? []);
		const failed = runs.flatMap((run) => run.data?.main[1] ?? []);
		for (const { json } of [...success, ...failed]) {
			expect(json).toEqual(expect.objectContaining({ outcome: expect.any(String) as string }));
			if (json.outcome === 'accepted') expect(this.timesAccepted(String(json.contactId))).toBe(1);
			else expect(String(json.reason)).toMatch(/item \d/i);
		}
		if (this.onError === 'continueErrorOutput') {
			expect(success.filter(({ json }) => json.outcome !== 'accepted')).toEqual([]);
			expect(failed.filter(({ json }) => json.outcome === 'accepted')).toEqual([]);
		}
		return [...success, ...failed];
	}

	/** Every customer is accounted for: by an item, by the error, or by what a stopped execution shows. */
	expectAllNamed(execution: Execution): void {
		const { error } = execution.data.resultData;
		const { customData = {} } = execution;
		if (execution.status === 'success' || (customData.sobot === undefined && hasEnded(execution))) {
			expect(this.expectTrueItems(execution).length).toBe(3);
			return;
		}
		const text = error?.description ?? customData.sobot ?? '';
		// It ended before the node began, or with input that was refused as a whole.
		const isUntouched = execution.data.resultData.runData.Sobot === undefined && text === '';
		if (isUntouched || /Nobody was put on the canvas|This try put nobody on the canvas/.test(text)) {
			expect(this.sandbox.accepted).toEqual([]);
			return;
		}
		const accepted = itemsIn(/Accepted: [^.]*?\((items? [\d, -]+)\)/.exec(text)?.[1]);
		const others = [...text.matchAll(/(?:Failed|Not reached yet|Unknown)[^(.]*\((items? [\d, -]+)\)/g)];
		const named = others.flatMap(([, list]) => itemsIn(list));
		expect([...accepted, ...named].sort()).toEqual([0, 1, 2]);
		for (const index of accepted) expect(this.timesAccepted(this.ids[index] ?? '')).toBe(1);
	}

	async close(): Promise<void> {
		await this.sandbox.close();
	}
}

/** Whether the node had put out its items, even if the execution ended at that moment. */
function hasEnded({ data }: Execution): boolean {
	return data.resultData.runData.Sobot?.at(-1)?.data !== undefined;
}

type Path = (cell: Cell) => Promise<void>;

/** Everyone is on the canvas once, except after an unknown outcome or with input that is still bad. */
function expectCompleted(cell: Cell, execution: Execution): void {
	cell.expectNobodyTwice();
	if (cell.outcome === 'unknown' || cell.outcome === 'badInput') {
		expect(execution.status).toBe('error');
		return;
	}
	expect([execution.status, execution.data.resultData.error?.message]).toEqual(['success', undefined]);
	for (const id of cell.ids) expect([id, cell.timesAccepted(id)]).toEqual([id, 1]);
}

const retryFrom =
	(loadWorkflow: boolean): Path =>
	async (cell) => {
		const execution = await cell.run(await cell.workflow([cell.action()]));
		cell.expectNobodyTwice();
		cell.expectAllNamed(execution);
		if (execution.status === 'success') {
			// n8n offers no Retry of an execution that has succeeded.
			await expect(cell.n8n.retry(execution.id, loadWorkflow)).rejects.toThrow();
			return;
		}
		cell.mend();
		expectCompleted(cell, await cell.n8n.retry(execution.id, loadWorkflow));
	};

const PATHS: Record<string, Path> = {
	'Retry On Fail': async (cell) => {
		const action = cell.action({ retryOnFail: true, maxTries: 2, waitBetweenTries: 10 });
		const execution = await cell.run(await cell.workflow([action]));
		cell.expectNobodyTwice();
		cell.expectAllNamed(execution);
	},
	'Retry with the original workflow': retryFrom(false),
	'Retry with the current workflow': retryFrom(true),
	'Loop Over Items': async (cell) => {
		const loop = node('Loop', 'n8n-nodes-base.splitInBatches', 3, { batchSize: 1 });
		const back = [{ node: 'Loop', type: 'main', index: 0 }];
		const workflow = await cell.workflow(
			[loop, cell.action({ retryOnFail: true, maxTries: 2, waitBetweenTries: 10 })],
			{
				Loop: { main: [[], [{ node: 'Sobot', type: 'main', index: 0 }]] },
				Sobot: { main: [back, back] },
			},
		);
		const execution = await cell.run(workflow);
		cell.expectNobodyTwice();
		cell.expectTrueItems(execution);
		if (execution.status === 'success') return;
		// The failed iteration of the loop names its customer; n8n runs the later ones after it, also in a Retry.
		expect(`${execution.data.resultData.error?.message}`).toMatch(/item 0/i);
		cell.mend();
		expectCompleted(cell, await cell.n8n.retry(execution.id, false));
	},
	'a sub-workflow': async (cell) => {
		const start = node('Start', 'n8n-nodes-base.executeWorkflowTrigger', 1.1, { inputSource: 'passthrough' });
		const inner = await cell.n8n.createWorkflow({
			name: 'Inner',
			nodes: [start, cell.action()],
			connections: chain('Start', 'Sobot'),
		});
		await cell.n8n.publish(inner);
		const call = node('Inner', 'n8n-nodes-base.executeWorkflow', 1.2, {
			source: 'database',
			workflowId: { __rl: true, mode: 'id', value: inner.id },
			options: {},
		});
		const execution = await cell.run(await cell.workflow([call]));
		cell.expectNobodyTwice();
		const [ran] = await cell.n8n.executions(inner);
		expect(ran).toBeDefined();
		cell.expectAllNamed(await cell.n8n.execution(ran?.id ?? ''));
		const out = execution.data.resultData.runData.Inner?.[0]?.data?.main[0] ?? [];
		for (const { json } of out) {
			if (json.outcome === 'accepted') expect(cell.timesAccepted(String(json.contactId))).toBe(1);
		}
	},
	stopped: async (cell) => {
		const workflow = await cell.workflow([cell.action({}, { requestsPerSecond: 1, giveUpAfter: 60 })]);
		const id = await cell.n8n.launch(workflow);
		await until(
			'a call or an end',
			async () =>
				cell.sandbox.triggerCalls.some(({ contactId }) => contactId !== '') ||
				(await cell.n8n.execution(id)).status !== 'running',
		);
		await cell.n8n.stopExecution(id).catch(() => undefined);
		const execution = await cell.ended(id);
		cell.expectNobodyTwice();
		cell.expectAllNamed(execution);
	},
	'timed out': async (cell) => {
		const action = cell.action({}, { requestsPerSecond: 1, giveUpAfter: 60 });
		const execution = await cell.run(await cell.workflow([action], {}, { executionTimeout: 2 }));
		cell.expectNobodyTwice();
		cell.expectAllNamed(execution);
	},
};

let n8n: N8n;
beforeAll(async () => (n8n = await connect()));

/** Runs one path for every setting of On Error and every outcome, some at a time; names the cell that fails. */
async function forEachCell(own: N8n, path: Path, onErrors: readonly OnError[] = ON_ERROR): Promise<void> {
	const cells = onErrors.flatMap((onError) => OUTCOMES.map((outcome) => ({ onError, outcome })));
	const runNext = async (): Promise<void> => {
		for (let next = cells.shift(); next; next = cells.shift()) {
			const cell = await Cell.start(own, next.onError, next.outcome);
			try {
				await path(cell);
			} catch (cause) {
				throw new Error(`On Error ${next.onError}, ${next.outcome}: ${String(cause)}`, { cause });
			} finally {
				await cell.close();
			}
		}
	};
	await Promise.all(Array.from({ length: 6 }, runNext));
}

test.each(Object.entries(PATHS))('%s: all 18 cells', async (_, path) => await forEachCell(n8n, path));

test("an agent's tool with Retry On Fail: the model reads what became of the customer", async () => {
	await forEachCell(n8n, async (cell) => {
		const model = await ScriptedModel.start({ Contact_ID: cell.ids[1], Nickname: 'Ana' });
		try {
			const example = fillIn(await readExample('agent-tool'), 'Chat', { public: true });
			const filled = fillIn(example, 'Put on canvas', { options: { giveUpAfter: 1 } });
			const more = { onError: cell.onError, retryOnFail: true, maxTries: 3, waitBetweenTries: 10 };
			const openAiApi = await model.credential(cell.n8n);
			const workflow = await importWorkflow(cell.n8n, changeNode(filled, 'Put on canvas', more), {
				...cell.credentials,
				openAiApi,
			});
			await askAgent(cell.n8n, workflow);
			const told = JSON.stringify(model.asked[1]?.messages.find(({ role }) => role === 'tool')?.content);
			const times =
				cell.outcome === 'accepted' || cell.outcome === 'unknown' || cell.outcome === 'tokenDead' ? 1 : 0;
			expect(cell.sandbox.accepted.length).toBe(times);
			const words = { accepted: 'accepted', tokenDead: 'accepted', badInput: 'notSent' } as Partial<
				Record<Outcome, string>
			>;
			expect(told).toContain(words[cell.outcome] ?? cell.outcome);
		} finally {
			model.close();
		}
	});
});

test('Retry after a restart of n8n: all cells that stop the workflow', async () => {
	const { runtime, tarball } = underTest();
	const own = await N8n.start({ runtime, tarball });
	let again: N8n | undefined;
	const cells = await Promise.all(
		OUTCOMES.map(async (outcome) => await Cell.start(own, 'stopWorkflow', outcome)),
	);
	try {
		const executions = [];
		for (const cell of cells) executions.push(await cell.run(await cell.workflow([cell.action()])));
		again = await own.restart();
		for (const [index, cell] of cells.entries()) {
			const execution = executions[index];
			if (!execution || execution.status === 'success') continue;
			cell.mend();
			expectCompleted(cell, await again.retry(execution.id, false));
		}
	} finally {
		for (const cell of cells) await cell.close();
		await (again ?? own).stop();
	}
});
