// Faults while a real n8n sends hundreds of customers: each is accepted exactly once, or reported.
import { setTimeout as sleep } from 'node:timers/promises';
import { createCredentials, type Credentials } from '../support/credentials.mts';
import { N8n, type Execution, type Workflow } from '../support/n8n/n8n.mts';
import type { Misbehaviour } from '../sandbox/misbehaviour.mts';
import { Sandbox } from '../sandbox/server.mts';
import { customersOf } from '../support/kills.mts';
import { printTable } from '../support/table.mts';
import { until } from '../support/until.mts';
import { connect, underTest } from '../support/underTest.mts';
import { actionWorkflow, FROM_ITEM, outputOf } from '../support/workflows.mts';

jest.setTimeout(180_000);

const COUNT = 250;
const ON_THE_WAY = { minMs: 20, maxMs: 50 };

let n8n: N8n;
let sandbox: Sandbox;
let credentials: Credentials;
const figures: string[][] = [];

beforeAll(async () => (n8n = await connect()));
beforeEach(async () => {
	sandbox = await Sandbox.start();
	credentials = await createCredentials(n8n, sandbox);
	sandbox.misbehave({ on: 'trigger', onTheWay: ON_THE_WAY });
});
afterEach(async () => await sandbox.close());
afterAll(() =>
	printTable('sending', ['Fault', 'Accepted', 'Twice', 'Reported', 'Token requests', 'Refused'], figures),
);

async function batchWorkflow(batch = 'c', own = n8n, count = COUNT): Promise<Workflow> {
	return await actionWorkflow(own, credentials, customersOf(batch, count), FROM_ITEM, {
		onError: 'continueRegularOutput',
	});
}

const acceptedIds = () => sandbox.accepted.map(({ contactId }) => contactId);

/** Every item says what became of it, and that is what the sandbox saw. Returns the reported failures. */
function expectTruth(execution: Execution, batch = 'c', count = COUNT): string[] {
	const output = outputOf(execution, 'Sobot');
	expect(output.length).toBe(count);
	const times = new Map<string, number>();
	for (const id of acceptedIds()) times.set(id, (times.get(id) ?? 0) + 1);
	const reported: string[] = [];
	for (const [index, { json }] of output.entries()) {
		const seen = times.get(`${batch}-${index}`) ?? 0;
		expect(json.contactId).toBe(`${batch}-${index}`);
		if (json.outcome === 'accepted') expect([index, seen]).toEqual([index, 1]);
		else {
			expect(json.outcome).toBe('unknown');
			reported.push(String(json.reason));
			expect(String(json.reason)).toContain('Sobot may or may not have');
			expect(seen).toBeLessThanOrEqual(1);
		}
	}
	return reported;
}

function note(fault: string, reported: number): void {
	const ids = acceptedIds();
	const refused = sandbox.triggerCalls.filter(
		({ code, triggerId }) => triggerId !== '' && code !== '000000',
	).length;
	const tokens = sandbox.tokenCalls.filter(({ code }) => code === '000000').length;
	const numbers = [ids.length, ids.length - new Set(ids).size, reported, tokens, refused];
	figures.push([fault, ...numbers.map(String)]);
}

test('a token that is killed in the middle: one renewal, and all go through', async () => {
	const id = await n8n.launch(await batchWorkflow());
	await until('some calls', () => sandbox.accepted.length >= 100);
	sandbox.account.renewToken(Date.now());
	expect(expectTruth(await n8n.finished(id))).toEqual([]);
	expect(sandbox.tokenCalls.length).toBe(2);
	note('token killed in the middle', 0);
});

test('get_token that is down for 3 s: one token in the end, and all go through', async () => {
	sandbox.misbehave({
		on: 'token',
		answerWith: { status: 502, body: '<html>bad gateway</html>' },
		code: '999999',
	});
	const id = await n8n.launch(await batchWorkflow());
	await until('the first try', () => sandbox.tokenCalls.length > 0);
	await sleep(3000);
	sandbox.misbehaviours.clear();
	expect(expectTruth(await n8n.finished(id))).toEqual([]);
	expect(sandbox.tokenCalls.filter(({ code }) => code === '000000').length).toBe(1);
	note('get_token down for 3 s', 0);
});

