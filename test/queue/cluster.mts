// n8n in queue mode as docs/scaling.md sets it up: a main, webhook processors and workers with PostgreSQL and Redis. Each
// process has its own user folder, with the packed package installed in it.
import { pushWorkflow, productionPath, type Behind } from '../support/workflows.mts';
import { N8n, type Workflow } from '../support/n8n/n8n.mts';
import { N8nProcess, type ProcessOptions } from '../support/n8n/n8nProcess.mts';
import { underTest } from '../support/underTest.mts';
import { until } from '../support/until.mts';
import { readGuide, type Guide } from './guide.mts';
import { startServers, type Servers } from './servers.mts';

/**
 * Makes n8n look for dead workers every few seconds instead of every minute. Use it only where workers are killed: on a
 * busy machine, n8n then also takes a slow worker for a dead one.
 */
export const QUICK_TO_NOTICE = {
	QUEUE_WORKER_LOCK_DURATION: '10000',
	QUEUE_WORKER_LOCK_RENEW_TIME: '2000',
	QUEUE_WORKER_STALLED_INTERVAL: '5000',
	N8N_EXECUTIONS_QUEUE_RECOVERY_INTERVAL: '0.25',
};

/** An execution as stored in n8n's database. */
export interface StoredExecution {
	id: string;
	status: string;
	/** the customer of the push that started it */
	customerId: string;
}

export class Cluster {
	private constructor(
		readonly servers: Servers,
		private readonly options: ProcessOptions,
		private readonly guide: Guide,
		public main: N8n,
		readonly processors: N8nProcess[],
		/** by name */
		readonly workers: Map<string, N8nProcess>,
	) {}

	static async start({ processors = 2, workers = 4, env = {} as NodeJS.ProcessEnv } = {}): Promise<Cluster> {
		const { runtime, tarball } = underTest();
		const servers = await startServers();
		const guide = await readGuide();
		const options = {
			runtime,
			tarball,
			env: {
				...guide.env,
				...servers.env,
				// n8n's default engine starts an isolated V8 for each push and each execution. Nine processes share two
				// cores here, and it would use most of them.
				N8N_EXPRESSION_ENGINE: 'legacy',
				// The guide's five minutes are too long for a test.
				N8N_EXECUTIONS_QUEUE_RECOVERY_INTERVAL: '1',
				// Lets a call name the worker that sends it.
				N8N_BLOCK_ENV_ACCESS_IN_NODE: 'false',
				...env,
			},
		};
		const cluster = new Cluster(servers, options, guide, await N8n.start(options), [], new Map());
		try {
			await Promise.all([
				...Array.from({ length: processors }, async () => await cluster.addProcessor()),
				...Array.from(
					{ length: workers },
					async (_, index) => await cluster.addWorker(`worker-${index + 1}`),
				),
			]);
		} catch (error) {
			await cluster.stop();
			throw error;
		}
		return cluster;
	}

	async addProcessor(): Promise<N8nProcess> {
		const processor = await N8nProcess.start({ ...this.options, command: this.guide.process('webhook') });
		this.processors.push(processor);
		return processor;
	}

	/** @param name the value of `$env.WORKER` in the worker's expressions */
	async addWorker(name: string): Promise<void> {
		const env = { ...this.options.env, WORKER: name };
		const command = this.guide.process('worker');
		this.workers.set(name, await N8nProcess.start({ ...this.options, command, env }));
	}

	async killWorker(name: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
		await this.worker(name).stop({ keepUserFolder: true, signal });
	}

	/** Restarts a worker that has ended. */
	async restartWorker(name: string): Promise<void> {
		this.workers.set(name, await this.worker(name).restart());
	}

	private worker(name: string): N8nProcess {
		const worker = this.workers.get(name);
		if (!worker) throw new Error(`There is no ${name}.`);
		return worker;
	}

	/** Restarts a webhook processor that has ended, on the same port. */
	async startProcessorAgain(processor: N8nProcess): Promise<void> {
		this.processors[this.processors.indexOf(processor)] = await processor.restart();
	}

	/** Creates and activates a workflow that starts with the trigger. Returns its Production URL at each webhook processor. */
	async listen(
		parameters?: Record<string, unknown>,
		behind?: Behind,
	): Promise<{ workflow: Workflow; urls: string[] }> {
		const workflow = await pushWorkflow(this.main, parameters, behind);
		await this.main.activate(workflow);
		const path = productionPath(workflow);
		for (const { url } of this.processors) await this.main.untilListening(path, url);
		return { workflow, urls: this.processors.map(({ url }) => `${url}/webhook/${path}`) };
	}

	/** Reads a workflow's executions from the database, the oldest first. */
	async executions({ id }: Workflow): Promise<StoredExecution[]> {
		const rows = await this.servers.query(
			`select e.id, e.status, coalesce(substring(d.data from '"([a-z]+-[0-9]+\\.)"'), '')
			from execution_entity e left join execution_data d on d."executionId" = e.id
			where e."workflowId" = '${id}' order by e.id`,
		);
		return rows.map(([rowId = '', status = '', customerId = '']) => ({ id: rowId, status, customerId }));
	}

	/** Waits until at least `count` executions of a workflow have ended, with any status, and none is open. */
	async ended(workflow: Workflow, count: number, withinMs = 120_000): Promise<StoredExecution[]> {
		let seen: StoredExecution[] = [];
		await until(
			`${count} executions to end`,
			async () => {
				seen = await this.executions(workflow);
				const open = seen.filter(({ status }) => ['new', 'running', 'waiting'].includes(status));
				return seen.length >= count && open.length === 0;
			},
			withinMs,
			250,
		);
		return seen;
	}

	async stop(): Promise<void> {
		await Promise.all([
			...[...this.workers.values(), ...this.processors].map(async (one) => await one.stop()),
			this.main.stop(),
		]);
		await this.servers.stop();
	}
}
