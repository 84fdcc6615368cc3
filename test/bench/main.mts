// `npm run bench`: the action at Sobot's limit, against what a user would use instead, in one run. Prints its tables and
// writes them, with the machine and versions, to docs/benchmarks.md, and the picture of the adaptive pace to docs/pace.svg.
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { actionWorkflow, chain, httpRequestNode, node } from '../e2e/underTest.mts';
import { createCredentials, type Credentials } from '../n8n/examples.mts';
import { N8n, packPackage, type Workflow } from '../n8n/n8n.mts';
import { fetchRuntime } from '../n8n/runtime.mts';
import { runProgram, startProcess } from '../processes.mts';
import type { Misbehaviour, Span } from '../sandbox/misbehaviour.mts';
import { DEMO_CANVAS, Sandbox, type TriggerRecord } from '../sandbox/server.mts';
import type { Assignment } from './process.mts';
import { simulateCrowds } from './crowds.mts';

const ON_THE_WAY: Span = { minMs: 20, maxMs: 50 };
const AT_WORK: Span = { minMs: 600, maxMs: 1200 };
const ITEMS = 1000;

const say = (line: string) => console.log(line);

/** What the sandbox saw of a run. */
interface Seen {
	accepted: number;
	twice: number;
	refusedShare: number;
	tokens: number;
	/** accepted calls a second, from the first to the last of them */
	perSecond: number;
}

function seenBy(sandbox: Sandbox): Seen {
	const calls = sandbox.triggerCalls.filter(({ triggerId }) => triggerId !== '');
	const { accepted } = sandbox;
	const times = accepted.map(({ arrivedAtMs }) => arrivedAtMs);
	const seconds = (Math.max(...times) - Math.min(...times)) / 1000;
	return {
		accepted: accepted.length,
		twice: accepted.length - new Set(accepted.map(({ contactId }) => contactId)).size,
		refusedShare: calls.filter(({ code }) => code !== '000000').length / calls.length,
		tokens: sandbox.tokenCalls.length,
		perSecond: (accepted.length - 1) / seconds,
	};
}

function ratio(value: number): string {
	return value.toFixed(3);
}

function percent(share: number): string {
	return `${(share * 100).toFixed(1)} %`;
}

