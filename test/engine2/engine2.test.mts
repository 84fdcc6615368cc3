// The package on the preview of n8n's Engine 2.0: what works there, and what fails at once instead of standing still, because
// that engine runs one step at a time.
import { DEMO_CANVAS } from '../sandbox/server.mts';
import { customersOf, cutOffNode, expectTruth, ONCE, untilMoment } from '../support/kills.mts';
import type { Execution, Workflow } from '../support/n8n/n8n.mts';
import { ACKNOWLEDGEMENT, profiles, send } from '../support/pushes.mts';
import { until } from '../support/until.mts';
import {
	accepted,
	acknowledge,
	actionNode,
	actionWorkflow,
	chain,
	connectionTo,
	FROM_ITEM,
	itemsWorkflow,
	listen,
	node,
	outputOf,
	productionPath,
	pushWorkflow,
} from '../support/workflows.mts';
import { expectEngine2, ON_ENGINE_2, onEngine2, outputsOf, shareEngine2, storeToken } from './engine2.mts';

// n8n takes its time to start after a kill.
jest.setTimeout(300_000);

const setting = shareEngine2();

const CONTINUE = { onError: 'continueRegularOutput' };
const PEOPLE = ['1', 'nobody', '3'].map((id) => ({ id, name: `N ${id}` }));
/** n8n's own words. */
const NOT_RENEWED = 'Engine 2.0 does not support credentials with an expirable property yet';

/** By hand, some items, the action on them. */
async function workflowFor(people: typeof PEOPLE, parameters = {}, more = {}): Promise<Workflow> {
	const { n8n, credentials } = setting;
	const all = { ...FROM_ITEM, ...parameters };
	return await onEngine2(n8n, await actionWorkflow(n8n, credentials, people, all, more));
}

async function execute(workflow: Workflow): Promise<Execution> {
	const execution = await setting.n8n.execute(workflow);
	expectEngine2(execution);
	return execution;
}

const run = async (...workflow: Parameters<typeof workflowFor>) =>
	await execute(await workflowFor(...workflow));
const messageOf = ({ data }: Execution) => data.resultData.error?.message ?? '';
const acceptedIds = () => setting.sandbox.accepted.map(({ contactId }) => contactId).sort();
const idsOf = (people: typeof PEOPLE) => people.map(({ id }) => id).sort();

describe('with a stored token', () => {
	beforeEach(async () => await storeToken(setting));

	test('300 customers: each once, the items paired and in order', async () => {
		const people = customersOf('many', 300);
		const execution = await run(people);
		expect(execution.status).toBe('success');
		expect(outputsOf(execution)).toEqual(people.map(({ id }) => accepted(id)));
		expect(outputOf(execution, 'Sobot').map(({ pairedItem }) => pairedItem)).toEqual(
			people.map((_, item) => ({ item })),
		);
		expect(acceptedIds()).toEqual(idsOf(people));
	});

	test('On Error: Stop: the message alone says who was refused, and why', async () => {
		const execution = await run(PEOPLE);
		expect([execution.status, messageOf(execution)]).toEqual([
			'error',
			expect.stringContaining('Sobot found no matching customer (910026)'),
		]);
		expect(messageOf(execution)).toMatch(/customer nobody \(item 1\)/i);
	});

	test('On Error: Continue: each customer has an outcome, and nobody is sent twice', async () => {
		const execution = await run(PEOPLE, {}, CONTINUE);
		expect([execution.status, outputsOf(execution)]).toEqual([
			'success',
			[
				accepted('1'),
				expect.objectContaining({ contactId: 'nobody', outcome: 'refused', ret_code: '910026' }),
				accepted('3'),
			],
		]);
		expect(acceptedIds()).toEqual(['1', '3']);
	});

	test('Loop Over Items: each customer as often as the workflow puts them on the canvas', async () => {
		const { n8n, credentials } = setting;
		const people = [...customersOf('loop', 4), ...customersOf('loop', 1)];
		const list = { mode: 'raw', jsonOutput: JSON.stringify({ list: people }) };
		const looping = await n8n.createWorkflow({
			name: 'A loop',
			nodes: [
				node('By hand', 'n8n-nodes-base.manualTrigger', 1, {}),
				node('List', 'n8n-nodes-base.set', 3.4, list),
				node('Items', 'n8n-nodes-base.splitOut', 1, { fieldToSplitOut: 'list' }),
				node('Loop', 'n8n-nodes-base.splitInBatches', 3, { batchSize: 2 }),
				actionNode(credentials, FROM_ITEM),
				node('Done', 'n8n-nodes-base.noOp', 1, {}),
			],
			connections: {
				...chain('By hand', 'List', 'Items', 'Loop'),
				...chain('Sobot', 'Loop'),
				Loop: { main: [...connectionTo('Done').main, ...connectionTo('Sobot').main] },
			},
		});
		const execution = await execute(await onEngine2(n8n, looping));
		const all = people.map(({ id }) => accepted(id));
		expect([execution.status, outputsOf(execution)]).toEqual(['success', all]);
		expect(outputOf(execution, 'Done').map(({ json }) => json)).toEqual(all);
		expect(acceptedIds()).toEqual(idsOf(people));
	});

	test('Send Once Per: killed in the middle, a new execution sends the rest, nobody twice', async () => {
		const { n8n, sandbox, credentials } = setting;
		const action = cutOffNode(credentials, DEMO_CANVAS.triggerId, ONCE);
		const workflow = await onEngine2(n8n, await itemsWorkflow(n8n, customersOf('killed'), action));
		await n8n.launch(workflow);
		await untilMoment(sandbox, ['killed'], 1500);
		await n8n.stop({ keepUserFolder: true, signal: 'SIGKILL' });
		const before = sandbox.accepted.length;
		setting.n8n = await n8n.restart();
		expectTruth(sandbox, 'killed', outputOf(await execute(workflow), 'Sobot'));
		expect(before).toBeGreaterThan(0);
		expect(sandbox.accepted.length).toBeGreaterThan(before);
	});

	test('Stop: n8n itself fails to stop the execution, so everyone is sent, once', async () => {
		const { n8n, sandbox } = setting;
		const people = customersOf('stopped', 300);
		const id = await n8n.launch(await workflowFor(people));
		await untilMoment(sandbox, ['stopped'], 1500);
		const before = sandbox.accepted.length;
		await expect(n8n.stopExecution(id)).rejects.toThrow('answered 500');
		const execution = await n8n.finished(id);
		expect(before).toBeLessThan(people.length);
		expect([execution.status, outputsOf(execution)]).toEqual([
			'success',
			people.map((one) => accepted(one.id)),
		]);
		expect(acceptedIds()).toEqual(idsOf(people));
	});

	test('a push starts an execution, and a redelivery does not', async () => {
		const { n8n, credentials } = setting;
		const after = [actionNode(credentials, { contactId: '={{ $json.customerId }}', nick: 'N' })];
		const { workflow, url, ended } = await listen(
			n8n,
			{ options: { ignoreRepeatsMinutes: 10 } },
			{ after, settings: ON_ENGINE_2 },
		);
		const [profile] = profiles('push', 1);
		for (let delivery = 0; delivery < 2; delivery++) {
			expect((await send(url, JSON.stringify(profile))).body).toBe(ACKNOWLEDGEMENT);
		}
		const executions = await ended();
		expect(executions.map(({ status }) => status)).toEqual(['success']);
		executions.forEach(expectEngine2);
		expect(acceptedIds()).toEqual([profile?.id]);
		await n8n.deactivate(workflow);
	});
});

