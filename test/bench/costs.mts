// The cost of a batch: CPU time and memory in a real n8n, for this node and for the HTTP Request node.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Credentials } from '../support/credentials.mts';
import { N8n } from '../support/n8n/n8n.mts';
import type { Runtime, Say } from '../support/n8n/runtime.mts';
import type { Sandbox } from '../sandbox/server.mts';
import { until } from '../support/until.mts';
import { httpRequestWorkflow, measure, ROUNDS, thisNode } from './batch.mts';
import { table } from '../support/table.mts';
import { median } from './figures.mts';

/** CPU seconds that a process has used, from Linux's /proc. */
export async function cpuSeconds(pid: number): Promise<number> {
	const stat = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ');
	const ticksPerSecond = 100;
	return (Number(stat[11]) + Number(stat[12])) / ticksPerSecond;
}

/** Has `peakMegabytes` count from now on. Source: Linux, proc_pid_clear_refs. */
export async function forgetPeak({ pid }: N8n): Promise<void> {
	await writeFile(`/proc/${pid}/clear_refs`, '5');
}

/** The largest resident memory of an n8n. */
export async function peakMegabytes({ pid }: N8n): Promise<number> {
	return Number(/VmHWM:\s*(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

/** What an n8n tells of itself. */
interface Probe {
	/** bytes still in use after its garbage was collected */
	liveBytes: number;
	/** the longest time that its event loop was blocked since the last probe */
	longestBlockMs: number;
}

/** The environment of an n8n that writes to `file` what `probe` reads. */
export function probing(file: string): NodeJS.ProcessEnv {
	return { NODE_OPTIONS: `--require ${resolve('test/bench/probe.cjs')}`, PROBE_FILE: file };
}

/** What an n8n tells of itself now. */
export async function probe(n8n: N8n, file: string): Promise<Probe> {
	await rm(file, { force: true });
	process.kill(n8n.pid, 'SIGUSR2');
	let text = '';
	const read = async () => (text = await readFile(file, 'utf8').catch(() => '')) !== '';
	await until('the probe', read, 60_000);
	return JSON.parse(text) as Probe;
}

/** Megabytes that are still in use in an n8n after its garbage was collected. */
export async function liveMegabytes(n8n: N8n, file: string): Promise<number> {
	return (await probe(n8n, file)).liveBytes / 2 ** 20;
}

const forCosts = (n8n: N8n) =>
	[
		['this node', async (c: Credentials) => await thisNode(n8n, c)],
		['HTTP Request node', async (c: Credentials, s: Sandbox) => await httpRequestWorkflow(n8n, c, s, false)],
	] as const;

async function cpuTimes(n8n: N8n, say: Say): Promise<Record<string, { used: number; net: number }>> {
	say('  CPU time ...');
	const idleFrom = await cpuSeconds(n8n.pid);
	await sleep(10_000);
	const idlePerSecond = ((await cpuSeconds(n8n.pid)) - idleFrom) / 10;
	const runs: Record<string, { used: number; net: number }[]> = {};
	for (let round = 0; round < ROUNDS; round++) {
		for (const [who, make] of forCosts(n8n)) {
			const before = await cpuSeconds(n8n.pid);
			const startedMs = Date.now();
			await measure(n8n, {}, make, 1e6);
			const used = (await cpuSeconds(n8n.pid)) - before;
			const net = used - (idlePerSecond * (Date.now() - startedMs)) / 1000;
			(runs[who] ??= []).push({ used, net });
		}
	}
	return Object.fromEntries(
		Object.entries(runs).map(([who, list]) => [
			who,
			{ used: median(list.map(({ used }) => used)), net: median(list.map(({ net }) => net)) },
		]),
	);
}

/** The most that was in use at any look during a run, beyond what was in use before it; in megabytes. */
async function memoryHeld(runtime: Runtime, tarball: string, say: Say): Promise<Record<string, number>> {
	say('  Memory ...');
	const folder = await mkdtemp(join(tmpdir(), 'sobot-memory-'));
	const file = join(folder, 'bytes');
	const n8n = await N8n.start({ runtime, tarball, isWhole: true, env: probing(file) });
	try {
		const runs: Record<string, number[]> = {};
		for (let round = 0; round <= ROUNDS; round++) {
			for (const [who, make] of forCosts(n8n)) {
				const before = await liveMegabytes(n8n, file);
				let most = 0;
				let isOver = false;
				const run = measure(n8n, {}, make, 1e6).finally(() => (isOver = true));
				while (!isOver) {
					most = Math.max(most, await liveMegabytes(n8n, file));
					await sleep(100);
				}
				await run;
				// The first round loads and compiles what both need.
				if (round > 0) (runs[who] ??= []).push(most - before);
			}
		}
		say(`    ${JSON.stringify(runs)}`);
		return Object.fromEntries(Object.entries(runs).map(([who, list]) => [who, median(list)]));
	} finally {
		await n8n.stop();
		await rm(folder, { recursive: true, force: true });
	}
}

export async function costs(n8n: N8n, runtime: Runtime, tarball: string, say: Say): Promise<string> {
	if (process.platform !== 'linux') return 'CPU time is measured on Linux only.';
	const cpu = await cpuTimes(n8n, say);
	const held = await memoryHeld(runtime, tarball, say);
	return table(
		['Sent by', 'CPU seconds for 1,000 items', 'More than an idle n8n', 'More memory than before'],
		Object.entries(cpu).map(([who, { used, net }]) => [
			who,
			used.toFixed(2),
			net.toFixed(2),
			`${(held[who] ?? NaN).toFixed(1)} MB`,
		]),
	);
}
