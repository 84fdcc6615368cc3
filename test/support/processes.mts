// Programs that start programs. However they end, by an error or Ctrl-C at any moment, they leave no process behind.
import { appendFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';

/** Names the file in which a program lists the processes it starts, for the program that ends it: Jest cannot clean up. */
export const LIST_OF_PROCESSES = 'LIST_OF_PROCESSES';

const children = new Set<ChildProcess>();
let isEnding = false;

/** Starts a process in its own process group, so that it can be ended together with its children. */
export function startProcess(command: string, args: string[], options: SpawnOptions): ChildProcess {
	if (isEnding) throw new Error('Ending: nothing new is started.');
	const child = spawn(command, args, { ...options, detached: true });
	children.add(child);
	const list = process.env[LIST_OF_PROCESSES];
	if (list) appendFileSync(list, `+${child.pid}\n`);
	child.once('exit', () => {
		children.delete(child);
		if (list) appendFileSync(list, `-${child.pid}\n`);
	});
	child.once('error', () => children.delete(child));
	return child;
}

/** Ends a process and its children: SIGTERM first, SIGKILL after `graceMs`. */
export async function endProcess(
	child: ChildProcess,
	graceMs = 20_000,
	signal: NodeJS.Signals = 'SIGTERM',
): Promise<void> {
	if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
	const ended = new Promise((resolve) => child.once('exit', resolve));
	signalGroup(child, signal);
	const insisting = setTimeout(() => signalGroup(child, 'SIGKILL'), graceMs);
	await ended;
	clearTimeout(insisting);
}

/** Ends the processes in a list that are still running. */
export async function endListed(list: string): Promise<void> {
	const text = await readFile(list, 'utf8').catch(() => '');
	for (const [, pid] of text.matchAll(/^\+(\d+)$/gm)) {
		if (!text.includes(`\n-${pid}\n`)) signalGroup({ pid: Number(pid) }, 'SIGKILL');
	}
}

function signalGroup({ pid }: Pick<ChildProcess, 'pid'>, signal: NodeJS.Signals): void {
	try {
		if (pid !== undefined) process.kill(-pid, signal);
	} catch {
		// It has already ended.
	}
}

/** Runs a command to its end. Returns what it printed; throws with the tail of it. */
export async function run(
	command: string,
	args: string[],
	cwd = process.cwd(),
	env: NodeJS.ProcessEnv = {},
): Promise<string> {
	const child = startProcess(command, args, {
		cwd,
		env: { ...process.env, ...env },
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	let printed = '';
	for (const stream of [child.stdout, child.stderr])
		stream?.on('data', (chunk) => (printed += String(chunk)));
	const code = await exitCode(child);
	if (code !== 0)
		throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${printed.slice(-3000)}`);
	return printed;
}

/** Runs a command that prints for itself. Returns its exit code. */
export async function show(command: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<number> {
	return await exitCode(
		startProcess(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'inherit', 'inherit'] }),
	);
}

async function exitCode(child: ChildProcess): Promise<number> {
	return await new Promise((resolve, reject) => {
		child.once('error', reject);
		child.once('close', (code) => resolve(code ?? 1));
	});
}

/** Registers work to do before the program exits. */
export type CleanUp = (step: () => Promise<void>) => void;

/**
 * Runs a program, and exits with the code that it returns, or with 1 and its error. What it registers is cleaned up
 * in reverse order and its processes are ended, also if a signal comes first.
 *
 * @param program is given the signal that tells it to end
 */
export async function runProgram(
	program: (cleanUp: CleanUp, ended: AbortSignal) => Promise<number>,
): Promise<never> {
	const steps: Array<() => Promise<void>> = [];
	const ending = new AbortController();
	const signalled = new Promise<number>((resolve) => {
		for (const [signal, code] of [
			['SIGINT', 130],
			['SIGTERM', 143],
			['SIGHUP', 129],
		] as const) {
			process.on(signal, () => {
				if (isEnding) return;
				isEnding = true;
				console.log('\nEnding; this takes a few seconds ...');
				ending.abort();
				resolve(code);
			});
		}
	});
	const running = program((step) => steps.push(step), ending.signal).catch((error: unknown) => {
		if (!isEnding) console.error(error instanceof Error ? error.message : error);
		return 1;
	});
	const code = await Promise.race([running, signalled]);
	isEnding = true;
	for (const step of steps.reverse()) {
		await step().catch((error: unknown) => console.error(error instanceof Error ? error.message : error));
	}
	await Promise.all([...children].map(async (child) => await endProcess(child)));
	// Without its processes, the program's pending work has failed, and the program has cleaned up after it.
	await running;
	process.exit(code);
}
