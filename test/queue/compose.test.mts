// The compose files that users start from. These tests run without Docker: they start the same processes with the file's
// environment, each with an empty folder as in a new container. n8n's own installer installs this package.
import { createCredentials } from '../support/credentials.mts';
import { differencesOf } from '../support/differences.mts';
import { N8n } from '../support/n8n/n8n.mts';
import { N8nProcess, type ProcessOptions } from '../support/n8n/n8nProcess.mts';
import { PACKAGE, publish, type Published } from '../support/n8n/published.mts';
import { DEFAULT_N8N, fetchRuntime, OLDEST_N8N, type Runtime } from '../support/n8n/runtime.mts';
import { ACKNOWLEDGEMENT, send } from '../support/pushes.mts';
import { underTest } from '../support/underTest.mts';
import { until } from '../support/until.mts';
import {
	accepted,
	acknowledge,
	actionNode,
	actionWorkflow,
	FROM_ITEM,
	outputOf,
	productionPath,
	pushWorkflow,
} from '../support/workflows.mts';
import { Sandbox } from '../sandbox/server.mts';
import { readCompose, type Service } from './compose.mts';
import { startServers, type Servers } from './servers.mts';

// The older n8n may have to be downloaded first.
jest.setTimeout(900_000);

const PACKAGES = '/rest/community-packages';
const SECRETS = { N8N_ENCRYPTION_KEY: 'a key', POSTGRES_PASSWORD: 'a password' };

test('one n8n: installs, updates and removes the package as the list in the compose file says', async () => {
	const { n8n: service, ...others } = await readCompose('one-n8n.yml', {});
	if (!service) throw new Error('The file has no n8n.');
	expect(others).toEqual({});
	expect(service.image).toBe(`n8nio/n8n:${DEFAULT_N8N}`);
	const published = await publish(underTest().tarball);
	const { environment, command } = service;
	const env = { ...environment, ...published.env };
	let n8n = await N8n.start({ runtime: await fetchRuntime(), command, env });
	const versions = async () => {
		const listed = await n8n.get<Array<Record<string, unknown>>>(PACKAGES);
		return listed.map(({ installedVersion }) => installedVersion);
	};
	try {
		expect(await versions()).toEqual([published.version]);
		const update = environment.N8N_COMMUNITY_PACKAGES?.replace(published.version, published.newer);
		n8n = await n8n.restart({ ...env, N8N_COMMUNITY_PACKAGES: update });
		expect(await versions()).toEqual([published.newer]);
		n8n = await n8n.restart({ ...env, N8N_COMMUNITY_PACKAGES: '[]' });
		expect(await versions()).toEqual([]);
	} finally {
		await n8n.stop();
		await published.remove();
	}
});

test('queue mode: refuses to start until the user has set both secrets', async () => {
	for (const [name, secret] of Object.entries(SECRETS)) {
		await expect(readCompose('queue-mode.yml', { [name]: secret })).rejects.toThrow('and keep it');
	}
});

describe.each([DEFAULT_N8N, OLDEST_N8N])('queue mode, n8n %s', (version) => {
	let runtime: Runtime;
	let services: Record<string, Service>;
	let servers: Servers;
	let published: Published;
	let sandbox: Sandbox;
	let main: N8n;
	const others: N8nProcess[] = [];

	/** The settings of a service, with the addresses of the servers in this test. */
	function options(name: string): ProcessOptions {
		const service = services[name];
		if (!service) throw new Error(`The file has no ${name}.`);
		const { environment, command } = service;
		expect(Object.keys(environment)).toEqual(expect.arrayContaining(Object.keys(servers.env)));
		expect(services).toHaveProperty(environment.DB_POSTGRESDB_HOST ?? '');
		expect(services).toHaveProperty(environment.QUEUE_BULL_REDIS_HOST ?? '');
		return { runtime, command, env: { ...environment, ...servers.env, ...published.env } };
	}

	async function startOther(name: string): Promise<N8nProcess> {
		const started = await N8nProcess.start(options(name));
		others.push(started);
		return started;
	}

	beforeAll(async () => {
		runtime = await fetchRuntime(version);
		services = await readCompose('queue-mode.yml', SECRETS);
		servers = await startServers();
		published = await publish(underTest().tarball);
		sandbox = await Sandbox.start();
		main = await N8n.start(options('n8n'));
	});
	afterAll(async () => {
		await Promise.all(others.map(async (one) => await one.stop()));
		await main.stop();
		await servers.stop();
		await published.remove();
		await sandbox.close();
	});

	test('every process installs the package; a manual execution and a push both reach Sobot', async () => {
		const { version: installed } = published;
		const listed = async () => await main.get(PACKAGES);
		let processor: N8nProcess | undefined;
		if (!differencesOf(version).installsFromEnvironment) {
			// This processor is already running when the main installs the package.
			const follower = (processor = await startOther('webhook'));
			await main.post(PACKAGES, { name: `${PACKAGE}@${installed}` });
			await until('the processor to install the package too', () =>
				follower.log.includes(`Community package installed: ${PACKAGE}`),
			);
		}
		expect(await listed()).toEqual([
			expect.objectContaining({ packageName: PACKAGE, installedVersion: installed }),
		]);
		processor ??= await startOther('webhook');
		await startOther('worker');

		const credentials = await createCredentials(main, sandbox);
		const byHand = await actionWorkflow(main, credentials, [{ id: 'c-0', name: 'Bo' }], FROM_ITEM);
		expect(outputOf(await main.execute(byHand), 'Sobot').map(({ json }) => json)).toEqual([accepted('c-0')]);

		const fromPush = { contactId: '={{ $json.customerId }}', nick: '={{ $json.nickname }}' };
		const workflow = await pushWorkflow(
			main,
			{ responseMode: 'responseNode' },
			{ after: [actionNode(credentials, fromPush), acknowledge()] },
		);
		await main.activate(workflow);
		await main.untilListening(productionPath(workflow), processor.url);
		const url = `${processor.url}/webhook/${productionPath(workflow)}`;
		const { body } = await send(url, JSON.stringify({ id: 'c-1', pid: '1', nick: 'Ana' }));
		expect(body).toBe(ACKNOWLEDGEMENT);
		expect(sandbox.accepted.map(({ raw }) => JSON.parse(raw) as unknown)).toEqual([
			{ Contact_id: 'c-0', nick: 'Bo' },
			{ Contact_id: 'c-1', nick: 'Ana' },
		]);
	});
});
