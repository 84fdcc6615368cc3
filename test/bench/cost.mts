// What customers cost: this node against what a builder would use instead, in a real n8n, both by turns in one run.
// `ROWS=day,latency npm run bench -- cost` measures only these rows.
import { randomUUID } from 'node:crypto';
import { Sandbox } from '../sandbox/server.mts';
import { figuresIn, writeFigures } from '../support/figures.mts';
import { N8n } from '../support/n8n/n8n.mts';
import type { Runtime, Say } from '../support/n8n/runtime.mts';
import { withPriority } from '../support/priority.mts';
import { endProcess, startProcess } from '../support/processes.mts';
import { ACTION } from '../support/nodeTypes.mts';
import { until } from '../support/until.mts';
import { chain, executionsEnded, node } from '../support/workflows.mts';
import { ON_THE_WAY, seenBy } from './batch.mts';
import { cpuSeconds, forgetPeak, peakMegabytes } from './costs.mts';
import { inPostgres, inSqlite, type Database } from './databases.mts';
import { inShort, median } from './figures.mts';
import { batchOf, editFields, httpRequest, nothing, thisNode, type Side } from './sides.mts';

/** The option that makes a node remember its customers, and the one that says how many. */
const REMEMBER = 'sendOncePer';
const REMEMBERED = 'historySize';
/** Entries in a node's list after a day without that option, by a build that never removes any. */
const ENTRIES_AFTER_A_DAY = 50_000;
/** Customers of a batch, and how often each side takes its turn. */
const CUSTOMERS = 1000;
const TURNS = 3;
/** Turns of a row of CPU time: n8n's own work in the background comes and goes. */
const CPU_TURNS = 7;

interface Setting {
	n8n: N8n;
	database: Database;
	runtime: Runtime;
	tarball: string;
	say: Say;
}

/** What was measured of each side in each of its turns: this node's first. */
type Turns = Readonly<Record<string, readonly number[]>>;

interface Row {
	/** as ROWS names it */
	name: string;
	what: string;
	unit: string;
	/** whether it depends on the database, so that it is measured with PostgreSQL, too */
	writes?: boolean;
	measure: (setting: Setting, say: Say) => Promise<Turns>;
}

const US = 'this node';

/** What one batch took. */
interface Used {
	cpuSeconds: number;
	bytes: number;
	/** of Sobot's limit */
	share: number;
	refused: number;
}

interface Batch {
	customers?: number;
	/** entries in the node's list before it */
	entries?: number;
	/** whether Sobot is called */
	calls?: boolean;
}

/** Sends a batch to a new Sobot. */
async function runBatch(
	{ n8n, database }: Setting,
	side: Side,
	{ customers = CUSTOMERS, entries = 0, calls = true }: Batch = {},
): Promise<Used> {
	const sandbox = await Sandbox.start();
	try {
		sandbox.misbehave({ on: 'trigger', onTheWay: ON_THE_WAY });
		const workflow = await batchOf(n8n, customers, await side(sandbox, n8n));
		await database.fill(workflow, entries);
		const [cpu, bytes] = [await cpuSeconds(n8n.pid), await database.writtenBytes(n8n)];
		await n8n.launch(workflow);
		// n8n is only asked once it has sent them all: its answers cost CPU time, too.
		if (calls) await until('all calls', () => sandbox.triggerCalls.length >= customers, 600_000, 200);
		await executionsEnded(n8n, workflow, 600_000, 1000);
		const seen = seenBy(sandbox);
		// The other side loses those that Sobot refuses.
		const isOurs = workflow.nodes.some(({ type }) => type === ACTION.type);
		if (isOurs && calls && (seen.accepted !== customers || seen.twice > 0))
			throw new Error(`${workflow.name}: ${JSON.stringify(seen)}`);
		return {
			cpuSeconds: (await cpuSeconds(n8n.pid)) - cpu,
			bytes: (await database.writtenBytes(n8n)) - bytes,
			share: seen.perSecond / 50,
			refused: sandbox.triggerCalls.length - seen.accepted,
		};
	} finally {
		await sandbox.close();
	}
}

