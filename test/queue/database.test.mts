// The load that the package puts on n8n's database: counted by PostgreSQL, and projected to many workers.
import { createCredentials } from '../support/credentials.mts';
import { ACKNOWLEDGEMENT, send } from '../support/pushes.mts';
import { until } from '../support/until.mts';
import { Sandbox } from '../sandbox/server.mts';
import { Cluster } from './cluster.mts';
import { report } from './figures.mts';
import { customers, sendingWorkflow, type Sending } from './sending.mts';

jest.setTimeout(400_000);

const MORE_CUSTOMERS = 200;
const PUSHES = 50;
/** The projection assumes executions of this size. */
const CUSTOMERS_OF_AN_EXECUTION = 100;
const CALLS_PER_SECOND = 50;
/** Maximum size of a trigger's memory of earlier pushes. A unit test keeps it below this. */
const MEMORY_KB = 6;

interface Asked {
	/** reads of credentials */
	reads: number;
	/** writes of credentials */
	writes: number;
	/** writes of the workflow's static data */
	memoryWrites: number;
	/** writes of the list of customers of a node */
	listWrites: number;
}

let cluster: Cluster;
let sandbox: Sandbox;
let sending: Sending;

beforeAll(async () => {
	cluster = await Cluster.start({ processors: 1, workers: 1 });
	sandbox = await Sandbox.start();
	sending = await sendingWorkflow(cluster, await createCredentials(cluster.main, sandbox));
});
afterAll(async () => {
	await cluster.stop();
	await sandbox.close();
});

/** Counts the queries to the database while `act` runs. */
async function asked(act: () => Promise<unknown>): Promise<Asked> {
	await cluster.servers.query('select pg_stat_statements_reset()');
	await act();
	const count = async (pattern: string) => {
		const rows = await cluster.servers.query(
			`select coalesce(sum(calls), 0) from pg_stat_statements where query ~* '${pattern}'`,
		);
		return Number(rows[0]?.[0]);
	};
	return {
		reads: await count('^select.*"?credentials_entity'),
		writes: await count('^(update|insert).*"?credentials_entity'),
		memoryWrites: await count('^update.*"?workflow_entity.*"?staticData'),
		listWrites: await count('^(update|insert).*"?processed_data'),
	};
}

let executions = 0;

/** Sends `count` customers in one execution, and waits until it has ended. */
async function sent(count: number): Promise<void> {
	await sending.launch(customers(`d${executions}x`, count));
	await cluster.ended(sending.workflow, ++executions);
}

test('an execution reads its credentials a few times, however many customers it sends; a renewal reads them a few times more; a push writes at most its memory', async () => {
	// The first execution fetches the token.
	const first = await asked(async () => await sent(1));
	const one = await asked(async () => await sent(1));
	// With several items, two more reads show whether expressions in the credential depend on the item.
	const few = await asked(async () => await sent(2));
	const many = await asked(async () => await sent(2 + MORE_CUSTOMERS));
	sandbox.account.renewToken(Date.now());
	const renewing = await asked(async () => await sent(1));

	const push = async (options: Record<string, unknown>) => {
		const { workflow, urls } = await cluster.listen({ options });
		const result = await asked(async () => {
			for (let i = 0; i < PUSHES; i++) await send(urls[0] ?? '', JSON.stringify({ id: `m-${i}.` }));
			expect((await cluster.ended(workflow, PUSHES)).length).toBe(PUSHES);
		});
		return {
			reads: result.reads / PUSHES,
			writes: result.writes / PUSHES,
			memoryWrites: result.memoryWrites / PUSHES,
			listWrites: result.listWrites / PUSHES,
		};
	};
	const plain = await push({ ignoreRepeatsMinutes: 0 });
	const remembering = await push({});

	const perItem = (many.reads - few.reads + (many.writes - few.writes)) / MORE_CUSTOMERS;
	const listWrites = many.listWrites / (2 + MORE_CUSTOMERS);
	const row = (what: string, { reads, writes, memoryWrites, listWrites: lists }: Asked) => [
		what,
		...[reads, writes, memoryWrites, lists].map((n) => String(Math.round(n * 100) / 100)),
	];
	report(
		'database',
		[
			'What happens',
			'Reads of credentials',
			'Writes of credentials',
			"Writes of the trigger's memory",
			"Writes of the node's list",
		],
		[
			row('the very first execution, which fetches the token', first),
			row('an execution of one customer', one),
			row('an execution of several customers', few),
			row('each customer of a longer execution', { reads: perItem, writes: 0, memoryWrites: 0, listWrites }),
			row('an execution whose token another program has ended', renewing),
			row('a push', plain),
			row('a push, with Ignore Repeats For', remembering),
		],
	);
	const perSecond = (n: number) => (n >= 10 ? n.toFixed(0) : String(Math.round(n * 100) / 100));
	const executionsPerSecond = CALLS_PER_SECOND / CUSTOMERS_OF_AN_EXECUTION;
	const pushesPerSecond = 1e6 / 3600;
	const renewal = renewing.reads - one.reads;
	report(
		'further out',
		['Load', 'Reads a second', 'Writes a second'],
		[
			...[1, 1000].map((triggerIds) => [
				`${triggerIds} trigger ID${triggerIds > 1 ? 's' : ''} at ${triggerIds > 1 ? 'their' : 'its'} limit, executions of ${CUSTOMERS_OF_AN_EXECUTION} customers`,
				perSecond(triggerIds * executionsPerSecond * few.reads),
				perSecond(triggerIds * CALLS_PER_SECOND * listWrites),
			]),
			...[4, 256].map((workers) => [
				`${workers} workers whose token another program has ended, in the second in which they notice`,
				perSecond(workers * renewal),
				`1 to ${workers}`,
			]),
			[
				'1,000,000 pushes an hour',
				perSecond(pushesPerSecond * plain.reads),
				perSecond(pushesPerSecond * plain.memoryWrites),
			],
			[
				'1,000,000 pushes an hour, with Ignore Repeats For',
				perSecond(pushesPerSecond * remembering.reads),
				`${perSecond(pushesPerSecond * remembering.memoryWrites)}, of up to ${MEMORY_KB} kB`,
			],
		],
	);
	expect(perItem).toBe(0);
	expect(one.writes).toBe(0);
	expect([first.writes, renewing.writes]).toEqual([1, 1]);
	expect(plain).toEqual({ reads: 0, writes: 0, memoryWrites: 0, listWrites: 0 });
	expect(remembering).toEqual({ reads: 0, writes: 0, memoryWrites: 1, listWrites: 0 });
	expect([one.listWrites, few.listWrites]).toEqual([0, 0]);
	// At most about one write for ten customers.
	expect(listWrites).toBeGreaterThan(0);
	expect(listWrites).toBeLessThan(0.15);
});

