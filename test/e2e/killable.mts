// An n8n of its own that tests kill and start again, and batches in it that are cut off.
import { createCredentials, type Credentials } from '../support/credentials.mts';
import { Cut, ITEMS_OF_LIST, PUSHED_AGAIN } from '../support/cut.mts';
import { N8n, type Execution, type Workflow } from '../support/n8n/n8n.mts';
import { underTest } from '../support/underTest.mts';
import { until } from '../support/until.mts';
import { listen, productionPath, type Behind, type SavedNode } from '../support/workflows.mts';
import { Sandbox, type SandboxOptions } from '../sandbox/server.mts';

interface Killable {
	n8n: N8n;
	sandbox: Sandbox;
	credentials: Credentials;
	/** Kills n8n, and starts it again. */
	kill: () => Promise<void>;
}

/** The n8n of a test file, ready when its tests run. */
export function shareKillable(options?: SandboxOptions): Readonly<Killable> {
	const setting = {} as Killable;
	setting.kill = async () => {
		await setting.n8n.stop({ keepUserFolder: true, signal: 'SIGKILL' });
		setting.n8n = await setting.n8n.restart();
	};
	beforeAll(async () => {
		const { runtime, tarball } = underTest();
		setting.n8n = await N8n.start({ runtime, tarball });
		setting.sandbox = await Sandbox.start(options);
		setting.credentials = await createCredentials(setting.n8n, setting.sandbox);
	});
	afterAll(async () => {
		await setting.n8n.stop();
		await setting.sandbox.close();
	});
	return setting;
}

/** A batch in that n8n. */
export class N8nCut extends Cut {
	private constructor(
		private readonly setting: Killable,
		batch: string,
		workflow: Workflow,
		url: string,
		count?: number,
	) {
		super(setting.sandbox, batch, workflow, url, count);
	}

	/** @param after the nodes behind the one that makes an item of each customer */
	static async create(
		setting: Killable,
		batch: string,
		after: SavedNode[],
		{ count, ...behind }: Behind & { count?: number } = {},
	): Promise<N8nCut> {
		const { workflow, url } = await listen(setting.n8n, PUSHED_AGAIN, {
			...behind,
			after: [ITEMS_OF_LIST, ...after],
		});
		return new N8nCut(setting, batch, workflow, url, count);
	}

	/** A new execution with the same customers. */
	async again(): Promise<Execution> {
		const { n8n } = this.setting;
		await n8n.untilListening(productionPath(this.workflow));
		const before = (await n8n.executions(this.workflow)).map(({ id }) => id);
		await this.launch();
		let started: string | undefined;
		await until('the new execution', async () => {
			started = (await n8n.executions(this.workflow)).find(({ id }) => !before.includes(id))?.id;
			return started !== undefined;
		});
		return await n8n.finished(started ?? '');
	}

	/** @param loadWorkflow with the workflow as it is saved now, instead of the original one */
	async retry(loadWorkflow = false): Promise<Execution> {
		return await this.setting.n8n.retry(await this.crashed(), loadWorkflow);
	}

	/** The ID of the crashed execution. */
	async crashed(): Promise<string> {
		return await crashedOf(this.setting.n8n, this.workflow);
	}
}

/** Waits for the ID of a workflow's crashed execution: n8n 1 looks for such a while after its start. */
export async function crashedOf(n8n: N8n, workflow: Workflow): Promise<string> {
	let crashed: { id: string; status: string } | undefined;
	await until(
		'n8n to call it crashed',
		async () => {
			[crashed] = await n8n.executions(workflow);
			return crashed?.status === 'crashed';
		},
		120_000,
	);
	return crashed?.id ?? '';
}
