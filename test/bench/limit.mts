// The action at Sobot's limit: alone, with others that leave it only a part, and in several processes.
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Credentials } from '../support/credentials.mts';
import type { N8n } from '../support/n8n/n8n.mts';
import type { Say } from '../support/n8n/runtime.mts';
import { startProcess } from '../support/processes.mts';
import { DEMO_CANVAS, Sandbox } from '../sandbox/server.mts';
import {
	httpRequestWorkflow,
	ITEMS,
	measure,
	ON_THE_WAY,
	ROUNDS,
	seenBy,
	thisNode,
	type Seen,
} from './batch.mts';
import { table } from '../support/table.mts';
import { median, percent, ratio } from './figures.mts';
import type { Assignment } from './process.mts';

const AT_WORK = { minMs: 600, maxMs: 1200 };

export async function atTheLimit(n8n: N8n, say: Say): Promise<string> {
	const rows: string[][] = [];
	for (const [what, more] of [
		['(a) no work', {}],
		['(b) 0.6-1.2 s of work', { atWork: AT_WORK }],
	] as const) {
		for (const [who, make] of [
			['this node', async (c: Credentials) => await thisNode(n8n, c)],
			[
				'HTTP Request node, 50 each second',
				async (c: Credentials, s: Sandbox) => await httpRequestWorkflow(n8n, c, s),
			],
		] as const) {
			const runs: Seen[] = [];
			for (let round = 1; round <= ROUNDS; round++) {
				say(`  ${what}: ${who}, ${round} of ${ROUNDS} ...`);
				runs.push(await measure(n8n, { onTheWay: ON_THE_WAY, ...more }, make));
			}
			const shares = runs.map(({ perSecond }) => perSecond / 50);
			rows.push([
				what,
				who,
				`${Math.min(...runs.map(({ accepted }) => accepted))} of ${ITEMS}`,
				`${Math.max(...runs.map(({ twice }) => twice))}`,
				`${ratio(median(shares))} (${ratio(Math.min(...shares))})`,
				percent(Math.max(...runs.map(({ refusedShare }) => refusedShare))),
				`${Math.max(...runs.map(({ tokens }) => tokens))}`,
			]);
		}
	}
	return table(
		[
			'Sobot',
			'Sent by',
			'Accepted',
			'Sent twice',
			'Share of the limit, median (worst)',
			'Calls refused',
			'Token requests',
		],
		rows,
	);
}

export async function withOthers(n8n: N8n, say: Say): Promise<string> {
	const left = 20;
	const count = 600;
	say(`  ${left} a second left by others ...`);
	const seen = await measure(n8n, { onTheWay: ON_THE_WAY }, async (c) => await thisNode(n8n, c, count), left);
	return table(
		['Left by other programs', 'Accepted', 'Sent twice', 'Share of what is left', 'Calls refused'],
		[
			[
				`${left} a second`,
				`${seen.accepted} of ${count}`,
				`${seen.twice}`,
				ratio(seen.perSecond / left),
				percent(seen.refusedShare),
			],
		],
	);
}

export async function severalProcesses(say: Say): Promise<string> {
	const rows: string[][] = [];
	for (const count of [2, 4]) {
		say(`  ${count} processes, ${ITEMS} items each; this takes ${count * 21} s ...`);
		const sandbox = await Sandbox.start();
		try {
			const value = sandbox.account.renewToken(Date.now());
			const token = { value, fetchedAtMs: Date.now(), expiresAtMs: Date.now() + 86_400_000 };
			sandbox.misbehave({ on: 'trigger', onTheWay: ON_THE_WAY });
			const { triggerId, secret } = DEMO_CANVAS;
			const workers = Array.from({ length: count }, (_, i) => {
				const assignment: Assignment = {
					name: `p${i}`,
					items: ITEMS,
					baseUrl: sandbox.url,
					triggerId,
					secret,
					token,
				};
				const child = startProcess(
					'node',
					['--import', 'tsx', join('test', 'bench', 'process.mts'), JSON.stringify(assignment)],
					{
						stdio: ['pipe', 'pipe', 'inherit'],
					},
				);
				if (!child.stdout) throw new Error('The process has no output.');
				return { child, lines: createInterface(child.stdout)[Symbol.asyncIterator]() };
			});
			await Promise.all(workers.map(async ({ lines }) => await lines.next()));
			for (const { child } of workers) child.stdin?.end('start\n');
			const outcomes = await Promise.all(
				workers.map(async ({ lines }) => JSON.parse(String((await lines.next()).value)) as string[]),
			);
			await Promise.all(workers.map(async ({ child }) => child.exitCode ?? (await once(child, 'exit'))));
			const { accepted } = sandbox;
			// Fair shares are compared only while all of them have something to send.
			const lastOf = (i: number) =>
				Math.max(
					...accepted
						.filter(({ contactId }) => contactId.startsWith(`p${i}-`))
						.map(({ arrivedAtMs }) => arrivedAtMs),
				);
			const allBusyUntilMs = Math.min(...workers.map((_, i) => lastOf(i)));
			const busy = accepted.filter(({ arrivedAtMs }) => arrivedAtMs <= allBusyUntilMs);
			const least = Math.min(
				...workers.map((_, i) => busy.filter(({ contactId }) => contactId.startsWith(`p${i}-`)).length),
			);
			const seen = seenBy(sandbox);
			const together =
				(busy.length - 1) /
				((allBusyUntilMs - Math.min(...busy.map(({ arrivedAtMs }) => arrivedAtMs))) / 1000);
			const reported = outcomes.flat().filter((outcome) => outcome === 'accepted').length;
			rows.push([
				`${count}`,
				`${seen.accepted} of ${count * ITEMS}`,
				`${reported}`,
				`${seen.twice}`,
				ratio(together / 50),
				ratio(seen.perSecond / 50),
				percent(seen.refusedShare),
				ratio(least / (busy.length / count)),
			]);
		} finally {
			await sandbox.close();
		}
	}
	return table(
		[
			'Processes',
			'Accepted',
			'Reported as accepted',
			'Sent twice',
			'Share of the limit, while all send',
			'Share of the limit, overall',
			'Calls refused',
			'Smallest share / fair share',
		],
		rows,
	);
}