/** Measures the sides by turns. The first turn of each, which compiles what it needs, does not count. */
async function byTurns(
	sides: Record<string, () => Promise<number>>,
	say: Say,
	{ firstTurn = 0, turns = TURNS } = {},
): Promise<Record<string, number[]>> {
	const measured: Record<string, number[]> = {};
	for (let turn = firstTurn; turn <= turns; turn++) {
		for (const [who, measure] of Object.entries(sides)) {
			const value = await measure();
			say(`    ${who}, turn ${turn}: ${value.toPrecision(4)}`);
			if (turn > 0) (measured[who] ??= []).push(value);
		}
	}
	return measured;
}

/** The same without what the workflow costs without its last node. */
async function netByTurns(
	sides: Record<string, () => Promise<number>>,
	without: () => Promise<number>,
	say: Say,
	turns = TURNS,
): Promise<Turns> {
	const { without: costs = [], ...measured } = await byTurns({ ...sides, without }, say, { turns });
	const cost = median(costs);
	return Object.fromEntries(
		Object.entries(measured).map(([who, values]) => [who, values.map((value) => value - cost)]),
	);
}

/** CPU time of n8n in ms for each customer of a batch. */
const cpuOf =
	(setting: Setting, side: Side, batch: Batch = {}) =>
	async () =>
		((await runBatch(setting, side, batch)).cpuSeconds * 1000) / (batch.customers ?? CUSTOMERS);

const HTTP = 'HTTP Request node';

const cpuRow = (name: string, what: string, batch: Batch): Row => ({
	name,
	what,
	unit: 'ms of CPU a customer',
	measure: async (setting, say) =>
		await netByTurns(
			{ [US]: cpuOf(setting, thisNode(), batch), [HTTP]: cpuOf(setting, httpRequest(), batch) },
			cpuOf(setting, nothing, { ...batch, calls: false, entries: 0 }),
			say,
			CPU_TURNS,
		),
});

/** Sends customers one after the other, each in an execution of its own, by a push to n8n's Webhook node. */
async function onePerExecution(
	{ n8n }: Setting,
	sides: Record<string, Side>,
	pick: (used: { cpuMs: number; latencies: number[] }) => number,
	say: Say,
): Promise<Turns> {
	// One for each side: a token that one of them fetches would end that of the other.
	const sandboxes: Sandbox[] = [];
	try {
		const measures: Record<string, () => Promise<number>> = {};
		for (const [who, side] of Object.entries(sides)) {
			const sandbox = await Sandbox.start();
			sandboxes.push(sandbox);
			const path = randomUUID();
			const last = await side(sandbox, n8n);
			const webhook = node('Webhook', 'n8n-nodes-base.webhook', 2, {
				httpMethod: 'POST',
				path,
				responseMode: 'lastNode',
			});
			const workflow = await n8n.createWorkflow({
				name: `${who}, one by one`,
				nodes: [{ ...webhook, webhookId: path }, last],
				connections: chain('Webhook', last.name),
			});
			await n8n.activate(workflow);
			await until('the webhook', async () => await isRegistered(n8n, path));
			measures[who] = async () => pick(await sendOneByOne(n8n, `${n8n.url}/webhook/${path}`));
		}
		return await byTurns(measures, say);
	} finally {
		for (const sandbox of sandboxes) await sandbox.close();
	}
}

/** A GET is refused in another way once the POST is there. */
async function isRegistered(n8n: N8n, path: string): Promise<boolean> {
	return (await (await fetch(`${n8n.url}/webhook/${path}`)).text()).includes('not registered for GET');
}

const ONE_BY_ONE = 60;
let numbers = 0;