test.each<[string, Partial<Misbehaviour>, 'all' | 'some']>([
	['5 % refused at random with 910024', { code: '910024', share: 0.05 }, 'all'],
	['3 % of the connections dropped before acting', { drop: 'before', share: 0.03 }, 'some'],
	['3 % of the connections dropped after acting', { drop: 'after', share: 0.03 }, 'some'],
	['3 % answered with an HTML page', { answerWith: { status: 502, body: '<html>' }, share: 0.03 }, 'some'],
])('%s', async (fault, misbehaviour, accepted) => {
	sandbox.misbehave({ on: 'trigger', ...misbehaviour });
	// Refusals at random make the rate limiter slow.
	const count = misbehaviour.code ? 150 : COUNT;
	const reported = expectTruth(await n8n.execute(await batchWorkflow('c', n8n, count)), 'c', count);
	if (accepted === 'all') expect(reported).toEqual([]);
	else expect(reported.length).toBeGreaterThan(0);
	note(fault, reported.length);
});

test('three executions that start together with a fresh credential: one token', async () => {
	const workflows = await Promise.all(
		['a', 'b', 'c'].map(async (batch) => await batchWorkflow(batch, n8n, 40)),
	);
	const executions = await Promise.all(workflows.map(async (workflow) => await n8n.execute(workflow)));
	expect(executions.map(({ status }) => status)).toEqual(Array(3).fill('success'));
	expect(sandbox.tokenCalls.length).toBe(1);
	expect(new Set(acceptedIds()).size).toBe(120);
});

test('two executions at once with an expired token: one renewal, and they share the rate limiter', async () => {
	await n8n.execute(await batchWorkflow('first', n8n, 1));
	sandbox.account.expireToken();
	sandbox.triggerCalls.length = sandbox.tokenCalls.length = 0;
	const workflows = [await batchWorkflow('a'), await batchWorkflow('b')];
	const ids = await Promise.all(workflows.map(async (workflow) => await n8n.launch(workflow)));
	const [a, b] = await Promise.all(ids.map(async (id) => await n8n.finished(id)));
	if (!a || !b) throw new Error('An execution is missing.');
	expect([...expectTruth(a, 'a'), ...expectTruth(b, 'b')]).toEqual([]);
	expect(sandbox.tokenCalls.length).toBe(1);
	const middle = acceptedIds().slice(100, 400);
	const shareOfA = middle.filter((id) => id.startsWith('a-')).length / middle.length;
	expect(shareOfA).toBeGreaterThan(0.4);
	expect(shareOfA).toBeLessThan(0.6);
	note(
		`two executions of ${COUNT} at once with an expired token (share of the first ${shareOfA.toFixed(2)})`,
		0,
	);
});

test('an execution that is stopped sends nothing more after a second', async () => {
	const id = await n8n.launch(await batchWorkflow());
	await until('some calls', () => sandbox.accepted.length >= 50);
	await n8n.stopExecution(id);
	await sleep(1000);
	const sent = sandbox.triggerCalls.length;
	await sleep(2000);
	expect(sandbox.triggerCalls.length).toBe(sent);
	expect(sent).toBeLessThan(200);
	note(`stopped after 50 of ${COUNT}`, 0);
});

// By SIGKILL: kill.test.mts.
test('n8n that is stopped by SIGTERM in the middle and started again: nobody is put on the canvas twice', async () => {
	const { runtime, tarball } = underTest();
	let own = await N8n.start({ runtime, tarball });
	try {
		credentials = await createCredentials(own, sandbox);
		const id = await own.launch(await batchWorkflow('c', own));
		await until('some calls', () => sandbox.accepted.length >= 100);
		await own.stop({ keepUserFolder: true });
		const atStop = sandbox.accepted.length;
		own = await own.restart();
		const { status } = await own.finished(id);
		await sleep(2000);
		const ids = acceptedIds();
		expect(ids.length).toBe(new Set(ids).size);
		expect(ids.length).toBe(atStop);
		// What n8n itself says of an execution that it could not end.
		expect(status).toBe(atStop === COUNT ? 'success' : 'crashed');
		note(`n8n stopped by SIGTERM after 100 of ${COUNT}, started again (execution ${status})`, 0);
	} finally {
		await own.stop();
	}
});
