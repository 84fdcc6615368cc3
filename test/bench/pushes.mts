// Pushes a second and how long the acknowledgement takes: this trigger, a trigger of another package that does nothing,
// and n8n's own Webhook node, alternating in one n8n; then ten thousand pushes in a row.
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPushCredential } from '../support/credentials.mts';
import { ACKNOWLEDGEMENT } from '../support/pushes.mts';
import { node, listen, chain, type SavedNode } from '../support/workflows.mts';
import { N8n } from '../support/n8n/n8n.mts';
import type { Runtime, Say } from '../support/n8n/runtime.mts';
import { until } from '../support/until.mts';
import { liveMegabytes, probing } from './costs.mts';
import { table } from '../support/table.mts';
import { ratio } from './figures.mts';

const SECRET = 'a-long-push-secret';
/**
 * How many at once, and how many in a burst: about a second of each with n8n's default engine, half a second with its legacy
 * one. A machine is now faster, now slower: many short turns see the same of it.
 */
const LOADS = [
	[1, 20, 50],
	[8, 24, 80],
	[64, 64, 128],
] as const;
/** turns of each at each load; with the legacy engine more, since they are shorter */
export const TURNS = 12;
export const LEGACY_TURNS = 25;
const MANY = 10_000;

const OTHER = 'an empty trigger';
const OWN = "n8n's Webhook node";
/**
 * Two operations are expensive in n8n itself: reading a credential, and saving a trigger's static data. Triggers that need
 * them are compared only with triggers that perform them too.
 */
const WITH_SECRET = ', header secret';
const WITH_MEMORY = ', saves static data';
const THIS_WITH_MEMORY = 'this trigger, with Ignore Repeats For';

interface Subject {
	name: string;
	url: string;
	/** how the names of the triggers end that it is compared with */
	like?: string;
}

interface Burst {
	seconds: number;
	acknowledged: number;
	/** milliseconds that each acknowledgement took */
	tookMs: number[];
}

let customers = 0;

/** A profile as Sobot sends it, of another customer each time. */
function profile(): string {
	const id = `c-${customers++}`;
	return JSON.stringify({
		id,
		pid: '456',
		nick: 'John',
		uname: 'John Doe',
		email: '15612661266@163.com;15612661267@163.com',
		tel: '1234567890',
		is_vip: '0',
		vip_level: 'Gold',
		user_label: '581dfa5ff16644619d8a7e1a45632a79,33d090699539491d9a0cc75f896453bc',
		ex_fields: { '040778587416412fba9941ea482407f2': '123' },
	});
}

async function push(url: string, agent: Agent): Promise<string> {
	const body = profile();
	return await new Promise((resolve, reject) => {
		const headers = {
			'content-type': 'application/json',
			'content-length': Buffer.byteLength(body),
			'x-sobot-key': SECRET,
		};
		const call = request(url, { method: 'POST', agent, headers }, (response) => {
			let text = '';
			response.on('data', (chunk) => (text += String(chunk)));
			response.on('end', () => resolve(text));
		});
		call.on('error', reject);
		call.end(body);
	});
}

async function burst(url: string, atOnce: number, count: number): Promise<Burst> {
	const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
	const tookMs: number[] = [];
	let acknowledged = 0;
	let left = count;
	const startedMs = performance.now();
	const lane = async () => {
		while (left-- > 0) {
			const sentMs = performance.now();
			if ((await push(url, agent)) === ACKNOWLEDGEMENT) acknowledged++;
			tookMs.push(performance.now() - sentMs);
		}
	};
	await Promise.all(Array.from({ length: atOnce }, lane));
	agent.destroy();
	return { seconds: (performance.now() - startedMs) / 1000, acknowledged, tookMs };
}

async function idle(n8n: N8n): Promise<void> {
	const filter = encodeURIComponent(JSON.stringify({ status: ['new', 'running'] }));
	await until(
		'executions to end',
		async () =>
			(await n8n.get<{ results: unknown[] }>(`/rest/executions?filter=${filter}&limit=1`)).results.length ===
			0,
		120_000,
		200,
	);
}