async function sendOneByOne({ pid }: N8n, url: string): Promise<{ cpuMs: number; latencies: number[] }> {
	const before = await cpuSeconds(pid);
	const latencies: number[] = [];
	for (let i = 0; i < ONE_BY_ONE; i++) {
		const id = `one-${numbers++}`;
		const startedMs = performance.now();
		const answer = await fetch(url, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify({ id, name: 'N' }),
		});
		const text = await answer.text();
		if (!text.includes('000000')) throw new Error(`The webhook answered ${answer.status} ${text}`);
		latencies.push(performance.now() - startedMs);
	}
	return { cpuMs: (((await cpuSeconds(pid)) - before) * 1000) / ONE_BY_ONE, latencies };
}

const PUSHED = { contactId: '={{ $json.body.id }}', nick: '={{ $json.body.name }}' };
const httpRequestForPush = httpRequest(PUSHED.contactId, PUSHED.nick);

/** The largest that an n8n of its own has been while it sent a batch, in MB. */
async function peakOf(
	{ runtime, tarball, database }: Setting,
	side: Side,
	customers: number,
): Promise<number> {
	const n8n = await N8n.start({ runtime, tarball, isWhole: true });
	try {
		await forgetPeak(n8n);
		await runBatch({ n8n, database, runtime, tarball, say: () => undefined }, side, { customers });
		return await peakMegabytes(n8n);
	} finally {
		await n8n.stop();
	}
}

/** Keeps all cores busy. */
async function underLoad(measure: () => Promise<Turns>): Promise<Turns> {
	const burners = [1, 2].map(() => startProcess('node', ['-e', 'for (;;);'], { stdio: 'ignore' }));
	try {
		return await withPriority(measure);
	} finally {
		for (const burner of burners) await endProcess(burner);
	}
}

const ROWS: readonly Row[] = [
	cpuRow('customer', `a customer of a batch of ${CUSTOMERS}, two dragged fields`, {}),
	cpuRow('day', `a customer of a batch of ${CUSTOMERS}, with a list as after a day`, {
		entries: ENTRIES_AFTER_A_DAY,
	}),
	{
		name: 'bytes',
		what: `written for a customer of a batch of ${CUSTOMERS}, with a list as after a day`,
		unit: 'KB a customer',
		writes: true,
		measure: async (setting, say) => {
			const batch = { entries: ENTRIES_AFTER_A_DAY };
			const kilobytes = (side: Side) => async () =>
				(await runBatch(setting, side, batch)).bytes / 1000 / CUSTOMERS;
			return await byTurns({ [US]: kilobytes(thisNode()), [HTTP]: kilobytes(httpRequest()) }, say);
		},
	},
	{
		name: 'latency',
		what: "one customer per execution, 'Send Once Per' set",
		unit: 'ms until the answer, median',
		writes: true,
		measure: async (setting, say) =>
			await onePerExecution(
				setting,
				{ [US]: thisNode({ [REMEMBER]: '={{ $json.body.id }}' }, PUSHED), [HTTP]: httpRequestForPush },
				({ latencies }) => median(latencies),
				say,
			),
	},
	{
		name: 'single',
		what: 'one customer per execution, without it',
		unit: 'ms of CPU an execution',
		measure: async (setting, say) =>
			await onePerExecution(
				setting,
				{ [US]: thisNode({}, PUSHED), [HTTP]: httpRequestForPush },
				({ cpuMs }) => cpuMs,
				say,
			),
	},
	{
		name: 'remembered',
		what: "'Send Once Per' with 100,000 customers remembered",
		unit: 'share of the limit',
		writes: true,
		measure: async (setting, say) => {
			const entries = 100_000;
			const side = thisNode({ [REMEMBER]: 'spring', [REMEMBERED]: entries });
			return await byTurns({ [US]: async () => (await runBatch(setting, side, { entries })).share }, say);
		},
	},
	{
		name: 'dry',
		what: 'Dry Run of 100,000 items, two dragged fields',
		unit: 'ms of CPU an item',
		measure: async (setting, say) => {
			const batch = { customers: 100_000, calls: false };
			return await netByTurns(
				{
					[US]: cpuOf(setting, thisNode({ dryRun: true }), batch),
					'Edit Fields': cpuOf(setting, editFields, batch),
				},
				cpuOf(setting, nothing, batch),
				say,
			);
		},
	},
	{
		name: 'memory',
		what: '10,000 customers sent, peak of the resident memory',
		unit: 'MB',
		measure: async (setting, say) => {
			const measure = (side: Side) => async () => await peakOf(setting, side, 10_000);
			// Each n8n starts anew, and sends for 200 s: one turn.
			const sides = { [US]: measure(thisNode()), [HTTP]: measure(httpRequest()) };
			return await byTurns(sides, say, { firstTurn: TURNS });
		},
	},
	{
		name: 'load',
		what: '500 customers while two programs burn both cores',
		unit: 'share of the limit',
		measure: async (setting, say) =>
			await underLoad(async () => {
				const share = (side: Side) => async () => {
					const { share: ofTheLimit, refused } = await runBatch(setting, side, { customers: 500 });
					say(`    ${refused} refused`);
					return ofTheLimit;
				};
				return await byTurns({ [US]: share(thisNode()), [HTTP]: share(httpRequest()) }, say);
			}),
	},
];

