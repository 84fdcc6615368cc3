// n8n in queue mode, for findings about it: need_postgres and need_redis go before it.
import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { N8n, serve, until } from './helper.mjs';

/** A main process of n8n, and a worker with a folder of its own, as in another container. */
export async function startQueue({ concurrency = 5, env = {} } = {}) {
	const main = await N8n.start(env);
	const worker = await N8n.start(env, {
		userFolder: join(process.env.WORK, 'worker'),
		command: ['worker', `--concurrency=${concurrency}`],
	});
	return { main, worker };
}

function redisCli(...command) {
	try {
		return execFileSync('redis-cli', ['-p', process.env.QUEUE_BULL_REDIS_PORT, ...command], {
			stdio: 'pipe',
		});
	} catch {
		return undefined;
	}
}

/** Ends Redis, which keeps nothing. */
export async function stopRedis() {
	redisCli('shutdown', 'nosave');
	await until('Redis to end', () => redisCli('ping') === undefined);
}

/** Starts Redis again, empty. It ends with this script, or by stopRedis. */
export async function startRedis() {
	const redis = spawn(
		'redis-server',
		['--port', process.env.QUEUE_BULL_REDIS_PORT, '--bind', '127.0.0.1', '--save', ''],
		{ stdio: 'ignore', cwd: process.env.WORK },
	);
	process.on('exit', () => redis.kill());
	await until('Redis', () => redisCli('ping'));
}

/** A server that leaves what is called /slow without an answer until it is told to answer, and lists all calls. */
export async function holdCalls() {
	const called = [];
	const held = [];
	const { url, close } = await serve(({ url: path }, response) => {
		called.push(path);
		if (path.startsWith('/slow')) held.push(response);
		else response.end('{}');
	});
	return {
		called,
		url,
		close,
		answer: (status = 200) => held.splice(0).forEach((response) => response.writeHead(status).end('{}')),
		/** Waits for the call of this number that takes long. */
		slow: async (count) =>
			await until(
				`slow call ${count}`,
				() => called.filter((path) => path.startsWith('/slow')).length === count,
			),
	};
}

/** The nodes of a workflow that is called, makes a call that takes long, and one more. */
export const twoCalls = (path, url, webhook = {}) => [
	['Hook', 'webhook', { path, httpMethod: 'POST', options: {}, ...webhook }, { typeVersion: 2 }],
	['Slow', 'httpRequest', { url: `${url}/slow`, options: {} }, { typeVersion: 4.2 }],
	['After', 'httpRequest', { url: `${url}/after`, options: {} }, { typeVersion: 4.2 }],
];

/** The statuses of a workflow's executions, the oldest first. */
export async function statuses(main, workflow) {
	const all = await main.executions(workflow);
	return all.sort((a, b) => Number(a.id) - Number(b.id)).map(({ status }) => status);
}
