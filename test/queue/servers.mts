// The servers of n8n's queue mode: PostgreSQL and Redis, from Debian's packages, on free ports and in a temporary folder.
import { execFile, type ChildProcess } from 'node:child_process';
import { access, chown, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../support/freePort.mts';
import { endProcess, startProcess } from '../support/processes.mts';
import { isFulfilled, until } from '../support/until.mts';

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
class Server {
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

export interface Servers {
	postgres: Server;
	redis: Server;
	/** runs one query, and returns its rows as arrays of strings */
	query: (sql: string) => Promise<string[][]>;
	/** the environment that tells n8n where the servers are */
	env: NodeJS.ProcessEnv;
	stop: () => Promise<void>;
}

export async function startServers(): Promise<Servers> {
	const bin = await postgresFolder();
	const redisServer = await find('redis-server', ['/usr/bin', '/usr/local/bin']);
	const folder = await mkdtemp(join(tmpdir(), 'sobot-queue-'));
	const user = await serverUser();
	const [data, redisData] = [join(folder, 'postgres'), join(folder, 'redis')];
	for (const one of [folder, data, redisData]) {
		await mkdir(one, { recursive: true });
		if (user.uid !== undefined && user.gid !== undefined) await chown(one, user.uid, user.gid);
	}
	const [postgresPort, redisPort] = [await freePort(), await freePort()];
	await execute(
		join(bin, 'initdb'),
		['--pgdata', data, '--username', DATABASE.user, '--auth', 'trust', '--encoding', 'UTF8'],
		{ cwd: folder, ...user },
	);
	const psql = async (database: string, sql: string) => {
		const { stdout } = await execute(
			join(bin, 'psql'),
			[
				...['--host', '127.0.0.1', '--port', String(postgresPort), '--username', DATABASE.user],
				...['--dbname', database, '--no-align', '--tuples-only', '--field-separator', '\t', '--command', sql],
			],
			{ maxBuffer: 100_000_000 },
		);
		return stdout
			.split('\n')
			.filter((line) => line !== '')
			.map((line) => line.split('\t'));
	};
	const postgres = new Server({
		name: 'PostgreSQL',
		command: join(bin, 'postgres'),
		args: [
			...['-D', data, '-p', String(postgresPort), '-k', folder],
			...['-c', 'listen_addresses=127.0.0.1', '-c', 'shared_preload_libraries=pg_stat_statements'],
		],
		folder,
		user,
		port: postgresPort,
		isUp: async () => await psql('postgres', 'select 1'),
	});
	const redis = new Server({
		name: 'Redis',
		command: redisServer,
		// The queue survives a restart, as n8n's documentation demands.
		args: ['--port', String(redisPort), '--bind', '127.0.0.1', '--dir', redisData, '--appendonly', 'yes'],
		folder,
		user,
		port: redisPort,
		isUp: async () => await execute('redis-cli', ['-p', String(redisPort), 'ping']),
	});
	await Promise.all([postgres.start(), redis.start()]);
	await psql('postgres', `create database ${DATABASE.name}`);
	await psql(DATABASE.name, 'create extension pg_stat_statements');
	return {
		postgres,
		redis,
		query: async (sql) => await psql(DATABASE.name, sql),
		env: {
			DB_TYPE: 'postgresdb',
			DB_POSTGRESDB_HOST: '127.0.0.1',
			DB_POSTGRESDB_PORT: String(postgresPort),
			DB_POSTGRESDB_DATABASE: DATABASE.name,
			DB_POSTGRESDB_USER: DATABASE.user,
			DB_POSTGRESDB_PASSWORD: 'any',
			EXECUTIONS_MODE: 'queue',
			QUEUE_BULL_REDIS_HOST: '127.0.0.1',
			QUEUE_BULL_REDIS_PORT: String(redisPort),
		},
		stop: async () => {
			await Promise.all([postgres.stop(), redis.stop()]);
			await rm(folder, { recursive: true, force: true });
		},
	};
}

async function postgresFolder(): Promise<string> {
	const root = '/usr/lib/postgresql';
	const versions = await readdir(root).catch(() => []);
	const folders = versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(root, version, 'bin'));
	return join(await find('initdb', folders), '..');
}

async function find(program: string, folders: string[]): Promise<string> {
	for (const folder of folders) {
		const path = join(folder, program);
		if (await isFulfilled(access(path))) return path;
	}
	throw new Error(
		`${program} is missing. The queue tests need PostgreSQL and Redis: apt-get install postgresql redis-server`,
	);
}

async function serverUser(): Promise<User> {
	if (process.getuid?.() !== 0) return {};
	const id = async (flag: string) => Number((await execute('id', [flag, 'postgres'])).stdout);
	return { uid: await id('-u'), gid: await id('-g') };
}
