// What 'Send Once Per' costs: n8n keeps a node's customers in one list, and writes the whole list each time. Measured with
// a list that is full, in n8n's own SQLite database; triggers of the database count what n8n writes.
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { N8n, Workflow } from '../support/n8n/n8n.mts';
import type { Runtime, Say } from '../support/n8n/runtime.mts';
import { run } from '../support/processes.mts';
import { table } from '../support/table.mts';
import { ITEMS, measure, ON_THE_WAY, ROUNDS, thisNode } from './batch.mts';
import { cpuSeconds } from './costs.mts';
import { median, ratio } from './figures.mts';

/** A node whose list is full. */
interface Case {
	name: string;
	/** 'History Size'; without it there is no 'Send Once Per' */
	remembered?: number;
	/** how many entries of earlier executions the list holds */
	entries: number;
}

const remembering = (remembered: number): Case => ({
	name: remembered.toLocaleString('en'),
	remembered,
	entries: remembered,
});
const CASES: readonly Case[] = [
	{ name: 'without the option, first batch', entries: 0 },
	// The node keeps as many without the option.
	{ name: 'without the option, after many batches', entries: 4000 },
	...[1000, 10_000, 100_000].map(remembering),
];

/**
 * Runs statements in the database of a running n8n, by the SQLite in n8n's own Node.js. Returns the last one's first row.
 *
 * @param values for the question marks; with an `@`, the content of a file
 */
async function sql(runtime: Runtime, { userFolder }: N8n, statements: string, ...values: string[]) {
	const script = `
		const { DatabaseSync } = require('node:sqlite');
		const [file, statements, ...values] = process.argv.slice(1);
		const database = new DatabaseSync(file);
		database.exec('PRAGMA busy_timeout = 10000');
		const read = (value) => (value.startsWith('@') ? require('node:fs').readFileSync(value.slice(1), 'utf8') : value);
		for (const one of statements.split(';;'))
			var row = database.prepare(one).get(...(one.includes('?') ? values.map(read) : []));
		console.log(JSON.stringify(row ?? {}));`;
	const file = join(userFolder, '.n8n/database.sqlite');
	const printed = await run(runtime.node, ['--no-warnings', '-e', script, file, statements, ...values]);
	return JSON.parse(printed) as Record<string, number>;
}

const COUNTING = ['insert', 'update']
	.map(
		(event) => `create trigger bench_${event} after ${event} on processed_data begin
			update bench set writes = writes + 1, bytes = bytes + length(new.value); end`,
	)
	.join(';;');

/** Fills the list of a workflow's action up, as its earlier executions would have. */
async function fill(runtime: Runtime, n8n: N8n, { id }: Workflow, entries: number): Promise<void> {
	if (entries === 0) return;
	const hash = (text: string) => createHash('md5').update(text).digest('base64');
	const data = Array.from({ length: entries }, (_, i) => hash(`earlier ${i}`));
	// 100,000 entries are too long for an argument of a program.
	const file = join(n8n.userFolder, `entries-${entries}.json`);
	await writeFile(file, JSON.stringify({ mode: 'entries', data }));
	await sql(
		runtime,
		n8n,
		'insert into processed_data ("workflowId", context, value) values (?, ?, ?)',
		id,
		'n:Sobot',
		`@${file}`,
	);
}

interface Cost {
	ofTheLimit: number;
	cpu: number;
	writes: number;
	kilobytes: number;
}

async function costOf(runtime: Runtime, n8n: N8n, { name, remembered, entries }: Case): Promise<Cost> {
	const options = remembered === undefined ? {} : { sendOncePer: 'spring', historySize: remembered };
	let cpuBefore = 0;
	const seen = await measure(n8n, { onTheWay: ON_THE_WAY }, async (credentials) => {
		const workflow = await thisNode(n8n, credentials, ITEMS, options);
		await fill(runtime, n8n, workflow, entries);
		await sql(runtime, n8n, 'update bench set writes = 0, bytes = 0');
		cpuBefore = await cpuSeconds(n8n.pid);
		return workflow;
	});
	const cpu = (await cpuSeconds(n8n.pid)) - cpuBefore;
	const { writes = 0, bytes = 0 } = await sql(runtime, n8n, 'select writes, bytes from bench');
	if (seen.accepted !== ITEMS || seen.twice > 0)
		throw new Error(`Remembered customers: ${name}: ${JSON.stringify(seen)}`);
	const seconds = ITEMS / seen.perSecond;
	return {
		ofTheLimit: seen.perSecond / 50,
		cpu,
		writes: writes / seconds,
		kilobytes: bytes / seconds / 1000,
	};
}

export async function keyCosts(n8n: N8n, runtime: Runtime, say: Say): Promise<string> {
	if (process.platform !== 'linux') return 'CPU time is measured on Linux only.';
	await sql(runtime, n8n, `create table bench as select 0 as writes, 0 as bytes;;${COUNTING}`);
	const costs = new Map<Case, Cost[]>(CASES.map((one) => [one, []]));
	for (let round = 1; round <= ROUNDS; round++) {
		for (const [one, list] of costs) {
			say(`  remembered customers: ${one.name}, ${round} of ${ROUNDS} ...`);
			list.push(await costOf(runtime, n8n, one));
		}
	}
	return table(
		[
			'Remembered customers',
			'Share of the limit, median (worst)',
			'Writes a second',
			'kB a second',
			'CPU seconds for 1,000 customers',
		],
		[...costs].map(([{ name }, list]) => {
			const of = (pick: (cost: Cost) => number) => median(list.map(pick));
			const worst = Math.min(...list.map(({ ofTheLimit }) => ofTheLimit));
			return [
				name,
				`${ratio(of(({ ofTheLimit }) => ofTheLimit))} (${ratio(worst)})`,
				of(({ writes }) => writes).toFixed(1),
				of(({ kilobytes }) => kilobytes).toFixed(0),
				of(({ cpu }) => cpu).toFixed(1),
			];
		}),
	);
}
