// The servers of n8n's queue mode: PostgreSQL and Redis.
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { freePort } from '../support/freePort.mts';
import { findProgram, Server, serverFolder, startPostgres, type Postgres } from '../support/postgres.mts';

const execute = promisify(execFile);

export interface Servers extends Pick<Postgres, 'query'> {
	postgres: Server;
	redis: Server;
	/** the environment that tells n8n where the servers are */
	env: NodeJS.ProcessEnv;
	stop: () => Promise<void>;
}

export async function startServers(): Promise<Servers> {
	const command = await findProgram('redis-server', ['/usr/bin', '/usr/local/bin'], 'redis-server');
	const { folder, user } = await serverFolder();
	const port = await freePort();
	const redis = new Server({
		name: 'Redis',
		command,
		// The queue survives a restart, as n8n's documentation demands.
		args: ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--appendonly', 'yes'],
		folder,
		user,
		port,
		isUp: async () => await execute('redis-cli', ['-p', String(port), 'ping']),
	});
	const [postgres] = await Promise.all([startPostgres(), redis.start()]);
	await postgres.query('create extension pg_stat_statements');
	return {
		postgres: postgres.server,
		redis,
		query: postgres.query,
		env: {
			...postgres.env,
			EXECUTIONS_MODE: 'queue',
			QUEUE_BULL_REDIS_HOST: '127.0.0.1',
			QUEUE_BULL_REDIS_PORT: String(port),
		},
		stop: async () => {
			await Promise.all([postgres.stop(), redis.stop()]);
			await rm(folder, { recursive: true, force: true });
		},
	};
}