test('n8n hides executions that succeed if it is not to keep them, and removes them later', async () => {
	const rows = [];
	for (const [kept, saveDataSuccessExecution] of [
		['keeps', 'all'],
		['does not keep', 'none'],
	] as const) {
		const { workflow, urls } = await cluster.listen(
			{ options: { ignoreRepeatsMinutes: 0 } },
			{ settings: { saveDataSuccessExecution } },
		);
		const stored = `"workflowId" = '${workflow.id}'`;
		const inDatabase = async (condition: string) =>
			Number(
				(await cluster.servers.query(`select count(*) from execution_entity where ${condition}`))[0]?.[0],
			);
		const writtenBytes = async () =>
			Number((await cluster.servers.query(`select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')`))[0]?.[0]);
		await cluster.servers.query('select pg_stat_statements_reset()');
		const before = await writtenBytes();
		for (let i = 0; i < PUSHES; i++) {
			const { body } = await send(urls[0] ?? '', JSON.stringify({ id: `${kept}-${i}.` }));
			expect(body).toBe(ACKNOWLEDGEMENT);
		}
		const left = saveDataSuccessExecution === 'all' ? PUSHES : 0;
		let seen: string[][] = [];
		const haveEnded = async () => {
			seen = await cluster.servers.query(
				`select status, "deletedAt" is null, count(*) from execution_entity where ${stored} group by 1, 2`,
			);
			const countOf = (is: (row: string[]) => boolean) =>
				seen.filter(is).reduce((sum, [, , count]) => sum + Number(count), 0);
			const isOpen = ([status = '']: string[]) => ['new', 'running', 'waiting'].includes(status);
			return countOf(isOpen) === 0 && countOf(([, isLeft]) => isLeft === 't') === left;
		};
		await until('the executions to end', haveEnded).catch((error: unknown) => {
			throw new Error(`${String(error)} They are: ${JSON.stringify(seen)}`);
		});
		const bytes = (await writtenBytes()) - before;
		const [[writes] = []] = await cluster.servers.query(
			`select sum(calls) from pg_stat_statements where query ~* '^(insert|update|delete).*"?execution_(entity|data|metadata)'`,
		);
		rows.push({
			kept,
			writes: Number(writes) / PUSHES,
			kilobytes: bytes / 1000 / PUSHES,
			rows: await inDatabase(stored),
		});
	}
	report(
		'executions of pushes',
		[
			'The workflow',
			"n8n's statements that write an execution",
			'kB written for each',
			'Rows of 50 pushes afterwards',
		],
		rows.map(({ kept, writes, kilobytes, rows: left }) => [
			`${kept} executions that succeed`,
			writes.toFixed(1),
			kilobytes.toFixed(1),
			String(left),
		]),
	);
	expect(rows.map(({ rows: left }) => left)).toEqual([PUSHES, PUSHES]);
	expect(rows.every(({ writes }) => writes >= 3)).toBe(true);
});
