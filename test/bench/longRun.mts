// `npm run bench -- long`: the longest batches, each in an n8n of its own: until the first call leaves, while they are sent,
// and afterwards in n8n's database and editor. WRITE_FIGURES=1 sends 100,000 customers in each, which takes over an hour.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Editor } from '../browser/editor.mts';
import { Sandbox } from '../sandbox/server.mts';
import { writeFigures, WRITES_FIGURES } from '../support/figures.mts';
import { N8n, type Workflow } from '../support/n8n/n8n.mts';
import type { Runtime, Say } from '../support/n8n/runtime.mts';
import { run } from '../support/processes.mts';
import { sqlite } from '../support/sqlite.mts';
import { until } from '../support/until.mts';
import { executionsEnded } from '../support/workflows.mts';
import { ON_THE_WAY, seenBy } from './batch.mts';
import { cpuSeconds, forgetPeak, peakMegabytes, probe, probing } from './costs.mts';
import { inShort } from './figures.mts';
import { batchOf, thisNode } from './sides.mts';

/** Customers of a long run. They take 34 minutes, so a plain run has fewer. */
const CUSTOMERS = WRITES_FIGURES ? 100_000 : 2000;
/** Sobot's limit, in calls a second. */
const LIMIT = 50;
const SENT_WITHIN_MS = (2 * CUSTOMERS * 1000) / LIMIT + 60_000;

interface LongRun {
	/** the options of the node */
	options: Record<string, unknown>;
	/** how many items a loop gives the node at a time; all at once if left out */
	chunkSize?: number;
}

/** Sends customers in a new n8n with SQLite. Throws unless each is accepted once. */
async function longRun(
	runtime: Runtime,
	tarball: string,
	{ options, chunkSize }: LongRun,
	say: Say,
): Promise<Record<string, number>> {
	const folder = await mkdtemp(join(tmpdir(), 'sobot-long-'));
	const file = join(folder, 'probe');
	const n8n = await N8n.start({ runtime, tarball, isWhole: true, env: probing(file) });
	const sandbox = await Sandbox.start();
	try {
		sandbox.misbehave({ on: 'trigger', onTheWay: ON_THE_WAY });
		const last = await thisNode(options)(sandbox, n8n);
		const workflow = await batchOf(n8n, CUSTOMERS, last, chunkSize);
		await probe(n8n, file);
		await forgetPeak(n8n);
		const execution = await n8n.launch(workflow);
		await until('the first call', () => sandbox.triggerCalls.length > 0, SENT_WITHIN_MS, 50);
		const cpu = await cpuSeconds(n8n.pid);
		const isSent = () => sandbox.accepted.length >= CUSTOMERS;
		await until('all customers to be sent', isSent, SENT_WITHIN_MS, 1000);
		const sentMs = Date.now();
		const cpuMs = (((await cpuSeconds(n8n.pid)) - cpu) * 1000) / CUSTOMERS;
		const [ended] = await executionsEnded(n8n, workflow, 600_000, 200);
		const storedMs = Date.now() - sentMs;
		const seen = seenBy(sandbox);
		const { longestBlockMs } = await probe(n8n, file);
		const [peak, bytes] = [await peakMegabytes(n8n), await storedMegabytes(runtime, n8n, execution)];
		if (ended?.status !== 'success' || seen.accepted !== CUSTOMERS || seen.twice > 0)
			throw new Error(`Each customer was to be sent once: ${ended?.status}, ${JSON.stringify(seen)}`);
		const figures = {
			'customers accepted': seen.accepted,
			'accepted twice': seen.twice,
			'seconds from the start of the node to the first call': await secondsUntilFirst(
				n8n,
				execution,
				sandbox,
			),
			'share of the limit': seen.perSecond / LIMIT,
			'calls refused': sandbox.triggerCalls.length - seen.accepted,
			'ms of CPU a customer': cpuMs,
			'largest resident memory of n8n, MB': peak,
			'longest block of the event loop, the making of the list included, ms': longestBlockMs,
			'seconds from the last call to the end of the execution': storedMs / 1000,
			"the execution in n8n's database, MB": bytes,
		};
		say(`    ${JSON.stringify(figures)}`);
		return {
			...figures,
			'seconds until the editor shows the execution': await secondsToShow(n8n, workflow, execution),
		};
	} finally {
		await n8n.stop();
		await sandbox.close();
		await rm(folder, { recursive: true, force: true });
	}
}

/** From the moment in which n8n called the node, which it notes itself. */
async function secondsUntilFirst(n8n: N8n, id: string, { triggerCalls }: Sandbox): Promise<number> {
	const { resultData } = (await n8n.execution(id)).data;
	const startMs = resultData.runData.Sobot?.[0]?.startTime ?? NaN;
	return ((triggerCalls[0]?.arrivedAtMs ?? NaN) - startMs) / 1000;
}

/** Measures both long runs, prints their table, and with WRITE_FIGURES writes it to docs/benchmarks.md. */
export async function longRuns(runtime: Runtime, tarball: string, say: Say): Promise<void> {
	say('  in one batch ...');
	const whole = await longRun(runtime, tarball, { options: {} }, say);
	say('  in chunks ...');
	const options = { sendOncePer: 'spring', historySize: CUSTOMERS };
	const chunks = await longRun(runtime, tarball, { options, chunkSize: 500 }, say);
	const head = ['', 'in one batch', "in chunks of 500, with 'Send Once Per'"];
	writeFigures(
		'benchmarks',
		'long runs',
		head,
		Object.entries(whole).map(([what, value]) => [what, inShort(value), inShort(chunks[what] ?? NaN)]),
	);
}

async function storedMegabytes(runtime: Runtime, n8n: N8n, execution: string): Promise<number> {
	const statements = `
		const row = database.prepare('select octet_length(data) as bytes from execution_data where "executionId" = ?').get('${execution}');
		console.log(row.bytes);`;
	return Number(await run(...sqlite(n8n, statements, runtime))) / 1e6;
}

/** Until the list of executions shows the nodes of this one, with their marks. */
async function secondsToShow(n8n: N8n, workflow: Workflow, execution: string): Promise<number> {
	const editor = await Editor.open(n8n.url);
	try {
		// The editor itself is loaded by then.
		await editor.openWorkflow(workflow);
		const startedMs = Date.now();
		await editor.showExecution(workflow, execution, 'Items');
		return (Date.now() - startedMs) / 1000;
	} finally {
		await editor.close();
	}
}
