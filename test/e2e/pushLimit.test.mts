// N8N_CONCURRENCY_PRODUCTION_LIMIT in a real n8n: n8n 2 answers a push only when its execution gets a slot. Sobot resends it
// meanwhile; each push still starts its workflow once, and what n8n could not start is never acknowledged.
import { createServer, type ServerResponse } from 'node:http';
import { thisN8n } from '../support/differences.mts';
import { listenOnFreePort } from '../support/freePort.mts';
import { N8n } from '../support/n8n/n8n.mts';
import { run } from '../support/processes.mts';
import { ACKNOWLEDGEMENT, send } from '../support/pushes.mts';
import { underTest } from '../support/underTest.mts';
import { sqlite } from '../support/sqlite.mts';
import { until } from '../support/until.mts';
import { listen, node, productionPath, type Listening } from '../support/workflows.mts';

jest.setTimeout(300_000);

/** A server that keeps executions waiting until a test lets them go on. */
class Gate {
	/** the executions that wait */
	readonly waiting: ServerResponse[] = [];
	private isOpen = false;
	private readonly server = createServer((_, response) => {
		if (this.isOpen) response.end('{}');
		else this.waiting.push(response);
	});

	async node() {
		const url = await listenOnFreePort(this.server);
		return node('Gate', 'n8n-nodes-base.httpRequest', 4.2, { url, options: {} });
	}

	shut(): void {
		this.isOpen = false;
	}

	open(): void {
		this.isOpen = true;
		for (const response of this.waiting.splice(0)) response.end('{}');
	}

	async close(): Promise<void> {
		this.open();
		this.server.closeAllConnections();
		await new Promise((resolve) => this.server.close(resolve));
	}
}

const ACKNOWLEDGED = `200 ${ACKNOWLEDGEMENT}`;

let n8n: N8n;
let gate: Gate;
let listening: Listening;

beforeAll(async () => {
	const { runtime, tarball } = underTest();
	n8n = await N8n.start({ runtime, tarball, env: { N8N_CONCURRENCY_PRODUCTION_LIMIT: '1' } });
	gate = new Gate();
	listening = await listen(n8n, {}, { after: [await gate.node()] });
});
afterAll(async () => {
	await gate.close();
	await n8n.stop();
});

let pushes = 0;
const body = (id: string) => JSON.stringify({ id, remark: String(++pushes) });

/** Sends a push. The answers of those that are still waiting are undefined. */
function deliver(one: string, signal?: AbortSignal) {
	const delivery: { answer?: string; done: Promise<void> } = {
		done: fetch(listening.url, {
			method: 'POST',
			body: one,
			headers: { 'content-type': 'application/json' },
			signal,
		})
			.then(async (answer) => void (delivery.answer = `${answer.status} ${await answer.text()}`))
			.catch(() => void (delivery.answer = 'hung up')),
	};
	return delivery;
}

const ids = async () => (await n8n.executions(listening.workflow)).map(({ id }) => id);
const untilExecutions = async (count: number) =>
	await until(`${count} executions`, async () => (await ids()).length === count);

const untilSuccessful = async (count: number) =>
	await until(`${count} successful executions`, async () => {
		const executions = await n8n.executions(listening.workflow);
		return executions.filter(({ status }) => status === 'success').length === count;
	});

/** The only slot is taken until the gate opens. Returns how many executions there are. */
async function takeSlot(): Promise<number> {
	gate.shut();
	const before = (await ids()).length;
	const first = deliver(body('first'));
	await until('the first execution', () => gate.waiting.length === 1);
	await first.done;
	expect(first.answer).toBe(ACKNOWLEDGED);
	return before + 1;
}

test('pushes that wait for a slot, and are resent meanwhile, run once each and are all acknowledged', async () => {
	const before = await takeSlot();
	const waiting = ['a', 'b', 'c'].map(body);
	const deliveries = waiting.map((one) => deliver(one));
	await untilExecutions(before + 3);
	for (let repeat = 0; repeat < 2; repeat++) deliveries.push(...waiting.map((one) => deliver(one)));
	// Comes to n8n after the repeats.
	const last = deliver(body('last'));
	await untilExecutions(before + 4);
	if (!thisN8n.acknowledgesBeforeStoring)
		expect([...deliveries, last].map(({ answer }) => answer)).toEqual(Array(10).fill(undefined));
	gate.open();
	await Promise.all([...deliveries, last].map(async ({ done }) => await done));
	expect(deliveries.map(({ answer }) => answer)).toEqual(Array(9).fill(ACKNOWLEDGED));
	expect((await listening.ended()).map(({ status }) => status)).toEqual(Array(before + 4).fill('success'));
});

test('a push whose sender hangs up while it waits runs once, and its repeat is acknowledged', async () => {
	const before = await takeSlot();
	const pushed = body('hung up');
	const hangUp = new AbortController();
	const first = deliver(pushed, hangUp.signal);
	await untilExecutions(before + 1);
	hangUp.abort();
	await first.done;
	const repeat = deliver(pushed);
	// Comes to n8n after the repeat.
	const last = deliver(body('last'));
	await untilExecutions(before + 2);
	gate.open();
	await Promise.all([repeat.done, last.done]);
	expect(repeat.answer).toBe(ACKNOWLEDGED);
	expect((await listening.ended()).length).toBe(before + 2);
});

// n8n 1 answers before it waits.
if (!thisN8n.acknowledgesBeforeStoring) {
	test('a push that n8n cannot start after its wait is not acknowledged, nor is its repeat; the next one is', async () => {
		const before = await takeSlot();
		const pushed = body('not started');
		const deliveries = [deliver(pushed)];
		await untilExecutions(before + 1);
		deliveries.push(deliver(pushed), deliver(pushed));
		await run(
			...sqlite(
				n8n,
				`database.exec("CREATE TRIGGER stuck BEFORE UPDATE ON execution_entity WHEN NEW.status = 'running' BEGIN SELECT RAISE(ABORT, 'attempt to write a readonly database'); END")`,
			),
		);
		gate.open();
		await Promise.all(deliveries.map(async ({ done }) => await done));
		expect(deliveries.map(({ answer }) => answer?.slice(0, 3))).toEqual(['500', '500', '500']);
		await run(...sqlite(n8n, "database.exec('DROP TRIGGER stuck')"));
		expect((await send(listening.url, pushed)).body).toBe(ACKNOWLEDGEMENT);
		expect((await send(listening.url, pushed)).body).toBe(ACKNOWLEDGEMENT);
		await untilSuccessful(before + 1);
	});
}

test('n8n is killed while a push waits: it runs after the restart, and its repeat is acknowledged', async () => {
	const before = await takeSlot();
	const pushed = body('killed');
	const first = deliver(pushed);
	await untilExecutions(before + 1);
	await n8n.stop({ keepUserFolder: true, signal: 'SIGKILL' });
	await first.done;
	gate.open();
	n8n = await n8n.restart();
	const path = productionPath(listening.workflow);
	await n8n.untilListening(path);
	expect((await send(`${n8n.url}/webhook/${path}`, pushed)).body).toBe(ACKNOWLEDGEMENT);
	// All but the one that was running. n8n 2 knows a push only once it is answered, so its repeat runs too.
	await untilSuccessful(thisN8n.acknowledgesBeforeStoring ? before : before + 1);
});
