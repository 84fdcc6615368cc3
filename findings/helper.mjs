// What several findings need: a real n8n, with one owner, driven as its editor drives it, and "as stated".
import { execFile, spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect, isDeepStrictEqual } from 'node:util';

const fromN8n = createRequire(join(process.env.N8N, 'node_modules/n8n/package.json'));
const { parse: parseFlatted } = fromN8n('flatted');

const OWNER = {
	email: 'owner@example.com',
	firstName: 'Demo',
	lastName: 'Owner',
	password: 'Findings-only-1',
};

/** Prints what was seen, and fails the finding if that is not what it states. */
export function asStated(what, seen, stated) {
	const matches = typeof stated === 'function' ? stated(seen) : isDeepStrictEqual(seen, stated);
	console.log(`${what}: ${inspect(seen, { depth: 6, breakLength: 110 })}`);
	if (matches) return;
	console.error(
		`  CHANGED: this finding states ${typeof stated === 'function' ? stated : inspect(stated, { depth: 6 })}`,
	);
	process.exitCode = 1;
}

/** Waits for a condition, and returns what it returned. */
export async function until(what, condition, withinMs = 60_000, everyMs = 100) {
	for (const startedMs = Date.now(); Date.now() - startedMs < withinMs; await sleep(everyMs)) {
		const found = await condition();
		if (found) return found;
	}
	throw new Error(`Waited in vain for ${what}.`);
}

/** A port that is free now. */
export async function freePort() {
	const server = createServer();
	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address();
	await new Promise((resolve) => server.close(resolve));
	return port;
}

/** Listens on this machine only. Returns the server and its URL. */
export async function serve(handle, options = {}) {
	const server = createServer(options, handle);
	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
	return {
		server,
		url: `http://127.0.0.1:${server.address().port}`,
		close: () => server.closeAllConnections?.() ?? server.close(),
	};
}

/** A server that answers everything, unless it is told otherwise, and lists the paths it was called with. */
export async function recordCalls(answer = (response) => response.end('{}')) {
	const called = [];
	const { url, close } = await serve(({ url: path }, response) => {
		called.push(path);
		answer(response);
	});
	return { called, url, close };
}

/**
 * The nodes of a customer's workflow: a push, a wait that n8n stores and resumes (longer than 65 s), and a call.
 * @param path the last part of the URL for pushes
 * @param address what is called after the wait
 */
export const waitAndCall = (path, address) => [
	['Hook', 'webhook', { path, httpMethod: 'POST', options: {} }, { typeVersion: 2 }],
	['Wait', 'wait', { amount: 66, unit: 'seconds' }, { typeVersion: 1.1, webhookId: crypto.randomUUID() }],
	['Call', 'httpRequest', { url: address, options: {} }, { typeVersion: 4.2 }],
];

/** A process of n8n: a whole one, or in queue mode a main process, a worker or a webhook processor. */
export class N8n {
	log = '';
	cookie = '';

	static async start(
		env = {},
		{ userFolder = join(process.env.WORK, 'n8n'), port, command = ['start'] } = {},
	) {
		const n8n = new N8n();
		Object.assign(n8n, { env, userFolder, command, port: port ?? (await freePort()) });
		await n8n.launch();
		return n8n;
	}

	async launch() {
		await mkdir(this.userFolder, { recursive: true });
		this.url = `http://127.0.0.1:${this.port}`;
		this.child = spawn(
			process.execPath,
			[join(process.env.N8N, 'node_modules/n8n/bin/n8n'), ...this.command],
			{
				env: await this.environment(),
				stdio: ['ignore', 'pipe', 'pipe'],
			},
		);
		ENDING.add(this.child);
		this.exited = new Promise((resolve) => this.child.once('exit', resolve));
		for (const stream of [this.child.stdout, this.child.stderr])
			stream.on('data', (chunk) => (this.log = (this.log + chunk).slice(-2_000_000)));
		await until(
			`n8n ${this.command[0]} to start`,
			async () => {
				const { exitCode, signalCode } = this.child;
				if (exitCode !== null || signalCode !== null)
					throw new Error(`n8n ended with ${exitCode ?? signalCode}`);
				// Until this process itself listens, another program may answer on the port.
				if (!/n8n ready on|n8n worker server listening on/.test(this.log)) return false;
				return (await fetch(`${this.url}/healthz/readiness`).catch(() => undefined))?.ok;
			},
			180_000,
		).catch((error) => {
			throw new Error(`${error.message}\n${this.log.slice(-3000)}`);
		});
		if (this.command[0] !== 'start') return;
		await until('the REST API', async () => (await fetch(`${this.url}/rest/settings`)).ok, 120_000);
		await this.post('/rest/owner/setup', OWNER).catch(() => undefined);
		await this.post('/rest/login', { emailOrLdapLoginId: OWNER.email, password: OWNER.password });
	}

