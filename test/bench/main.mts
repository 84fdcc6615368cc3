// `npm run bench`: the package against what a user would use instead, in one run. Prints its tables and writes them, with
// the machine and versions, to docs/benchmarks.md, and the picture of the rates to docs/rates.svg.
// `npm run bench -- limit costs` runs only what is named, and writes nothing, but for `cost` and `long`: with WRITE_FIGURES=1
// they write their own tables.
import { readFile, writeFile } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { N8n } from '../support/n8n/n8n.mts';
import { packPackage } from '../support/n8n/n8nProcess.mts';
import { fetchRuntime, type Runtime } from '../support/n8n/runtime.mts';
import { runProgram } from '../support/processes.mts';
import { customerCosts } from './cost.mts';
import { costs } from './costs.mts';
import { simulateCrowds } from './crowds.mts';
import { atTheLimit, severalProcesses, withOthers } from './limit.mts';
import { keyCosts } from './keys.mts';
import { longRuns } from './longRun.mts';
import { LEGACY_TURNS, manyPushes, pushRates, TURNS } from './pushes.mts';
import { ITEMS, ON_THE_WAY, ROUNDS } from './batch.mts';

const say = (line: string) => console.log(line);

interface Subject {
	n8n: N8n;
	runtime: Runtime;
	tarball: string;
}

const way = `${ON_THE_WAY.minMs}-${ON_THE_WAY.maxMs} ms`;

/** Each part of the benchmark, as a section of the page. */
const PARTS: Record<string, (subject: Subject) => Promise<string>> = {
	limit: async ({ n8n }) => `## At Sobot's limit

${ITEMS} customers, a fresh credential, ${way} on the way to the sandbox before it counts a call, in a real n8n. Of ${ROUNDS} runs, the share of the limit is the median, with the worst in brackets; all other figures are the worst.

${await atTheLimit(n8n, say)}

${await withOthers(n8n, say)}`,

	processes: async () => `## Several processes

Plain Node.js processes that drive the package's own code, started together with ${ITEMS} items each.

${await severalProcesses(say)}`,

	costs: async ({ n8n, runtime, tarball }) => `## Cost

${ITEMS} items against a sandbox without a limit, median of ${ROUNDS} interleaved runs. This node still keeps to 50 a second and so runs for 20 s; the HTTP Request node sends all at once. Memory is measured after a garbage collection in n8n: the maximum of all samples during a run, minus the memory before it.

${await costs(n8n, runtime, tarball, say)}`,
	keys: async ({ n8n, runtime }) => `## Send Once Per

${ITEMS} customers, ${way} on the way, in a real n8n with SQLite, whose list of remembered customers is full; medians of ${ROUNDS} interleaved runs. n8n keeps the customers of a node in one list (27 bytes for each) and writes all of it each time. More customers do not cause more writes, but longer ones. Without the option, the list holds 4,000 entries, or more than twice the customers of a large batch, for Retry after a crash.

${await keyCosts(n8n, runtime, say)}

So let a node remember as many customers as its campaign has, and not many more. The default of 10,000 costs little. With 100,000, the writes take so long that they slow the node down. Split a longer list (for example by the last digit of the customer's ID) among several Sobot Rule Engine nodes, each of which remembers its own part.`,

	pushes: async ({ runtime, tarball }) => `## Pushes

This package's trigger is compared with an empty trigger of another package, which does nothing but answer (test/bench/empty-trigger), and with n8n's own Webhook node with the same answer. They take turns in one n8n; the load comes from the same machine. Each has ${TURNS} turns at each load, of which the slowest and the fastest tenth are left out. Two operations are expensive in n8n itself: reading a credential, and saving a trigger's static data for each push. Triggers that need them are compared only with triggers that do the same.

${await pushRates(runtime, tarball, undefined, say)}

The same with \`N8N_EXPRESSION_ENGINE=legacy\`, ${LEGACY_TURNS} turns. Otherwise n8n starts an isolated V8 for each push to any trigger but its own.

${await pushRates(runtime, tarball, 'legacy', say)}

Ten thousand pushes in a row, 64 at once, with \`N8N_EXPRESSION_ENGINE=legacy\`. Memory is measured after a garbage collection in n8n.

${await manyPushes(runtime, tarball, say)}`,
};

/** What customers cost, and the longest batches. They write their tables themselves, so that they can be measured alone. */
const ALONE = ['cost', 'long'];
/** The simulation, which needs no n8n. */
const CROWDS = 'crowds';

/** The sections about them, as their own runs have written them. */
function writtenAlone(page: string): string {
	return page
		.slice(page.indexOf('## What customers cost'), page.indexOf('## The adaptive rate limiter'))
		.trim();
}

const named = process.argv.slice(2);
const chosen = named.length > 0 ? named : Object.keys(PARTS);

await runProgram(async () => {
	const unknown = named.filter((name) => name !== CROWDS && !ALONE.includes(name) && !(name in PARTS));
	if (unknown.length > 0) {
		const names = [...Object.keys(PARTS), ...ALONE, CROWDS].join(', ');
		throw new Error(`There is no ${unknown.join(', ')}: choose among ${names}.`);
	}
	if (named.includes(CROWDS)) say((await simulateCrowds()).text);
	if (named.every((name) => name === CROWDS) && named.length > 0) return 0;
	const runtime = await fetchRuntime(undefined, say);
	say('Packing this package as it is published ...');
	const tarball = await packPackage();
	say('Starting n8n ...');
	const n8n = await N8n.start({ runtime, tarball, isWhole: true });

	if (named.includes('cost')) await customerCosts(n8n, runtime, tarball, say);
	if (named.includes('long')) await longRuns(runtime, tarball, say);
	const sections: string[] = [];
	for (const [name, measurePart] of Object.entries(PARTS)) {
		if (!chosen.includes(name)) continue;
		say(`=== ${name}`);
		const section = await measurePart({ n8n, runtime, tarball });
		say(`\n${section}\n`);
		sections.push(section);
	}
	if (named.length > 0) return 0;

	say('=== the adaptive rate limiter, simulated');
	const crowds = await simulateCrowds();
	const cpu = cpus()[0]?.model.trim() ?? 'unknown CPU';
	const text = `<!-- Written by \`npm run bench\`. -->

# Benchmarks

${new Date().toISOString().slice(0, 10)}, ${cpus().length} cores of ${cpu}, ${Math.round(totalmem() / 2 ** 30)} GB, ${process.platform} ${release()}, n8n ${runtime.version} on Node.js 24, everything in one run on one machine. The sandbox of this repository stands in for Sobot: it accepts at most 50 calls in any one second for a trigger ID, counted where they arrive. "Share of the limit" is measured from the first to the last accepted call.

${sections.join('\n\n')}

${writtenAlone(await readFile(join('docs', 'benchmarks.md'), 'utf8'))}

## The adaptive rate limiter, simulated

${crowds.text}

![Rates of four processes, of which one joins late and one leaves early](rates.svg)
`;
	await writeFile(join('docs', 'benchmarks.md'), text);
	await writeFile(join('docs', 'rates.svg'), crowds.svg);
	say(`\n${crowds.text}\n\nWritten to docs/benchmarks.md and docs/rates.svg.`);
	return 0;
});
