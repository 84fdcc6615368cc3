// One process of n8n: a whole n8n, or in queue mode a main, a webhook processor or a worker.
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../freePort.mts';
import { until } from '../until.mts';
import { endProcess, printedBy, run, startProcess } from '../processes.mts';
import type { Runtime } from './runtime.mts';

export interface ProcessOptions {
	runtime: Runtime;
	/** the packed package; nothing is installed beforehand if left out */
	tarball?: string;
	/** folders of other packages, installed beside it */
	morePackages?: string[];
	/** keeps the user folder of an earlier process, for a restart */
	userFolder?: string;
	port?: number;
	/** n8n's command with its arguments; a whole n8n or the main process if left out */
	command?: readonly [command: string, ...args: string[]];
	env?: NodeJS.ProcessEnv;
	/** with the editor, and with what else no workflow needs */
	isWhole?: boolean;
}

/** Without these parts n8n 2 starts in half the time (7.9 s of CPU instead of 14, measured on 2026-11-30). */
const LEAN = {
	N8N_DISABLE_UI: 'true',
	N8N_DISABLED_MODULES: 'agents,chat-hub,instance-ai,mcp,mcp-registry,workflow-builder',
};

const STARTED_WITHIN_MS = 240_000;
const STOPPED_WITHIN_MS = 20_000;

export class N8nProcess {
	/** all that it printed */
	log = '';

	private constructor(
		readonly options: Required<Pick<ProcessOptions, 'userFolder' | 'port'>> & ProcessOptions,
		private readonly child: ChildProcess,
	) {
		for (const stream of [child.stdout, child.stderr])
			stream?.on('data', (chunk) => (this.log = (this.log + String(chunk)).slice(-1_000_000)));
	}

	/** Tries again where another program has taken a port in the moment since it was found free. */
	static async start(options: ProcessOptions, tries = 3): Promise<N8nProcess> {
		const { command = ['start'], tarball, morePackages = [], runtime } = options;
		const packages = tarball === undefined ? morePackages : [tarball, ...morePackages];
		const userFolder = options.userFolder ?? (await createUserFolder(packages));
		const port = options.port ?? (await freePort());
		// After a crash n8n waits for 10 s before it starts, lest it crashes again and again.
		await rm(join(userFolder, '.n8n/crash.journal'), { force: true });
		const child = startProcess(runtime.node, [runtime.n8n, ...command], {
			env: await environment({ ...options, command, userFolder, port }),
			stdio: ['ignore', 'pipe', 'pipe'],
		});
		const started = new N8nProcess({ ...options, userFolder, port }, child);
		try {
			await until(`n8n ${command[0]} to start`, async () => await started.isReady(), STARTED_WITHIN_MS);
		} catch (error) {
			const isTaken = /already in use|EADDRINUSE/.test(started.log);
			const isPortTaken = isTaken && options.port === undefined && tries > 1;
			await started.stop({ keepUserFolder: isPortTaken });
			if (isPortTaken) return await N8nProcess.start({ ...options, userFolder }, tries - 1);
			throw new Error(`n8n did not start: ${String(error)}\n${started.log.slice(-3000)}`);
		}
		return started;
	}

	/** Runs a command of n8n beside this process, with its database, to its end. Returns what it printed. */
	async runCommand(...command: readonly [string, ...string[]]): Promise<string> {
		const { runtime } = this.options;
		const env = await environment({ ...this.options, command, port: await freePort() });
		const stdio: StdioOptions = ['ignore', 'pipe', 'pipe'];
		const child = startProcess(runtime.node, [runtime.n8n, ...command], { env, stdio });
		return await printedBy(child, `n8n ${command.join(' ')}`);
	}

	get url(): string {
		return `http://127.0.0.1:${this.options.port}`;
	}

	get pid(): number {
		return this.child.pid ?? 0;
	}

	get hasEnded(): boolean {
		return this.child.exitCode !== null || this.child.signalCode !== null;
	}

	/** The same again, on the same port and with the same user folder, after this process has ended. */
	async restart(env = this.options.env): Promise<N8nProcess> {
		await this.stop({ keepUserFolder: true });
		return await N8nProcess.start({ ...this.options, env });
	}

