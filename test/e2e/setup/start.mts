// Before the end-to-end tests: packs this package and starts one n8n with it for all of them.
import { fetchRuntime } from '../../n8n/runtime.mts';
import { N8n, packPackage } from '../../n8n/n8n.mts';

const say = (line: string) => process.stderr.write(`${line}\n`);

export default async function start(): Promise<void> {
	const runtime = await fetchRuntime(process.env.N8N_VERSION, say);
	say('Packing this package ...');
	const tarball = await packPackage();
	say(`Starting n8n ${runtime.version} with it ...`);
	const n8n = await N8n.start({ runtime, tarball });
	say(`n8n is ready on ${n8n.url}`);
	globalThis.n8nUnderTest = n8n;
	// For the test files, which run in worlds of their own.
	process.env.N8N_UNDER_TEST = JSON.stringify({ url: n8n.url, runtime, tarball });
}

declare global {
	var n8nUnderTest: N8n | undefined;
}
