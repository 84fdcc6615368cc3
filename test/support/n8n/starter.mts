// Jest's global set-up for tests that need an n8n, also from an IDE: packs the package, and starts an n8n once a test file asks
// for it. Each of Jest's processes has one to itself, since n8n 1 mixes up the database transactions of concurrent requests.
import { createServer } from 'node:http';
import { listenOnFreePort } from '../freePort.mts';
import { leaveNothingBehind } from '../processes.mts';
import type { UnderTest } from '../underTest.mts';
import { N8n } from './n8n.mts';
import { packPackage } from './n8nProcess.mts';
import { fetchRuntime } from './runtime.mts';

/** by the path that a process of Jest asks with */
const n8ns = new Map<string, Promise<N8n>>();
const starter = createServer();

export async function setUp(): Promise<void> {
	leaveNothingBehind();
	const runtime = await fetchRuntime(process.env.N8N_VERSION);
	console.log('Packing this package as it is published ...');
	const tarball = await packPackage();
	starter.on('request', ({ url = '' }, response) => {
		const n8n = n8ns.get(url) ?? N8n.start({ runtime, tarball, isWhole: true });
		n8ns.set(url, n8n);
		n8n.then(
			(started) => response.end(started.url),
			(error: unknown) => response.writeHead(500).end(String(error)),
		);
	});
	const underTest: UnderTest = { runtime, tarball, starter: await listenOnFreePort(starter) };
	process.env.N8N_UNDER_TEST = JSON.stringify(underTest);
}

export async function tearDown(): Promise<void> {
	starter.close();
	await Promise.all([...n8ns.values()].map(async (n8n) => await (await n8n).stop({ signal: 'SIGKILL' })));
}
