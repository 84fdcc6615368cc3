// n8n stores what the trigger acknowledges: pushes while the database of a real n8n fails, or n8n is killed. Whatever
// happens, an acknowledged push has its execution in the database, and every other push is resent and accepted then.
import type { Profile } from '../sandbox/account.mts';
import { thisN8n } from '../support/differences.mts';
import { N8n } from '../support/n8n/n8n.mts';
import { Sandbox } from '../sandbox/server.mts';
import { run, startProcess, endProcess } from '../support/processes.mts';
import { sqlite } from '../support/sqlite.mts';
import { printTable } from '../support/table.mts';
import { until } from '../support/until.mts';
import { profiles } from '../support/pushes.mts';
import { underTest } from '../support/underTest.mts';
import { acknowledge, executionsEnded, listen, type Listening } from '../support/workflows.mts';

jest.setTimeout(180_000);

const AT_ONCE = 32;

let n8n: N8n;
let sandbox: Sandbox;
let listening: Listening;
const figures: string[][] = [];

beforeAll(async () => {
	const { runtime, tarball } = underTest();
	// n8n's default engine starts an isolated V8 for each push and each execution, which takes most of the time.
	n8n = await N8n.start({ runtime, tarball, env: { N8N_EXPRESSION_ENGINE: 'legacy' } });
});

/**
 * Sobot pushes again after 1.8 and 9 s instead of 1 and 5 minutes. It gives up after three pushes, so tests hold the second
 * back until n8n can take it, however slow the machine is.
 */
async function begin(): Promise<void> {
	sandbox = await Sandbox.start({ timeScale: 0.03 });
	// Where n8n itself answers too early, the workflow acknowledges, as the README advises.
	listening = thisN8n.acknowledgesBeforeStoring
		? await listen(n8n, { responseMode: 'responseNode' }, { after: [acknowledge()] })
		: await listen(n8n);
}

afterEach(async () => await sandbox.close());
afterAll(async () => {
	await n8n.stop();
	printTable(
		'pushes',
		[
			'Fault',
			'Customers',
			'Not acknowledged at once',
			'Acknowledged in the end',
			'Without execution',
			'With two',
			'Crashed',
		],
		figures,
	);
});

const app = () => ({ url: listening.url, method: 'POST' as const });

/** The executions of the workflow that the database holds, by customer. */
async function executionsByCustomer(): Promise<Map<string, string[]>> {
	const printed = await run(
		...sqlite(
			n8n,
			`for (const { status, data } of database.prepare('SELECT status, data FROM execution_entity JOIN execution_data ON executionId = id WHERE workflowId = ?').iterate(${JSON.stringify(listening.workflow.id)}))
				console.log(status + ' ' + /"([a-z]+-\\d+\\.)"/.exec(data)?.[1]);`,
		),
	);
	const found = new Map<string, string[]>();
	for (const line of printed.trim().split('\n')) {
		const [status = '', customer = ''] = line.split(' ');
		found.set(customer, [...(found.get(customer) ?? []), status]);
	}
	return found;
}

const acknowledged = () =>
	new Set(sandbox.pushes.filter((push) => push.acknowledged).map(({ customerId }) => customerId));

/** After all redeliveries: everybody was acknowledged in the end, and has an execution. Returns those who have two. */
async function expectNoneLost(fault: string, all: Profile[]): Promise<string[]> {
	await until('the redeliveries', () => sandbox.pusher.pending === 0, 120_000, 100);
	await executionsEnded(n8n, listening.workflow);
	const executions = await executionsByCustomer();
	const firstFailed = sandbox.pushes.filter((push) => push.attempt === 1 && !push.acknowledged).length;
	const lost = [...acknowledged()].filter((id) => !executions.has(id));
	const twice = [...executions].filter(([, statuses]) => statuses.length > 1).map(([id]) => id);
	const crashed = [...executions.values()].flat().filter((status) => status === 'crashed').length;
	const numbers = [all.length, firstFailed, acknowledged().size, lost.length, twice.length, crashed];
	figures.push([fault, ...numbers.map(String)]);
	expect(lost).toEqual([]);
	// The first that were given up, with what n8n said.
	const givenUp = sandbox.pushes
		.filter(({ customerId }) => !acknowledged().has(customerId))
		.map(({ customerId, attempt, status, body }) => `${customerId} ${attempt}: ${status} ${body}`);
	expect(givenUp.slice(0, 9)).toEqual([]);
	expect(acknowledged().size).toBe(all.length);
	return twice;
}

