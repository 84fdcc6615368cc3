// n8n with the preview of its Engine 2.0, and workflows that run on it. No switch in the editor leads there: the engine has a
// database of its own, and each workflow asks for it in its settings.
import { createCredentials, sobotApiFields } from '../support/credentials.mts';
import { freePort } from '../support/freePort.mts';
import { N8n, type Execution, type Item, type Workflow } from '../support/n8n/n8n.mts';
import { startPostgres, type Postgres } from '../support/postgres.mts';
import { underTest, type Setting } from '../support/underTest.mts';
import { Sandbox } from '../sandbox/server.mts';

export const ON_ENGINE_2 = { engineType: 'v2' };

interface Engine2 extends Setting {
	postgres: Postgres;
}

/** An n8n with Engine 2.0 for a test file, and for each of its tests a Sobot with a credential that holds no token yet. */
export function shareEngine2(): Engine2 {
	const setting = {} as Engine2;
	// Jest does not end as long as a server runs, so what has started is stopped even if the rest has not.
	const stops: Array<() => Promise<void>> = [];
	beforeAll(async () => {
		const { runtime, tarball } = underTest();
		setting.postgres = await startPostgres();
		stops.push(async () => await setting.postgres.stop());
		const env = {
			N8N_ENABLED_MODULES: 'engine-v2',
			N8N_ENGINE_DATABASE_URL: setting.postgres.url,
			N8N_ENGINE_HOST: '127.0.0.1',
			N8N_ENGINE_PORT: String(await freePort()),
			N8N_ENGINE_CONTROL_PLANE_PORT: String(await freePort()),
		};
		setting.n8n = await N8n.start({ runtime, tarball, env });
		stops.push(async () => await setting.n8n.stop());
	});
	beforeEach(async () => {
		setting.sandbox = await Sandbox.start();
		setting.credentials = await createCredentials(setting.n8n, setting.sandbox);
	});
	afterEach(async () => await setting.sandbox.close());
	afterAll(async () => {
		for (const stop of stops.reverse()) await stop();
	});
	return setting;
}

/** Presses the editor's Test for the stored credential, which stores a token. */
export async function storeToken({ n8n, sandbox, credentials }: Setting): Promise<void> {
	const credential = { ...credentials.sobotApi, type: 'sobotApi', data: sobotApiFields(sandbox) };
	const { status } = await n8n.post<{ status: string }>('/rest/credentials/test', {
		credentials: credential,
	});
	expect(status).toBe('OK');
}

/** The same workflow, on Engine 2.0 from now on. */
export async function onEngine2(n8n: N8n, workflow: Workflow): Promise<Workflow> {
	return await n8n.updateWorkflow(workflow, { settings: ON_ENGINE_2 });
}

/** Only that engine's executions have a UUID. */
export function expectEngine2({ id }: { id: string }): void {
	expect(id).toMatch(/^[0-9a-f]{8}-/);
}

/** The action's output of all its runs. */
export function outputsOf(execution: Execution): Array<Item['json']> {
	const runs = execution.data.resultData.runData.Sobot ?? [];
	return runs.flatMap(({ data }) => (data?.main[0] ?? []).map(({ json }) => json));
}
