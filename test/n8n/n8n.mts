// A running n8n of its own: fresh user folder, free port, this package installed from its tarball as users do, and the
// internal REST API that the editor uses.
import type { ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse as parseFlatted } from 'flatted';
import { until } from '../until.mts';
import { endProcess, run, startProcess } from '../processes.mts';
import type { Runtime } from './runtime.mts';

export const OWNER = {
	email: 'owner@example.com',
	firstName: 'Demo',
	lastName: 'Owner',
	password: 'Sobot-demo-1',
};

export interface N8nOptions {
	runtime: Runtime;
	/** the packed package */
	tarball: string;
	/** folders of other packages, installed beside it */
	morePackages?: string[];
	/** keeps the user folder of an earlier n8n, for a restart */
	userFolder?: string;
	port?: number;
	env?: NodeJS.ProcessEnv;
}

export interface Workflow {
	id: string;
	name: string;
	active: boolean;
	versionId?: string;
	nodes: Array<{
		id: string;
		name: string;
		type: string;
		webhookId?: string;
		parameters: Record<string, unknown>;
	}>;
}

/** An execution as the editor gets it, its data decoded. */
export interface Execution {
	id: string;
	status: string;
	workflowId: string;
	data: {
		resultData: {
			error?: { message: string; description?: string };
			runData: Record<
				string,
				Array<{ error?: { message: string; description?: string }; data?: { main: Item[][] } }>
			>;
		};
	};
}

export interface Item {
	json: Record<string, unknown>;
	pairedItem?: unknown;
}

const STARTED_WITHIN_MS = 120_000;
const STOPPED_WITHIN_MS = 20_000;

export class N8n {
	/** all that n8n printed */
	log = '';
	private cookie = '';

	private constructor(
		readonly url: string,
		readonly userFolder: string,
		private readonly options?: N8nOptions,
		private readonly child?: ChildProcess,
	) {}

	/** Another session with an n8n that somebody else has started, and will stop. */
	static async connect(url: string): Promise<N8n> {
		const n8n = new N8n(url, '');
		await n8n.login();
		return n8n;
	}

	static async start(options: N8nOptions): Promise<N8n> {
		const userFolder = options.userFolder ?? (await mkdtemp(join(tmpdir(), 'n8n-sobot-')));
		if (!options.userFolder)
			await installPackages(userFolder, [options.tarball, ...(options.morePackages ?? [])]);
		const port = options.port ?? (await freePort());
		const child = startProcess(options.runtime.node, [options.runtime.n8n, 'start'], {
			env: {
				...process.env,
				// Jest's would make n8n behave as in its own tests.
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
				...options.env,
			},
			stdio: ['ignore', 'pipe', 'pipe'],
		});
		const n8n = new N8n(`http://127.0.0.1:${port}`, userFolder, options, child);
		for (const stream of [child.stdout, child.stderr]) {
			stream?.on('data', (chunk) => (n8n.log = (n8n.log + String(chunk)).slice(-1_000_000)));
		}
		try {
			await n8n.untilReady();
			if (!options.userFolder) await n8n.post('/rest/owner/setup', OWNER);
			await n8n.login();
		} catch (error) {
			await n8n.stop();
			throw new Error(`n8n did not start: ${String(error)}\n${n8n.log.slice(-3000)}`);
		}
		return n8n;
	}

	/** The same n8n again, with its database and address, after this process has ended. */
	async restart(env?: NodeJS.ProcessEnv): Promise<N8n> {
		if (!this.options) throw new Error('Only who has started an n8n can restart it.');
		await this.stop({ keepUserFolder: true });
		return await N8n.start({
			...this.options,
			userFolder: this.userFolder,
			port: Number(new URL(this.url).port),
			env: env ?? this.options.env,
		});
	}

	async stop({ keepUserFolder = false, signal = 'SIGTERM' as NodeJS.Signals } = {}): Promise<void> {
		if (!this.child) return;
		await endProcess(this.child, STOPPED_WITHIN_MS, signal);
		if (!keepUserFolder) await rm(this.userFolder, { recursive: true, force: true, maxRetries: 5 });
	}

	get pid(): number {
		return this.child?.pid ?? 0;
	}

	async createCredential(
		type: string,
		name: string,
		data: Record<string, unknown>,
	): Promise<{ id: string; name: string }> {
		return await this.post('/rest/credentials', { name, type, data });
	}

	/** What the editor's "Test" says of a credential. */
	async testCredential(
		type: string,
		data: Record<string, unknown>,
	): Promise<{ status: string; message: string }> {
		const { id, name } = await this.createCredential(type, `${type} to be tested`, data);
		return await this.post('/rest/credentials/test', { credentials: { id, name, type, data } });
	}

	async createWorkflow(workflow: Record<string, unknown>): Promise<Workflow> {
		return await this.post('/rest/workflows', { settings: {}, ...workflow, active: false });
	}

	/** Saves a changed workflow; it is switched on with these changes by activating it again. */
	async updateWorkflow(workflow: Workflow, changes: Partial<Workflow>): Promise<Workflow> {
		return await this.request('PATCH', `/rest/workflows/${workflow.id}`, {
			...changes,
			versionId: workflow.versionId,
		});
	}

	/** Switches a workflow on, and waits until its production URLs answer. */
	async activate({ id, versionId }: Workflow, productionPath?: string): Promise<void> {
		await this.post(`/rest/workflows/${id}/activate`, { versionId });
		if (productionPath) await this.untilListening(productionPath);
	}