	/** Makes a key for n8n's public API. Returns a function that asks that API with it: method, path, body. */
	async publicApi(...scopes) {
		const { rawApiKey } = await this.post('/rest/api-keys', { label: 'findings', expiresAt: null, scopes });
		const headers = { 'X-N8N-API-KEY': rawApiKey, 'content-type': 'application/json' };
		return async (method, path, body) => {
			const answer = await fetch(`${this.url}/api/v1/${path}`, {
				method,
				headers,
				body: body && JSON.stringify(body),
			});
			return await answer.json();
		};
	}

	async environment() {
		return {
			...process.env,
			NODE_ENV: 'production',
			N8N_USER_FOLDER: this.userFolder,
			N8N_PORT: String(this.port),
			N8N_LISTEN_ADDRESS: '127.0.0.1',
			N8N_RUNNERS_BROKER_PORT: String(await freePort()),
			N8N_ENCRYPTION_KEY: 'a key for findings only',
			N8N_SECURE_COOKIE: 'false',
			N8N_DIAGNOSTICS_ENABLED: 'false',
			N8N_VERSION_NOTIFICATIONS_ENABLED: 'false',
			N8N_TEMPLATES_ENABLED: 'false',
			N8N_PERSONALIZATION_ENABLED: 'false',
			N8N_HIRING_BANNER_ENABLED: 'false',
			QUEUE_HEALTH_CHECK_ACTIVE: String(this.command[0] === 'worker'),
			QUEUE_HEALTH_CHECK_PORT: String(this.port),
			...this.env,
		};
	}

	/** Ends n8n; `signal` SIGKILL crashes it. */
	async stop(signal = 'SIGTERM') {
		this.child.kill(signal);
		const insisting = setTimeout(() => this.child.kill('SIGKILL'), 45_000);
		await this.exited;
		clearTimeout(insisting);
		ENDING.delete(this.child);
	}

	/** Runs a command of n8n's command line beside it, with its settings. Returns what that printed. */
	async commandLine(...words) {
		const options = { env: await this.environment(), timeout: 120_000, killSignal: 'SIGKILL' };
		const bin = join(process.env.N8N, 'node_modules/n8n/bin/n8n');
		return await new Promise((resolve, reject) =>
			execFile(process.execPath, [bin, ...words], options, (error, stdout) =>
				error ? reject(error) : resolve(stdout),
			),
		);
	}

	async restart(env = this.env, signal = 'SIGTERM') {
		await this.stop(signal);
		this.env = env;
		await this.launch();
	}

