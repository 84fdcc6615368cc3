// A running n8n with this package installed, and the internal REST API that the editor uses.
import { parse as parseFlatted } from 'flatted';
import type { CredentialReference } from '../credentials.mts';
import { until } from '../until.mts';
import { N8nProcess, type ProcessOptions } from './n8nProcess.mts';

export const OWNER = {
	email: 'owner@example.com',
	firstName: 'Demo',
	lastName: 'Owner',
	password: 'Sobot-demo-1',
};

export interface Workflow {
	id: string;
	name: string;
	active: boolean;
	versionId?: string;
	settings?: Record<string, unknown>;
	nodes: Array<{
		id: string;
		name: string;
		type: string;
		webhookId?: string;
		parameters: Record<string, unknown>;
	}>;
	connections?: Record<string, unknown>;
}

/** An execution as the editor gets it, its data decoded. */
export interface Execution {
	id: string;
	status: string;
	workflowId: string;
	/** what nodes have written for n8n's list of executions */
	customData?: Record<string, string>;
	data: {
		resultData: {
			error?: { message: string; description?: string };
			runData: Record<
				string,
				Array<{
					/** in epoch ms */
					startTime: number;
					error?: { message: string; description?: string };
					data?: { main: Item[][] };
				}>
			>;
		};
	};
}

export interface Item {
	json: Record<string, unknown>;
	/** files, by property; `data` is the content as base64 if n8n has not put it elsewhere */
	binary?: Record<string, { data: string; id?: string }>;
	pairedItem?: unknown;
}

export class N8n {
	private cookie = '';
	private lastTurn: Promise<unknown> = Promise.resolve();

	private constructor(
		readonly url: string,
		private readonly running?: N8nProcess,
	) {}

	/** Another session with an n8n that another program has started, and will stop. */
	static async connect(url: string): Promise<N8n> {
		const n8n = new N8n(url);
		await n8n.login();
		return n8n;
	}

	/** A whole n8n, or a main process, with an owner who is logged in. */
	static async start(options: ProcessOptions): Promise<N8n> {
		return await N8n.enter(await N8nProcess.start(options), options.userFolder === undefined);
	}

	/** The same n8n again, with its database and address, after this process has ended. */
	async restart(env?: NodeJS.ProcessEnv): Promise<N8n> {
		return await N8n.enter(await this.process.restart(env), false);
	}

	async stop(how: Parameters<N8nProcess['stop']>[0] = {}): Promise<void> {
		await this.running?.stop(how);
	}

	/** Runs a command of n8n beside it, with its database, to its end. Returns what it printed. */
	async runCommand(...command: Parameters<N8nProcess['runCommand']>): Promise<string> {
		return await this.process.runCommand(...command);
	}

	/** all that n8n printed */
	get log(): string {
		return this.process.log;
	}

	get pid(): number {
		return this.process.pid;
	}

	get userFolder(): string {
		return this.process.options.userFolder;
	}

	private get process(): N8nProcess {
		if (!this.running) throw new Error('Another program has started this n8n.');
		return this.running;
	}

	private static async enter(running: N8nProcess, isNew: boolean): Promise<N8n> {
		const n8n = new N8n(running.url, running);
		try {
			// Ready for load balancers comes a moment before the REST API.
			const isUp = async () => (await fetch(`${n8n.url}/rest/login`)).status === 401;
			await until('the REST API', isUp, 120_000);
			if (isNew) await n8n.post('/rest/owner/setup', OWNER);
			await n8n.login();
		} catch (error) {
			await n8n.stop();
			throw new Error(`n8n did not start: ${String(error)}\n${running.log.slice(-3000)}`);
		}
		return n8n;
	}

	async createCredential(
		type: string,
		name: string,
		data: Record<string, unknown>,
	): Promise<CredentialReference> {
		return await this.inTurn(async () => await this.post('/rest/credentials', { name, type, data }));
	}

	/** The result of the editor's "Test" for a credential. */
	async testCredential(
		type: string,
		data: Record<string, unknown>,
	): Promise<{ status: string; message: string }> {
		const { id, name } = await this.createCredential(type, `${type} to be tested`, data);
		return await this.post('/rest/credentials/test', { credentials: { id, name, type, data } });
	}

	async createWorkflow(workflow: Record<string, unknown>): Promise<Workflow> {
		return await this.inTurn(
			async () => await this.post('/rest/workflows', { settings: {}, ...workflow, active: false }),
		);
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

	/** Waits until a production URL answers, at this process or another: n8n registers it in the background. */
	async untilListening(productionPath: string, url = this.url): Promise<void> {
		await until(`the production URL ${productionPath}`, async () => {
			const answer = await fetch(`${url}/webhook/${productionPath}`);
			// It registers POST first, and then PUT.
			return /not registered for GET.*PUT/.test(await answer.text());
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

	/** Presses Retry in the list of executions, and waits for the new execution's end. */
	async retry(id: string, loadWorkflow: boolean): Promise<Execution> {
		const retried = await this.post<{ id: string }>(`/rest/executions/${id}/retry`, { loadWorkflow });
		return await this.finished(retried.id);
	}

	/** Makes a sub-workflow callable. n8n 1 has no such step. */
	async publish(workflow: Workflow): Promise<void> {
		if (workflow.versionId) {
			await this.post(`/rest/workflows/${workflow.id}/activate`, { versionId: workflow.versionId }).catch(
				() => undefined,
			);
		}
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
			// Each query costs n8n some milliseconds, which a benchmark would attribute to the node.
			lookEveryMs,
		);
		return await this.execution(executionId);
	}

	async execution(id: string): Promise<Execution> {
		const raw = await this.get<Omit<Execution, 'data'> & { data: string }>(`/rest/executions/${id}`);
		return { ...raw, data: parseFlatted(raw.data) as Execution['data'] };
	}

	/** The content of a file that a node put out, as text. */
	async fileText({ data, id }: { data: string; id?: string }): Promise<string> {
		if (id === undefined) return Buffer.from(data, 'base64').toString('utf8');
		const query = new URLSearchParams({ id, action: 'download' });
		const answer = await fetch(`${this.url}/rest/binary-data?${query}`, { headers: this.headers });
		if (!answer.ok) throw new Error(`The file ${id} was answered ${answer.status}.`);
		return await answer.text();
	}

	/** Executions of a workflow, the latest first. */
	async executions({ id }: Workflow): Promise<Array<{ id: string; status: string }>> {
		const filter = encodeURIComponent(JSON.stringify({ workflowId: id }));
		const { results } = await this.get<{ results: Array<{ id: string; status: string }> }>(
			`/rest/executions?filter=${filter}&limit=100`,
		);
		return results;
	}

	/**
	 * The headers that the editor sends with each call. Each has a connection of its own: n8n closes idle ones, after a long
	 * block of its event loop just as one is used again.
	 */
	get headers(): Record<string, string> {
		const { cookie } = this;
		return { 'content-type': 'application/json', 'browser-id': 'test', connection: 'close', cookie };
	}

	/**
	 * One after the other, and asked again where n8n answers that it mixed it up with another transaction:
	 * n8n 1 has one connection to SQLite, on which executions that end are stored too.
	 */
	private async inTurn<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
		const askAgain = async (error: unknown) => {
			if (!String(error).includes('Transaction is not started yet')) throw error;
			return await ask();
		};
		const answer = this.lastTurn.then(ask).catch(askAgain);
		this.lastTurn = answer.catch(() => undefined);
		return await answer;
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
}