test.each([
	[
		'the database cannot be written to',
		`database.exec("CREATE TRIGGER full BEFORE INSERT ON execution_entity BEGIN SELECT RAISE(ABORT, 'attempt to write a readonly database'); END")`,
		`database.exec('DROP TRIGGER full')`,
	],
	[
		'the database has lost its table',
		`database.exec('PRAGMA legacy_alter_table = ON; ALTER TABLE execution_entity RENAME TO gone')`,
		`database.exec('PRAGMA legacy_alter_table = ON; ALTER TABLE gone RENAME TO execution_entity')`,
	],
])('%s: nothing is acknowledged; afterwards each has one execution', async (fault, breakIt, mendIt) => {
	await begin();
	const [before, during] = [profiles('before', 20), profiles('during', 80)];
	await sandbox.pusher.pushAll(app(), before, AT_ONCE);
	expect(acknowledged().size).toBe(before.length);
	await listening.ended();
	await run(...sqlite(n8n, breakIt));
	const repeat = sandbox.pusher.holdRepeats();
	await sandbox.pusher.pushAll(app(), during, AT_ONCE);
	expect(
		sandbox.pushes.filter(
			({ customerId, status, attempt }) => customerId.startsWith('during') && (status !== 500 || attempt > 1),
		),
	).toEqual([]);
	await run(...sqlite(n8n, mendIt));
	repeat();
	expect(await expectNoneLost(fault, [...before, ...during])).toEqual([]);
});

test('the database is locked: nothing is acknowledged until it is free, and then each has one execution', async () => {
	await begin();
	const lock = startProcess(
		...sqlite(n8n, "database.exec('BEGIN EXCLUSIVE'); console.log('locked'); setInterval(() => {}, 1000);"),
		{
			stdio: ['ignore', 'pipe', 'inherit'],
		},
	);
	await new Promise((resolve) => lock.stdout?.once('data', resolve));
	const all = profiles('locked', 100);
	const pushing = sandbox.pusher.pushAll(app(), all, AT_ONCE);
	const lockedUntilMs = Date.now() + 3000;
	await until('three seconds', () => Date.now() > lockedUntilMs);
	expect(acknowledged().size).toBe(0);
	await endProcess(lock);
	await pushing;
	expect(await expectNoneLost('the database is locked for 3 s', all)).toEqual([]);
});

test.each(['SIGKILL', 'SIGTERM'] as const)(
	'n8n is ended by %s under load and started again: none is lost',
	async (signal) => {
		await begin();
		const all: Profile[] = [];
		// n8n goes on taking pushes for a while after SIGTERM.
		const pushUntilItEnds = async () => {
			for (let batch = 'load'; acknowledged().size === all.length; batch += 'x') {
				const next = profiles(batch, 100);
				all.push(...next);
				await sandbox.pusher.pushAll(app(), next, AT_ONCE);
			}
		};
		const pushing = pushUntilItEnds();
		await until('some acknowledgements', () => acknowledged().size >= 150, 60_000);
		const repeat = sandbox.pusher.holdRepeats();
		await n8n.stop({ keepUserFolder: true, signal });
		n8n = await n8n.restart();
		await pushing;
		repeat();
		const twice = await expectNoneLost(`n8n ended by ${signal} under load`, all);
		// n8n stored these pushes, and ended before it sent the acknowledgement: Sobot pushes again, as it must. When n8n is
		// killed, they are at most those in flight. While it shuts down, it stores further pushes that it can no longer answer.
		if (signal === 'SIGKILL') expect(twice.length).toBeLessThanOrEqual(AT_ONCE);
		expect(twice.filter((id) => sandbox.pushes.find((push) => push.customerId === id)?.acknowledged)).toEqual(
			[],
		);
	},
);