	async request(method, path, body) {
		const ask = async () =>
			await fetch(this.url + path, {
				method,
				headers: { 'content-type': 'application/json', 'browser-id': 'findings', cookie: this.cookie },
				body: body === undefined ? undefined : JSON.stringify(body),
			});
		// n8n closes idle connections, sometimes in the moment in which one is used again.
		const answer = await ask().catch(async (error) =>
			method === 'GET' ? await ask() : Promise.reject(error),
		);
		const cookie = answer.headers.getSetCookie().find((one) => one.startsWith('n8n-auth='));
		if (cookie) this.cookie = cookie.split(';')[0];
		const text = await answer.text();
		if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text.slice(0, 1000)}`);
		return text === '' ? undefined : JSON.parse(text).data;
	}

	get = (path) => this.request('GET', path);
	post = (path, body) => this.request('POST', path, body);

	/**
	 * Saves a workflow as the editor does. Nodes are connected in the order given, unless `connections` are.
	 * @param nodes each [name, type, parameters, further properties]
	 */
	async create(nodes, { connections, settings = { executionOrder: 'v1' }, name = 'Finding', ...more } = {}) {
		const all = nodes.map(([nodeName, type, parameters = {}, rest = {}], index) => ({
			id: crypto.randomUUID(),
			name: nodeName,
			type: type.includes('.') ? type : `n8n-nodes-base.${type}`,
			typeVersion: 1,
			position: [index * 200, 0],
			parameters,
			...(/webhook$/i.test(type) ? { webhookId: crypto.randomUUID() } : {}),
			...rest,
		}));
		return await this.post('/rest/workflows', {
			name,
			nodes: all,
			connections: connections ?? chain(all.map((node) => node.name)),
			settings,
			active: false,
			...more,
		});
	}

	async activate(workflow, path) {
		await this.post(`/rest/workflows/${workflow.id}/activate`, { versionId: workflow.versionId });
		if (path === undefined) return;
		await until(`the production URL of ${path}`, async () => {
			// A method that it was not made for: n8n then names those that it was.
			const answer = await fetch(`${this.url}/webhook/${path}`, { method: 'PUT' });
			return /not registered for PUT requests. Did you mean/.test(await answer.text());
		});
	}

	/** Switches a workflow on, and sends one push, whose execution then stands in its Wait node. */
	async pushToWait(workflow, path) {
		await this.activate(workflow, path);
		await fetch(`${this.url}/webhook/${path}`, { method: 'POST' });
		await until(
			'the execution to wait',
			async () => (await this.executions(workflow))[0]?.status === 'waiting',
		);
		return workflow;
	}

	/** Presses the editor's button. Returns the ID of the execution. */
	async launchRun(workflow) {
		const trigger = workflow.nodes.find(({ type }) => type.endsWith('manualTrigger'));
		const { executionId } = await this.post(`/rest/workflows/${workflow.id}/run`, {
			workflowData: workflow,
			triggerToStartFrom: { name: trigger.name },
		});
		return executionId;
	}

	async finished(id, withinMs = 600_000, everyMs = 100) {
		await until(
			`execution ${id}`,
			async () => !['new', 'running', 'waiting'].includes((await this.get(`/rest/executions/${id}`)).status),
			withinMs,
			everyMs,
		);
		return await this.execution(id);
	}

	async execution(id) {
		const raw = await this.get(`/rest/executions/${id}`);
		return { ...raw, data: parseFlatted(raw.data) };
	}

	async executions({ id }) {
		const filter = encodeURIComponent(JSON.stringify({ workflowId: id }));
		return (await this.get(`/rest/executions?filter=${filter}&limit=100`)).results;
	}

	/** Runs nodes behind a manual trigger. Returns what each node put out: an array of items for each output. */
	async run(nodes, options) {
		const workflow = await this.create([['Start', 'manualTrigger'], ...nodes], options);
		const execution = await this.finished(await this.launchRun(workflow));
		return new Outcome(execution);
	}
}

export class Outcome {
	constructor(execution) {
		this.execution = execution;
		this.status = execution.status;
		this.error = execution.data.resultData.error;
	}

	/** The JSON of a node's output items. */
	json(node, output = 0, run = 0) {
		const ran = this.execution.data.resultData.runData[node]?.[run];
		if (!ran?.data)
			throw new Error(`${node} put nothing out: ${this.error?.message} ${this.error?.description ?? ''}`);
		return (ran.data.main[output] ?? []).map((item) => item.json);
	}

	errorOf(node, run = 0) {
		return this.execution.data.resultData.runData[node]?.[run]?.error;
	}
}

/** A Code node that returns these values as items. */
export function items(values, name = 'Items') {
	return [
		name,
		'code',
		{ jsCode: `return ${JSON.stringify(values)}.map((json) => ({ json }));` },
		{ typeVersion: 2 },
	];
}

/** Connects nodes one behind the other. */
export function chain(names) {
	return Object.fromEntries(
		names.slice(0, -1).map((name, index) => [name, { main: [[to(names[index + 1])]] }]),
	);
}

export function to(node, index = 0) {
	return { node, type: 'main', index };
}

const ENDING = new Set();
process.on('exit', () => ENDING.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));
