// Server programs from Debian's packages, on free ports and in temporary folders: PostgreSQL, and what a test adds to it.
import { execFile, type ChildProcess } from 'node:child_process';
import { access, chown, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './freePort.mts';
import { endProcess, startProcess } from './processes.mts';
import { isFulfilled, until } from './until.mts';

const execute = promisify(execFile);

const DATABASE = { user: 'n8n', name: 'n8n' };

/** The user that runs a server program. PostgreSQL refuses to run as root. */
interface User {
	uid?: number;
	gid?: number;
}

interface ServerOptions {
	name: string;
	command: string;
	args: string[];
	folder: string;
	user: User;
	port: number;
	/** rejects until the server answers */
	isUp: () => Promise<unknown>;
}

/** A server program that can be stopped and started again with the same data. */
export class Server {
	private child?: ChildProcess;
	private log = '';

	constructor(private readonly options: ServerOptions) {}

	get port(): number {
		return this.options.port;
	}

	async start(): Promise<void> {
		const { command, args, folder, user, name, isUp } = this.options;
		this.log = '';
		this.child = startProcess(command, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], ...user });
		for (const stream of [this.child.stdout, this.child.stderr])
			stream?.on('data', (chunk) => (this.log = (this.log + String(chunk)).slice(-10_000)));
		await until(`${name} to answer`, async () => await isFulfilled(isUp()), 60_000).catch(
			(error: unknown) => {
				throw new Error(`${name} did not start: ${String(error)}\n${this.log}`);
			},
		);
	}

	async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<void> {
		if (this.child) await endProcess(this.child, 20_000, signal);
	}

	/** Stops the server, and starts it again on the same port with the same data. */
	async restart(): Promise<void> {
		await this.stop();
		await this.start();
	}
}

export interface Postgres {
	server: Server;
	/** runs one query, and returns its rows as arrays of strings */
	query: (sql: string) => Promise<string[][]>;
	/** the address of the database */
	url: string;
	/** the environment that makes n8n keep its own data there */
	env: NodeJS.ProcessEnv;
	/** also removes the data */
	stop: () => Promise<void>;
}

/** A PostgreSQL with one empty database. */
export async function startPostgres(): Promise<Postgres> {
	const bin = await postgresFolder();
	const { folder, user } = await serverFolder();
	const port = await freePort();
	await execute(
		join(bin, 'initdb'),
		['--pgdata', join(folder, 'data'), '--username', DATABASE.user, '--auth', 'trust', '--encoding', 'UTF8'],
		{ cwd: folder, ...user },
	);
	const psql = async (database: string, sql: string) => {
		const { stdout } = await execute(
			join(bin, 'psql'),
			[
				...['--host', '127.0.0.1', '--port', String(port), '--username', DATABASE.user],
				...['--dbname', database, '--no-align', '--tuples-only', '--field-separator', '\t', '--command', sql],
			],
			{ maxBuffer: 100_000_000 },
		);
		return stdout
			.split('\n')
			.filter((line) => line !== '')
			.map((line) => line.split('\t'));
	};
	const server = new Server({
		name: 'PostgreSQL',
		command: join(bin, 'postgres'),
		args: [
			...['-D', join(folder, 'data'), '-p', String(port), '-k', folder],
			...['-c', 'listen_addresses=127.0.0.1', '-c', 'shared_preload_libraries=pg_stat_statements'],
		],
		folder,
		user,
		port,
		isUp: async () => await psql('postgres', 'select 1'),
	});
	await server.start();
	await psql('postgres', `create database ${DATABASE.name}`);
	return {
		server,
		query: async (sql) => await psql(DATABASE.name, sql),
		url: `postgres://${DATABASE.user}@127.0.0.1:${port}/${DATABASE.name}`,
		env: {
			DB_TYPE: 'postgresdb',
			DB_POSTGRESDB_HOST: '127.0.0.1',
			DB_POSTGRESDB_PORT: String(port),
			DB_POSTGRESDB_DATABASE: DATABASE.name,
			DB_POSTGRESDB_USER: DATABASE.user,
			DB_POSTGRESDB_PASSWORD: 'any',
		},
		stop: async () => {
			await server.stop();
			await rm(folder, { recursive: true, force: true });
		},
	};
}

/** A temporary folder for a server's data, and the user that it belongs to. */
export async function serverFolder(): Promise<{ folder: string; user: User }> {
	const folder = await mkdtemp(join(tmpdir(), 'sobot-server-'));
	const user = await serverUser();
	if (user.uid !== undefined && user.gid !== undefined) await chown(folder, user.uid, user.gid);
	return { folder, user };
}

/** The path of a program in the first of some folders that has it. */
export async function findProgram(
	program: string,
	folders: string[],
	debianPackage: string,
): Promise<string> {
	for (const folder of folders) {
		const path = join(folder, program);
		if (await isFulfilled(access(path))) return path;
	}
	throw new Error(`${program} is missing, which these tests need: apt-get install ${debianPackage}`);
}

async function postgresFolder(): Promise<string> {
	const root = '/usr/lib/postgresql';
	const versions = await readdir(root).catch(() => []);
	const folders = versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(root, version, 'bin'));
	return join(await findProgram('initdb', folders, 'postgresql'), '..');
}

async function serverUser(): Promise<User> {
	if (process.getuid?.() !== 0) return {};
	const id = async (flag: string) => Number((await execute('id', [flag, 'postgres'])).stdout);
	return { uid: await id('-u'), gid: await id('-g') };
}