function table(head: string[], rows: string[][]): string {
	const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
	return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const customers = Array.from({ length: ITEMS }, (_, i) => ({ id: `c-${i}`, name: `Customer ${i}` }));

async function thisNode(n8n: N8n, credentials: Credentials, count = ITEMS): Promise<Workflow> {
	const parameters = { contactId: '={{ $json.id }}', nick: '={{ $json.name }}' };
	return await actionWorkflow(n8n, credentials, customers.slice(0, count), parameters, {
		onError: 'continueRegularOutput',
	});
}

/** n8n's HTTP Request node as well as it can be set for Sobot: the token from the credential, 50 items each second. */
async function httpRequestWorkflow(
	n8n: N8n,
	credentials: Credentials,
	sandbox: Sandbox,
	batching = true,
): Promise<Workflow> {
	const jsonBody = '={{ JSON.stringify({ Contact_id: $json.id, nick: $json.name }) }}';
	const options = batching ? { batching: { batch: { batchSize: 50, batchInterval: 1000 } } } : {};
	return await n8n.createWorkflow({
		name: 'HTTP Request node',
		nodes: [
			node('By hand', 'n8n-nodes-base.manualTrigger', 1, {}),
			node('List', 'n8n-nodes-base.set', 3.4, {
				mode: 'raw',
				jsonOutput: JSON.stringify({ list: customers }),
			}),
			node('Items', 'n8n-nodes-base.splitOut', 1, { fieldToSplitOut: 'list' }),
			{ ...httpRequestNode(sandbox, credentials, jsonBody, options), onError: 'continueRegularOutput' },
		],
		connections: chain('By hand', 'List', 'Items', 'HTTP'),
	});
}

/** A run in n8n against a sandbox of its own, with a fresh credential. */
async function measure(
	n8n: N8n,
	misbehaviour: Partial<Misbehaviour>,
	make: (credentials: Credentials, sandbox: Sandbox) => Promise<Workflow>,
	callsPerSecond = 50,
): Promise<Seen & { calls: TriggerRecord[] }> {
	const sandbox = await Sandbox.start();
	try {
		sandbox.canvas().callsPerSecond = callsPerSecond;
		const credentials = await createCredentials(n8n, sandbox);
		const workflow = await make(credentials, sandbox);
		sandbox.misbehave({ on: 'trigger', ...misbehaviour });
		await n8n.execute(workflow, 2000);
		return { ...seenBy(sandbox), calls: sandbox.triggerCalls };
	} finally {
		await sandbox.close();
	}
}

async function atTheLimit(n8n: N8n): Promise<string> {
	const rows: string[][] = [];
	for (const [what, more] of [
		['(a) no work', {}],
		['(b) 0.6-1.2 s of work', { atWork: AT_WORK }],
	] as const) {
		for (const [who, make] of [
			['this node', async (c: Credentials) => await thisNode(n8n, c)],
			[
				'HTTP Request node, 50 each second',
				async (c: Credentials, s: Sandbox) => await httpRequestWorkflow(n8n, c, s),
			],
		] as const) {
			say(`  ${what}: ${who} ...`);
			const seen = await measure(n8n, { onTheWay: ON_THE_WAY, ...more }, make);
			rows.push([
				what,
				who,
				`${seen.accepted} of ${ITEMS}`,
				`${seen.twice}`,
				ratio(seen.perSecond / 50),
				percent(seen.refusedShare),
				`${seen.tokens}`,
			]);
		}
	}
	return table(
		['Sobot', 'Who', 'Accepted', 'Twice', 'Of the limit', 'Calls refused', 'Token requests'],
		rows,
	);
}

async function withOthers(n8n: N8n): Promise<string> {
	const left = 20;
	const count = 600;
	say(`  ${left} a second left by others ...`);
	const seen = await measure(n8n, { onTheWay: ON_THE_WAY }, async (c) => await thisNode(n8n, c, count), left);
	return table(
		['Left by others', 'Accepted', 'Twice', 'Of what is left', 'Calls refused'],
		[
			[
				`${left} a second`,
				`${seen.accepted} of ${count}`,
				`${seen.twice}`,
				ratio(seen.perSecond / left),
				percent(seen.refusedShare),
			],
		],
	);
}

async function severalProcesses(): Promise<string> {
	const rows: string[][] = [];
	for (const count of [2, 4]) {
		say(`  ${count} processes, ${ITEMS} items each; this takes ${count * 21} s ...`);
		const sandbox = await Sandbox.start();
		try {
			const value = sandbox.account.renewToken(Date.now());
			const token = { value, fetchedAtMs: Date.now(), expiresAtMs: Date.now() + 86_400_000 };
			sandbox.misbehave({ on: 'trigger', onTheWay: ON_THE_WAY });
			const { triggerId, secret } = DEMO_CANVAS;
			const workers = Array.from({ length: count }, (_, i) => {
				const assignment: Assignment = {
					name: `p${i}`,
					items: ITEMS,
					baseUrl: sandbox.url,
					triggerId,
					secret,
					token,
				};
				const child = startProcess(
					'node',
					['--import', 'tsx', join('test', 'bench', 'process.mts'), JSON.stringify(assignment)],
					{
						stdio: ['pipe', 'pipe', 'inherit'],
					},
				);
				if (!child.stdout) throw new Error('The process has no output.');
				return { child, lines: createInterface(child.stdout)[Symbol.asyncIterator]() };
			});
			await Promise.all(workers.map(async ({ lines }) => await lines.next()));
			for (const { child } of workers) child.stdin?.end('start\n');
			const outcomes = await Promise.all(
				workers.map(async ({ lines }) => JSON.parse(String((await lines.next()).value)) as string[]),
			);
			await Promise.all(workers.map(async ({ child }) => child.exitCode ?? (await once(child, 'exit'))));
			const { accepted } = sandbox;
			// Fair shares are compared only while all of them have something to send.
			const lastOf = (i: number) =>
				Math.max(
					...accepted
						.filter(({ contactId }) => contactId.startsWith(`p${i}-`))
						.map(({ arrivedAtMs }) => arrivedAtMs),
				);
			const allBusyUntilMs = Math.min(...workers.map((_, i) => lastOf(i)));
			const busy = accepted.filter(({ arrivedAtMs }) => arrivedAtMs <= allBusyUntilMs);
			const least = Math.min(
				...workers.map((_, i) => busy.filter(({ contactId }) => contactId.startsWith(`p${i}-`)).length),
			);
			const seen = seenBy(sandbox);
			const together =
				(busy.length - 1) /
				((allBusyUntilMs - Math.min(...busy.map(({ arrivedAtMs }) => arrivedAtMs))) / 1000);
			const reported = outcomes.flat().filter((outcome) => outcome === 'accepted').length;
			rows.push([
				`${count}`,
				`${seen.accepted} of ${count * ITEMS}`,
				`${reported}`,
				`${seen.twice}`,
				ratio(together / 50),
				ratio(seen.perSecond / 50),
				percent(seen.refusedShare),
				ratio(least / (busy.length / count)),
			]);
		} finally {
			await sandbox.close();
		}
	}
	return table(
		[
			'Processes',
			'Accepted',
			'Reported as accepted',
			'Twice',
			'Of the limit together, while all send',
			'Until the last is done',
			'Calls refused',
			'Least share, of an even one',
		],
		rows,
	);
}

/** CPU seconds of a process and the memory that it holds, from Linux's /proc. */
async function usage(pid: number): Promise<{ cpuSeconds: number; megabytes: number }> {
	const stat = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ');
	const status = await readFile(`/proc/${pid}/status`, 'utf8');
	const ticksPerSecond = 100;
	return {
		cpuSeconds: (Number(stat[11]) + Number(stat[12])) / ticksPerSecond,
		megabytes: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024,
	};
}

async function costs(n8n: N8n): Promise<string> {
	if (process.platform !== 'linux') return 'CPU time and memory are measured on Linux only.';
	say('  CPU time and memory ...');
	const idleFrom = await usage(n8n.pid);
	await sleep(10_000);
	const idlePerSecond = ((await usage(n8n.pid)).cpuSeconds - idleFrom.cpuSeconds) / 10;
	const runs: Record<string, { cpu: number[]; net: number[]; grown: number[] }> = {};
	for (let round = 0; round < 3; round++) {
		for (const [who, make] of [
			['this node', async (c: Credentials) => await thisNode(n8n, c)],
			[
				'HTTP Request node',
				async (c: Credentials, s: Sandbox) => await httpRequestWorkflow(n8n, c, s, false),
			],
		] as const) {
			const before = await usage(n8n.pid);
			const startedMs = Date.now();
			let most = 0;
			const watching = setInterval(
				() => void usage(n8n.pid).then(({ megabytes }) => (most = Math.max(most, megabytes))),
				100,
			);
			await measure(n8n, {}, make, 1e6);
			clearInterval(watching);
			const cpu = (await usage(n8n.pid)).cpuSeconds - before.cpuSeconds;
			const run = (runs[who] ??= { cpu: [], net: [], grown: [] });
			run.cpu.push(cpu);
			run.net.push(cpu - (idlePerSecond * (Date.now() - startedMs)) / 1000);
			run.grown.push(Math.max(0, most - before.megabytes));
		}
	}
	const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
	return table(
		['Who', 'CPU seconds for 1,000 items', 'beyond an idle n8n', 'Memory grown by at most'],
		Object.entries(runs).map(([who, { cpu, net, grown }]) => [
			who,
			median(cpu).toFixed(2),
			median(net).toFixed(2),
			`${median(grown).toFixed(0)} MB`,
		]),
	);
}

await runProgram(async (cleanUp) => {
	const runtime = await fetchRuntime(undefined, say);
	say('Packing this package as it is published ...');
	const tarball = await packPackage();
	cleanUp(async () => await rm(dirname(tarball), { recursive: true, force: true }));
	say('Starting n8n ...');
	const n8n = await N8n.start({ runtime, tarball });
	cleanUp(async () => await n8n.stop());

	say(`At the limit: ${ITEMS} items, ${ON_THE_WAY.minMs}-${ON_THE_WAY.maxMs} ms on the way`);
	const limit = await atTheLimit(n8n);
	const others = await withOthers(n8n);
	say('Several processes that share one trigger ID');
	const processes = await severalProcesses();
	const cost = await costs(n8n);
	say('The adaptive pace of 1 to 64 processes, simulated ...');
	const crowds = simulateCrowds();

	const cpu = cpus()[0]?.model.trim() ?? 'unknown CPU';
	const text = `<!-- Written by \`npm run bench\`. -->

# Benchmarks

${new Date().toISOString().slice(0, 10)}, ${cpus().length} cores of ${cpu}, ${Math.round(totalmem() / 2 ** 30)} GB, ${process.platform} ${release()}, n8n ${runtime.version} on Node.js 24, everything in one run on one machine. The judge is the sandbox of this repository: at most 50 calls in any one second for a trigger ID, counted where they arrive. "Of the limit" is from the first to the last accepted call.

## At Sobot's limit

${ITEMS} customers, a fresh credential, ${ON_THE_WAY.minMs}-${ON_THE_WAY.maxMs} ms on the way to the sandbox before it counts a call, in a real n8n.

${limit}

${others}

## Several processes

Plain Node.js processes that drive the package's own code, started together with ${ITEMS} items each.

${processes}

## Cost

${ITEMS} items against a sandbox without a limit, median of 3 interleaved runs. This node still keeps to 50 a second and so runs for 20 s; the HTTP Request node sends all at once.

${cost}

## The adaptive pace, simulated

${crowds.text}

![Rates of four processes, of which one joins late and one leaves early](pace.svg)
`;
	await writeFile(join('docs', 'benchmarks.md'), text);
	await writeFile(join('docs', 'pace.svg'), crowds.svg);
	say(`\n${text}\nWritten to docs/benchmarks.md and docs/pace.svg.`);
	return 0;
});