async function listening(n8n: N8n, name: string, trigger: SavedNode, path: string): Promise<Subject> {
	const next = node('Next', 'n8n-nodes-base.noOp', 1, {});
	const workflow = await n8n.createWorkflow({
		name,
		nodes: [trigger, next],
		connections: chain(trigger.name, 'Next'),
	});
	await n8n.activate(workflow, path);
	return { name, url: `${n8n.url}/webhook/${path}` };
}

async function subjects(n8n: N8n): Promise<Subject[]> {
	const pushCredential = await createPushCredential(n8n, {
		method: 'header',
		headerName: 'x-sobot-key',
		secret: SECRET,
	});
	const sobot = async (name: string, parameters: Record<string, unknown>, credentials = {}) => {
		const { url } = await listen(n8n, parameters, { credentials });
		return { name, url };
	};
	const httpHeaderAuth = await n8n.createCredential('httpHeaderAuth', 'header secret', {
		name: 'x-sobot-key',
		value: SECRET,
	});
	const other = async (name: string, more: Partial<SavedNode> = {}) => {
		const id = randomUUID();
		const trigger = { ...node('Push', 'n8n-nodes-empty-trigger.emptyTrigger', 1, {}), webhookId: id };
		return await listening(n8n, name, { ...trigger, ...more }, `${id}/webhook`);
	};
	const own = async (name: string, parameters = {}, credentials = {}) => {
		const path = randomUUID();
		const trigger = node('Push', 'n8n-nodes-base.webhook', 2, {
			httpMethod: 'POST',
			path,
			responseMode: 'onReceived',
			options: { responseData: ACKNOWLEDGEMENT },
			...parameters,
		});
		return await listening(n8n, name, { ...trigger, webhookId: path, credentials }, path);
	};
	return [
		await other(OTHER),
		await own(OWN),
		await sobot('this trigger', { options: { ignoreRepeatsMinutes: 0 } }),
		{ ...(await other(OTHER + WITH_MEMORY, { notes: 'remembers' })), like: WITH_MEMORY },
		{
			...(await sobot(THIS_WITH_MEMORY, {})),
			like: WITH_MEMORY,
		},
		{ ...(await other(OTHER + WITH_SECRET, { credentials: { httpHeaderAuth } })), like: WITH_SECRET },
		{
			...(await own(OWN + WITH_SECRET, { authentication: 'headerAuth' }, { httpHeaderAuth })),
			like: WITH_SECRET,
		},
		{
			...(await sobot(
				'this trigger' + WITH_SECRET,
				{ authentication: 'sobotWebhookAppApi', options: { ignoreRepeatsMinutes: 0 } },
				pushCredential,
			)),
			like: WITH_SECRET,
		},
	];
}

/** Of all bursts together, but for the slowest and the fastest tenth. */
function perSecond(bursts: readonly Burst[]): number {
	const all = bursts.map(({ seconds }) => seconds).toSorted((a, b) => a - b);
	const tenth = Math.floor(all.length / 10);
	const kept = all.slice(tenth, all.length - tenth);
	return ((bursts[0]?.tookMs.length ?? NaN) * kept.length) / kept.reduce((sum, one) => sum + one, 0);
}

function percentile(values: number[], share: number): string {
	return (values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? NaN).toFixed(0);
}