	/** Waits until a production URL answers: n8n registers it in the background. */
	async untilListening(productionPath: string): Promise<void> {
		await until(`the production URL ${productionPath}`, async () => {
			const answer = await fetch(`${this.url}/webhook/${productionPath}`);
			return (await answer.text()).includes('not registered for GET');
		});
	}

	async deactivate({ id }: Workflow): Promise<void> {
		await this.post(`/rest/workflows/${id}/deactivate`, {});
	}

	/** Runs a workflow as the editor's button does, from its manual trigger, and waits for its end. */
	async execute(workflow: Workflow, lookEveryMs?: number): Promise<Execution> {
		return await this.finished(await this.launch(workflow), lookEveryMs);
	}

	/** Starts a workflow as the editor's button does. Returns the execution's ID. */
	async launch(workflow: Workflow): Promise<string> {
		const trigger = workflow.nodes.find(({ type }) => type === 'n8n-nodes-base.manualTrigger');
		const { executionId } = await this.post<{ executionId: string }>(`/rest/workflows/${workflow.id}/run`, {
			workflowData: workflow,
			triggerToStartFrom: { name: trigger?.name },
		});
		return executionId;
	}

	/** Presses "Listen for test event": the test URL then takes one push. */
	async listenForTest(workflow: Workflow, trigger: string): Promise<void> {
		const answer = await this.post<{ waitingForWebhook?: boolean }>(`/rest/workflows/${workflow.id}/run`, {
			workflowData: workflow,
			triggerToStartFrom: { name: trigger },
		});
		if (!answer.waitingForWebhook) throw new Error(`n8n does not listen: ${JSON.stringify(answer)}`);
	}

	async stopExecution(id: string): Promise<void> {
		await this.post(`/rest/executions/${id}/stop`, {});
	}

	async finished(executionId: string, lookEveryMs = 100): Promise<Execution> {
		await until(
			`the end of execution ${executionId}`,
			async () => {
				const { status } = await this.get<{ status: string }>(`/rest/executions/${executionId}`);
				return !['new', 'running', 'waiting'].includes(status);
			},
			600_000,
			// Each look costs n8n some milliseconds, which a benchmark would count as the node's.
			lookEveryMs,
		);
		return await this.execution(executionId);
	}

	async execution(id: string): Promise<Execution> {
		const raw = await this.get<Omit<Execution, 'data'> & { data: string }>(`/rest/executions/${id}`);
		return { ...raw, data: parseFlatted(raw.data) as Execution['data'] };
	}

	/** Executions of a workflow, the latest first. */
	async executions({ id }: Workflow): Promise<Array<{ id: string; status: string }>> {
		const filter = encodeURIComponent(JSON.stringify({ workflowId: id }));
		const { results } = await this.get<{ results: Array<{ id: string; status: string }> }>(
			`/rest/executions?filter=${filter}&limit=100`,
		);
		return results;
	}

	/** what the editor sends along with each call */
	get headers(): Record<string, string> {
		return { 'content-type': 'application/json', 'browser-id': 'test', cookie: this.cookie };
	}

	private async login(): Promise<void> {
		await this.post('/rest/login', { emailOrLdapLoginId: OWNER.email, password: OWNER.password });
	}

	async get<Answer>(path: string): Promise<Answer> {
		return await this.request('GET', path);
	}

	async post<Answer>(path: string, body: unknown): Promise<Answer> {
		return await this.request('POST', path, body);
	}

	async request<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
		const answer = await fetch(this.url + path, {
			method,
			headers: this.headers,
			body: body === undefined ? undefined : JSON.stringify(body),
		});
		const cookie = answer.headers.getSetCookie().find((one) => one.startsWith('n8n-auth='));
		if (cookie) this.cookie = cookie.split(';')[0] ?? '';
		const text = await answer.text();
		if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text.slice(0, 1000)}`);
		return (JSON.parse(text) as { data: Answer }).data;
	}

	private async untilReady(): Promise<void> {
		await until(
			'n8n to start',
			async () => {
				if (this.child?.exitCode !== null) throw new Error(`n8n ended with ${this.child?.exitCode}`);
				const answer = await fetch(`${this.url}/healthz/readiness`).catch(() => undefined);
				return answer?.ok === true;
			},
			STARTED_WITHIN_MS,
		);
		// Ready for load balancers comes a moment before the REST API.
		await until('the REST API', async () => (await fetch(`${this.url}/rest/settings`)).ok, STARTED_WITHIN_MS);
	}
}

export async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address() as AddressInfo;
	await new Promise((resolve) => server.close(resolve));
	return port;
}

/** Builds and packs this package. Returns the tarball's path in a folder of its own. */
export async function packPackage(): Promise<string> {
	await run('npm', ['run', 'build']);
	const folder = await mkdtemp(join(tmpdir(), 'sobot-tarball-'));
	const printed = await run('npm', ['pack', '--json', '--loglevel=error', '--pack-destination', folder]);
	const filename = /"filename":\s*"([^"]+)"/.exec(printed)?.[1];
	if (!filename) throw new Error(`npm pack printed no file name: ${printed}`);
	return join(folder, filename);
}

/** n8n's own installer leaves peer dependencies out as well: n8n provides n8n-workflow. */
async function installPackages(userFolder: string, packages: string[]): Promise<void> {
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
}