	async stop({ keepUserFolder = false, signal = 'SIGTERM' as NodeJS.Signals } = {}): Promise<void> {
		await endProcess(this.child, STOPPED_WITHIN_MS, signal);
		if (!keepUserFolder) await rm(this.options.userFolder, { recursive: true, force: true, maxRetries: 5 });
	}

	private async isReady(): Promise<boolean> {
		if (this.hasEnded) throw new Error(`n8n ended with ${this.child.exitCode}`);
		// Until this process itself listens, another program may answer on the port: somebody's own n8n.
		if (!/n8n ready on|n8n worker server listening on/.test(this.log)) return false;
		const answer = await fetch(`${this.url}/healthz/readiness`).catch(() => undefined);
		return answer?.ok === true;
	}
}

/** The environment of a process of n8n. */
async function environment({
	runtime,
	userFolder,
	port,
	command,
	env,
	isWhole = false,
}: N8nProcess['options'] & { command: readonly string[] }): Promise<NodeJS.ProcessEnv> {
	return {
		...ownEnvironment(),
		// Jest's value would make n8n behave as in its own tests.
		NODE_ENV: 'production',
		N8N_USER_FOLDER: userFolder,
		N8N_PORT: String(port),
		N8N_LISTEN_ADDRESS: '127.0.0.1',
		N8N_RUNNERS_BROKER_PORT: String(await freePort()),
		N8N_ENCRYPTION_KEY: 'a key for tests only',
		N8N_SECURE_COOKIE: 'false',
		N8N_DIAGNOSTICS_ENABLED: 'false',
		N8N_VERSION_NOTIFICATIONS_ENABLED: 'false',
		N8N_TEMPLATES_ENABLED: 'false',
		N8N_PERSONALIZATION_ENABLED: 'false',
		N8N_UNVERIFIED_PACKAGES_ENABLED: 'true',
		N8N_REINSTALL_MISSING_PACKAGES: 'false',
		N8N_HIRING_BANNER_ENABLED: 'false',
		...(isWhole || runtime.version.startsWith('1.') ? {} : LEAN),
		// A worker listens on no other port.
		...(command[0] === 'worker'
			? { QUEUE_HEALTH_CHECK_ACTIVE: 'true', QUEUE_HEALTH_CHECK_PORT: String(port) }
			: {}),
		...env,
	};
}

/** Builds and packs this package. Returns the path of the tarball, in a new folder. */
export async function packPackage(): Promise<string> {
	await run('npm', ['run', 'build']);
	const folder = await mkdtemp(join(tmpdir(), 'sobot-tarball-'));
	const printed = await run('npm', ['pack', '--json', '--loglevel=error', '--pack-destination', folder]);
	const filename = /"filename":\s*"([^"]+)"/.exec(printed)?.[1];
	if (!filename) throw new Error(`npm pack printed no file name: ${printed}`);
	return join(folder, filename);
}

/** A user folder with packages installed by hand, as the README says: without peer dependencies, which n8n provides. */
async function createUserFolder(packages: string[]): Promise<string> {
	const userFolder = await mkdtemp(join(tmpdir(), 'n8n-sobot-'));
	if (packages.length === 0) return userFolder;
	const nodes = join(userFolder, '.n8n/nodes');
	await mkdir(nodes, { recursive: true });
	await writeFile(join(nodes, 'package.json'), '{ "name": "installed-nodes", "private": true }\n');
	await run(
		'npm',
		[
			'install',
			'--ignore-scripts',
			'--legacy-peer-deps',
			'--no-audit',
			'--no-fund',
			'--install-links',
			...packages,
		],
		nodes,
	);
	return userFolder;
}

/** The environment without settings for another n8n, such as one that points to its user's own database. */
function ownEnvironment(): NodeJS.ProcessEnv {
	const isOfN8n = (name: string) => /^(N8N|DB|QUEUE|EXECUTIONS|WEBHOOK)_/.test(name);
	return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isOfN8n(name)));
}