/** Pushes a second by each subject, interleaved, against the two that a user could have instead. */
export async function pushRates(
	runtime: Runtime,
	tarball: string,
	engine: string | undefined,
	say: Say,
): Promise<string> {
	const n8n = await N8n.start({
		runtime,
		tarball,
		isWhole: true,
		morePackages: [resolve('test/bench/empty-trigger')],
		env: engine ? { N8N_EXPRESSION_ENGINE: engine } : {},
	});
	const isLegacy = engine === 'legacy';
	try {
		const all = await subjects(n8n);
		// As many as a trigger stores, and some.
		for (const { url } of all) await burst(url, 8, isLegacy ? 320 : 40);
		for (const { url, name } of all) if (name === THIS_WITH_MEMORY) await burst(url, 8, 320);
		const rows: string[][] = [];
		const turns = isLegacy ? LEGACY_TURNS : TURNS;
		for (const [atOnce, few, many] of LOADS) {
			const count = isLegacy ? many : few;
			const bursts = new Map<string, Burst[]>(all.map(({ name }) => [name, []]));
			for (let turn = 1; turn <= turns; turn++) {
				say(`  ${atOnce} at once, ${turn} of ${turns} ...`);
				// Another one begins in each turn.
				for (const [index] of all.entries()) {
					const subject = all[(index + turn) % all.length];
					if (!subject) continue;
					await idle(n8n);
					bursts.get(subject.name)?.push(await burst(subject.url, atOnce, count));
				}
			}
			const rate = (name: string) => perSecond(bursts.get(name) ?? []);
			for (const { name, like = '' } of all) {
				const list = bursts.get(name) ?? [];
				const took = list.flatMap(({ tookMs }) => tookMs);
				rows.push([
					`${atOnce}`,
					name,
					rate(name).toFixed(0),
					percentile(took, 0.5),
					percentile(took, 0.99),
					ratio(rate(name) / rate(OTHER + like)),
					bursts.has(OWN + like) ? ratio(rate(name) / rate(OWN + like)) : '',
					`${list.reduce((sum, { acknowledged }) => sum + acknowledged, 0)} of ${count * turns}`,
				]);
			}
		}
		return table(
			[
				'In parallel',
				'Trigger',
				'Pushes a second',
				'p50 (ms)',
				'p99 (ms)',
				`Rate / ${OTHER}`,
				`Rate / ${OWN}`,
				'Acknowledged',
			],
			rows,
		);
	} finally {
		await n8n.stop();
	}
}

/** Ten thousand pushes in a row to one trigger that remembers repeats: what was acknowledged, and what memory is left. */
export async function manyPushes(runtime: Runtime, tarball: string, say: Say): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), 'sobot-memory-'));
	const file = join(folder, 'bytes');
	const n8n = await N8n.start({
		runtime,
		tarball,
		isWhole: true,
		morePackages: [resolve('test/bench/empty-trigger')],
		// With the default engine this would take half an hour, and measure n8n's isolates.
		env: { ...probing(file), EXECUTIONS_DATA_PRUNE: 'false', N8N_EXPRESSION_ENGINE: 'legacy' },
	});
	try {
		const all = await subjects(n8n);
		const rows: string[][] = [];
		for (const name of [THIS_WITH_MEMORY, OTHER]) {
			const subject = all.find((one) => one.name === name);
			if (!subject) throw new Error(`There is no ${name}.`);
			await burst(subject.url, 64, 1000);
			await idle(n8n);
			const settled = async () => {
				await sleep(3000);
				return await liveMegabytes(n8n, file);
			};
			const before = await settled();
			const countBefore = await executionCount(n8n);
			say(`  ${MANY} pushes in a row: ${name} ...`);
			const inARow = await burst(subject.url, 64, MANY);
			await idle(n8n);
			const count = await executionCount(n8n);
			const after = await settled();
			rows.push([
				name,
				`${inARow.acknowledged} of ${MANY}`,
				`${count - countBefore}`,
				perSecond([inARow]).toFixed(0),
				`${before.toFixed(1)} MB`,
				`${after.toFixed(1)} MB`,
			]);
		}
		return table(
			['Trigger', 'Acknowledged', 'Executions', 'Pushes a second', 'Memory before', 'Memory afterwards'],
			rows,
		);
	} finally {
		await n8n.stop();
		await rm(folder, { recursive: true, force: true });
	}
}

async function executionCount(n8n: N8n): Promise<number> {
	return (await n8n.get<{ count: number }>('/rest/executions?limit=1')).count;
}