const shown = (values: readonly number[]) => {
	const [least, most] = [Math.min(...values), Math.max(...values)];
	return values.length > 1
		? `${inShort(median([...values]))} (${inShort(least)} to ${inShort(most)})`
		: inShort(least);
};

function lines({ what, unit }: Row, database: string, turns: Turns): string[][] {
	const sides = Object.entries(turns);
	const [[, ours] = ['', []], [peer, theirs] = ['', undefined]] = sides;
	if (!turns[US]) return sides.map(([figure, values]) => [what, database, figure, shown(values), '', '', '']);
	const ratios = theirs && ours.map((value, turn) => value / (theirs[turn] ?? NaN));
	return [
		[what, database, unit, shown(ours), peer, theirs ? shown(theirs) : '', ratios ? shown(ratios) : ''],
	];
}

/** The place of the table in docs/benchmarks.md. */
export const PLACE = 'what customers cost';

/** Measures the costs, prints their table, and with WRITE_FIGURES writes it to docs/benchmarks.md: the rows that ROWS chooses. */
export async function customerCosts(n8n: N8n, runtime: Runtime, tarball: string, say: Say): Promise<void> {
	if (process.platform !== 'linux') throw new Error('CPU time is measured on Linux only.');
	const named = process.env.ROWS?.split(',');
	const rows = ROWS.filter(({ name }) => !named || named.includes(name));
	const all: string[][] = [];
	const measureRows = async (some: readonly Row[], setting: Setting) => {
		for (const row of some) {
			say(`  ${row.name}, ${setting.database.name}: ${row.what}, ${row.unit} ...`);
			all.push(...lines(row, setting.database.name, await row.measure(setting, say)));
		}
	};
	await measureRows(rows, { n8n, database: inSqlite(runtime, n8n), runtime, tarball, say });
	const writing = rows.filter(({ writes }) => writes);
	if (writing.length > 0)
		await inPostgres(runtime, tarball, async (other, database) => {
			await measureRows(writing, { n8n: other, database, runtime, tarball, say });
		});
	const head = ['What', 'Database', 'Measured', 'This node', 'Compared with', 'Its figure', 'Ratio'];
	const isMeasured = ([what]: readonly string[]) => rows.some((row) => row.what === what);
	const others = figuresIn('benchmarks', PLACE).filter((row) => !isMeasured(row));
	writeFigures('benchmarks', PLACE, head, [...others, ...all]);
}
