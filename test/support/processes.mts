// Programs that start programs. However they end, by an error or Ctrl-C at any moment, they leave no process behind.
// Not with execa: it ends a process, but not that process's children.
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/**
 * Names the files in which processes are listed, one for each program that ends them: tests cannot, since Jest does not tell
 * them that it ends, and whoever is killed cannot either.
 */
const LISTS = 'LISTS_OF_PROCESSES';

const listsInUse = () => process.env[LISTS]?.split(delimiter) ?? [];

/**
 * Sees to it that nothing is left of this program when it ends, however it ends: no process that it, its tests or its programs
 * have started, and no temporary file. For that, all of them have a temporary folder of their own.
 */
export function leaveNothingBehind(): void {
	const outer = listsInUse();
	const isOutermost = outer.length === 0;
	if (isOutermost) {
		process.env.TMPDIR = mkdtempSync(join(tmpdir(), 'sobot-'));
		// PostgreSQL runs as another user, and has its data in there.
		chmodSync(tmpdir(), 0o755);
	}
	const [folder, list] = [tmpdir(), join(tmpdir(), `processes-${process.pid}`)];
	appendFileSync(list, '');
	process.env[LISTS] = [...outer, list].join(delimiter);
	process.once('exit', () => {
		endListed(list);
		if (isOutermost) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
	});
	for (const [signal, number] of [
		['SIGHUP', 1],
		['SIGINT', 2],
		['SIGTERM', 15],
	] as const)
		process.once(signal, () => process.exit(128 + number));
}

function endListed(list: string): void {
	const text = readFileSync(list, 'utf8');
	for (const [, pid] of text.matchAll(/^\+(\d+)$/gm)) {
		if (!text.includes(`\n-${pid}\n`)) signalGroup({ pid: Number(pid) }, 'SIGKILL');
	}
}

/** Starts a process in its own process group, so that it can be ended together with its children. */
export function startProcess(
	command: string,
	args: readonly string[],
	options: SpawnOptions = {},
): ChildProcess {
	const lists = listsInUse();
	const note = (line: string) => lists.forEach((list) => appendFileSync(list, line));
	// Throws if the program that would end it has itself ended.
	note('');
	const child = spawn(command, args, { ...options, detached: true });
	note(`+${child.pid}\n`);
	child.once('exit', () => note(`-${child.pid}\n`));
	return child;
}

/** Ends a process and its children: SIGTERM first, SIGKILL after `graceMs`. */
export async function endProcess(
	child: ChildProcess,
	graceMs = 20_000,
	signal: NodeJS.Signals = 'SIGTERM',
): Promise<void> {
	if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
	signalGroup(child, signal);
	const insisting = setTimeout(signalGroup, graceMs, child, 'SIGKILL');
	await once(child, 'exit');
	clearTimeout(insisting);
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
	args: readonly string[],
	cwd?: string,
	env: NodeJS.ProcessEnv = {},
): Promise<string> {
	const options: SpawnOptions = { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] };
	return await printedBy(startProcess(command, args, options), `${command} ${args.join(' ')}`);
}

/** What a process prints until its end. Throws if it fails. */
export async function printedBy(child: ChildProcess, name: string): Promise<string> {
	let printed = '';
	for (const stream of [child.stdout, child.stderr])
		stream?.on('data', (chunk) => (printed += String(chunk)));
	const code = await codeOf(child);
	if (code !== 0) throw new Error(`${name} ended with ${code}:\n${printed.slice(-3000)}`);
	return printed;
}

/** Runs a command that prints for itself. Returns its exit code. */
export async function show(
	command: string,
	args: readonly string[],
	env: NodeJS.ProcessEnv = {},
): Promise<number> {
	return await codeOf(
		startProcess(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'inherit', 'inherit'] }),
	);
}

async function codeOf(child: ChildProcess): Promise<number> {
	const [code] = (await once(child, 'close')) as [number | null];
	return code ?? 1;
}

/** Runs a program, and exits with the code that it returns, or with 1 and its error. Nothing is left of it. */
export async function runProgram(program: () => Promise<number>): Promise<never> {
	leaveNothingBehind();
	const code = await program().catch((error: unknown) => {
		console.error(error instanceof Error ? error.message : error);
		return 1;
	});
	process.exit(code);
}