describe('a token that n8n would have to renew', () => {
	test.each([
		['is missing', async () => await Promise.resolve()],
		[
			'has expired',
			async () => {
				await storeToken(setting);
				setting.sandbox.account.expireToken();
				setting.sandbox.forget();
			},
		],
	])('and that %s ends the batch within seconds, with the reason in the message', async (_, prepare) => {
		await prepare();
		const startedMs = Date.now();
		const stopped = await run(customersOf('stopped', 300));
		const continued = await run(PEOPLE, {}, CONTINUE);
		// Each would take 300 s, which is the default of 'Give Up After', and keep n8n from running anything else.
		expect(Date.now() - startedMs).toBeLessThan(20_000);
		expect([stopped.status, continued.status]).toEqual(['error', 'success']);
		expect(messageOf(stopped)).toContain(NOT_RENEWED);
		expect(messageOf(stopped)).toContain('without Engine 2.0');
		for (const output of outputsOf(continued)) {
			expect(output.outcome).toBe('notSent');
			expect(JSON.stringify(output)).toContain(NOT_RENEWED);
		}
		expect([acceptedIds(), setting.sandbox.tokenCalls]).toEqual([[], []]);
	});

	test('is renewed by a sub-workflow, which n8n does not run on Engine 2.0', async () => {
		const { n8n, credentials } = setting;
		const parameters = { inputSource: 'passthrough' };
		const inside = await n8n.createWorkflow({
			name: 'Inside',
			nodes: [
				node('Start', 'n8n-nodes-base.executeWorkflowTrigger', 1.1, parameters),
				actionNode(credentials, FROM_ITEM),
			],
			connections: chain('Start', 'Sobot'),
		});
		await n8n.publish(inside);
		const call = { workflowId: { __rl: true, mode: 'id', value: inside.id }, options: {} };
		const calling = node('Call', 'n8n-nodes-base.executeWorkflow', 1.2, call);
		const outside = await onEngine2(n8n, await itemsWorkflow(n8n, customersOf('inside', 2), calling));
		const execution = await execute(outside);
		expect(outputOf(execution, 'Call').map(({ json }) => json)).toEqual(
			customersOf('inside', 2).map(({ id }) => accepted(id)),
		);
		const after = await run(customersOf('after', 2));
		expect([after.status, setting.sandbox.tokenCalls.length]).toEqual(['success', 1]);
	});
});

test('a dry run calls nobody', async () => {
	const { sandbox } = setting;
	const execution = await run(PEOPLE, { options: { dryRun: true } });
	const outcomes = outputsOf(execution).map(({ outcome }) => outcome);
	expect([execution.status, outcomes]).toEqual(['success', Array(3).fill('dryRun')]);
	expect([sandbox.tokenCalls, sandbox.triggerCalls]).toEqual([[], []]);
});

test('a trigger that leaves the answer to the workflow is not activated', async () => {
	const { n8n } = setting;
	const workflow = await pushWorkflow(
		n8n,
		{ responseMode: 'responseNode' },
		{ after: [acknowledge()], settings: ON_ENGINE_2 },
	);
	await n8n.activate(workflow);
	// n8n switches it on in the background.
	const message = "n8n's Engine 2.0 does not support 'Respond'";
	await until('the refusal', () => n8n.log.includes(message), 60_000);
	expect((await send(`${n8n.url}/webhook/${productionPath(workflow)}`, '{}')).status).toBe(404);
});
