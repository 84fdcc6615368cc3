// Resource Canvas, operation Trigger: puts each input item's customer on a canvas.
import { NodeOperationError, type IExecuteFunctions, type INodeExecutionData } from 'n8n-workflow';
import { systemClock } from '../../sobot/clock';
import { deliver, type Batch, type DeliveryOptions, type Result } from '../../sobot/delivery';
import { n8nSays } from '../../sobot/errors';
import type { SendLedger } from '../../sobot/ledger';
import { LOOK_FIRST } from '../../sobot/returnCodes';
import { rateLimiterOf, sessionOf, trustOf } from '../../sobot/shared';
import { credentialTokenStore } from './credentialTokenStore';
import { forEachIndex } from './eventLoop';
import { DEFAULT_OPTIONS, readOptions, type Options } from './options';
import { makePlans, type Plan, type SendPlan, type Target } from './plan';
import {
	counted,
	dryRunItem,
	groupByOutcome,
	isAsWanted,
	outputItem,
	refuseInput,
	sentBefore,
	throwFirstFailure,
} from './report';
import { RetryMemory } from './retryMemory';
import { endRecord, RunLedger, type OpenLedger } from './runLedger';
import { senderFor } from './sender';

/**
 * One output item for each input item, in order and paired. If the node continues on failure, or is an agent's tool, this
 * must not throw: n8n would pass the input items on as if they had been sent, or call the tool again.
 */
export async function execute(this: IExecuteFunctions): Promise<INodeExecutionData[]> {
	const reading = readOptions(this);
	const options = 'reason' in reading ? DEFAULT_OPTIONS : reading.options;
	if (options.dryRun) {
		const plans = await makePlans(this, true);
		return await outputs(plans, (plan, index) => dryRunItem(this, plan, index, options));
	}
	const runIndex = this.getWorkflowDataProxy(0).$runIndex;
	const isRetry = this.getMode() === 'retry';
	const memory = new RetryMemory(contextOf(this), runIndex, this.getExecutionId(), isRetry);
	memory.remember();
	let hasThrown = true;
	try {
		const items = await run(this, 'reason' in reading ? reading.reason : undefined, options, memory);
		hasThrown = false;
		return items;
	} finally {
		// n8n may end before the next try of Retry On Fail: then Retry needs the record.
		if (!hasThrown || !isTriedAgain(this, memory)) {
			await endRecord(this, memory, !hasThrown && this.getExecutionCancelSignal()?.aborted !== true);
		}
	}
}

/** The node context. n8n's Agents run a tool without one, and make no other try that would need it. */
function contextOf(node: IExecuteFunctions): Record<string, unknown> {
	try {
		return node.getContext('node');
	} catch {
		return {};
	}
}

/** @param unread why the options cannot be read */
async function run(
	node: IExecuteFunctions,
	unread: string | undefined,
	options: Options,
	memory: RetryMemory,
): Promise<INodeExecutionData[]> {
	const isTool = node.getNode().type.endsWith('Tool');
	const mustNotThrow = node.continueOnFail() || isTool;
	const plans: Plan[] =
		unread === undefined
			? await makePlans(node, false)
			: node.getInputData().map(() => ({ kind: 'rejected', reason: unread }));
	const ledger = new RunLedger(node, plans, options, memory);
	if (unread === undefined || ledger.isOwn) await ledger.read();
	// Neither the customers are known then, nor whether they have keys. n8n 1 may have run this execution before.
	else if (!memory.batch) memory.mayFollowCrash = true;
	if (!mustNotThrow) {
		memory.remember();
		const before = sentBefore(memory, ledger.mayHoldSome);
		if (unread !== undefined) throw new NodeOperationError(node.getNode(), unread, { description: before });
		refuseInput(node, plans, before);
	}
	if (mustNotThrow && !isTool) {
		for (const [index, plan] of plans.entries()) {
			const isInDoubt = memory.mayHaveSent(index) || (ledger.mayHoldSome && mayHaveCustomer(plan, unread));
			if (plan.kind === 'rejected' && isInDoubt) plans[index] = { ...plan, isInDoubt };
		}
	}
	await send({ node, plans, options, memory, ledger, stopsOnFailure: !mustNotThrow });
	// As long as nobody has looked up what a crash has left, counts would not be true.
	const before = ledger.mayHoldSome ? sentBefore(memory, true) : undefined;
	if (!mustNotThrow) throwFirstFailure(node, plans, options, before);
	addHints(node, plans, options);
	return await outputs(plans, (plan, index) => outputItem(node, plan, index, options));
}

/** Whether an item is a customer's. Nothing is known of an item if the options cannot be read. */
const mayHaveCustomer = ({ contactId }: Plan, unread: string | undefined) =>
	contactId !== undefined || unread !== undefined;

async function outputs(
	plans: readonly Plan[],
	toItem: (plan: Plan, index: number) => INodeExecutionData,
): Promise<INodeExecutionData[]> {
	const items: INodeExecutionData[] = [];
	await forEachIndex(plans.length, (index) => {
		const plan = plans[index];
		if (plan) items.push(toItem(plan, index));
	});
	return items;
}

/** One run of the node that is about to send. */
interface Run {
	readonly node: IExecuteFunctions;
	readonly plans: readonly Plan[];
	readonly options: Options;
	readonly memory: RetryMemory;
	readonly ledger: RunLedger;
	readonly stopsOnFailure: boolean;
}

/** Sends all customers, those of each canvas at its own rate, in parallel. Never throws. */
async function send(run: Run): Promise<void> {
	const { node, plans, options, memory, ledger, stopsOnFailure } = run;
	for (const plan of plans) {
		if (plan.kind !== 'send') continue;
		const { customer, digest } = plan;
		const earlier = memory.earlierResult(digest);
		if (earlier?.outcome === 'unknown' && options.unknownOutcome === 'sendAgain') customer.isInDoubt = true;
		else customer.result = earlier;
	}
	const remember = () => memory.remember(statesOf(plans));

	const signal = node.getExecutionCancelSignal();
	const onAbort = () => {
		remember();
		showProgress(node, plans, ledger.mayHoldSome);
	};
	signal?.addEventListener('abort', onAbort);
	try {
		await sendUnsettled(run);
	} finally {
		signal?.removeEventListener('abort', onAbort);
	}
	const isDone = plans.every((plan) => isAsWanted(plan, options));
	// An execution that times out at this moment would not show the message.
	if (stopsOnFailure && !isDone) showProgress(node, plans, ledger.mayHoldSome);
	// n8n 1 makes another try with Retry On Fail even if this one has not thrown, for a field 'error' that is null.
	if (signal?.aborted || node.getNode().retryOnFail || (stopsOnFailure && !isDone)) remember();
	else memory.forget();
}

function* statesOf(plans: readonly Plan[]) {
	for (const [index, plan] of plans.entries()) {
		const { result, isInDoubt } = plan.kind === 'send' ? plan.customer : { isInDoubt: plan.isInDoubt };
		yield { index, digest: plan.digest, result, isInDoubt };
	}
}

/** Sends the customers that have no result yet, with a ledger if the batch needs one. */
async function sendUnsettled({ node, plans, options, memory, ledger, stopsOnFailure }: Run): Promise<void> {
	let opened: OpenLedger | undefined;
	try {
		opened = await ledger.open();
	} catch (cause) {
		const result = notStored(cause);
		// Where the node stops, another Retry asks the ledger.
		const mayBeSent = ledger.mayHoldSome && !stopsOnFailure;
		for (const { customer } of plans.filter(isUnsettled)) {
			customer.result = customer.isInDoubt || mayBeSent ? inDoubt(result) : result;
		}
		return;
	}
	const batch = { stopsOnFailure, hasFailed: false };
	await deliverByTarget(node, plans.filter(isUnsettled), options, batch, opened);
	const hasFailed = batch.hasFailed && stopsOnFailure && node.getExecutionCancelSignal()?.aborted !== true;
	await opened?.close(hasFailed && isTriedAgain(node, memory));
}

/** Whether Retry On Fail makes another try after a throw. Source: n8n, WorkflowExecute. */
function isTriedAgain(node: IExecuteFunctions, { tries }: RetryMemory): boolean {
	const { retryOnFail, maxTries } = node.getNode();
	return retryOnFail === true && tries < Math.min(5, Math.max(2, maxTries || 3));
}

async function deliverByTarget(
	node: IExecuteFunctions,
	plans: readonly SendPlan[],
	options: Options,
	batch: Batch,
	ledger: SendLedger | undefined,
): Promise<void> {
	const groups = new Map<Target, SendPlan[]>();
	for (const plan of plans) {
		const group = groups.get(plan.target) ?? [];
		groups.set(plan.target, group);
		group.push(plan);
	}
	await Promise.all(
		Array.from(groups, async ([target, group]) => {
			const customers = group.map(({ customer }) => customer);
			try {
				await deliver(customers, { ...deliveryOptions(node, target, options), batch, ledger });
			} catch (cause) {
				batch.hasFailed = true;
				const result = unexpected(cause);
				for (const customer of customers) {
					customer.result ??= customer.isInDoubt ? inDoubt(result) : result;
				}
			}
		}),
	);
}

const isUnsettled = (plan: Plan): plan is SendPlan => plan.kind === 'send' && !plan.customer.result;

/** This result for a customer whom an earlier try may have sent: their outcome is unknown. */
function inDoubt({ message, ...result }: Result): Result {
	const cause = message.replace(/^Not sent: |\.$/g, '');
	return {
		...result,
		outcome: 'unknown',
		message: `In this try ${cause}. An earlier one may have put this customer on the canvas.`,
		advice: `${LOOK_FIRST} ${result.advice}`,
	};
}

function notStored(cause: unknown): Result {
	return {
		outcome: 'notSent',
		retCode: null,
		message: 'Not sent: n8n could not store that these customers are about to be sent.',
		advice: `Check that n8n's database can be reached, then send them again.${n8nSays(cause)}`,
	};
}

function unexpected(cause: unknown): Result {
	return {
		outcome: 'notSent',
		retCode: null,
		message: `Not sent: this node stopped unexpectedly. It says: ${cause instanceof Error ? cause.message : String(cause)}`,
		advice: 'Report this text on GitHub.',
	};
}

function deliveryOptions(
	node: IExecuteFunctions,
	target: Target,
	options: Options,
): Omit<DeliveryOptions, 'batch'> {
	const { account, canvas } = target;
	const session = sessionOf(account);
	session.begin(target.token);
	return {
		rateLimiter: rateLimiterOf(account.baseUrl, canvas.triggerId),
		session,
		store: credentialTokenStore(node, account, target.itemIndex),
		trust: trustOf(target.key),
		clock: systemClock,
		signal: node.getExecutionCancelSignal(),
		requestsPerSecond: options.requestsPerSecond,
		giveUpAfterSeconds: options.giveUpAfter,
		unknownOutcome: options.unknownOutcome,
		send: senderFor(node, target, options.timeout),
	};
}

/** Shows in the list of executions how far an execution came that ends early. */
function showProgress(node: IExecuteFunctions, plans: readonly Plan[], mayHoldSome: boolean): void {
	const { accepted, unknown, failed, left } = groupByOutcome(plans);
	const name = node.getNode().name;
	try {
		const { customData } = node.getWorkflowDataProxy(0).$execution as {
			customData?: { set(key: string, value: string): void };
		};
		const show = (key: string, indexes: readonly number[]) =>
			customData?.set(key, `${name}: ${counted(indexes, 'customer')}`.slice(0, 500));
		show('sobot_accepted', accepted);
		if (unknown.length > 0) show('sobot_unknown', unknown);
		if (!mayHoldSome && failed.length + left.length > 0)
			show(
				'sobot_not_accepted',
				[...failed, ...left].sort((a, b) => a - b),
			);
	} catch {
		// The memory in the node context is complete without it.
	}
}

function addHints(node: IExecuteFunctions, plans: readonly Plan[], options: Options): void {
	const open = plans.filter((plan) => !isAsWanted(plan, options)).length;
	if (open > 0) {
		node.addExecutionHints({
			message: `${open} of ${plans.length} customers failed or could not be confirmed. The field 'error' of each says why, and what to do next.`,
			location: 'outputPane',
			type: 'warning',
		});
	}
	const times = new Map<string, number>();
	for (const plan of plans) {
		if (plan.kind === 'send') times.set(plan.contactId, (times.get(plan.contactId) ?? 0) + 1);
	}
	const repeated = [...times].filter(([, count]) => count > 1);
	const [first] = repeated;
	if (!first) return;
	const others = repeated.length > 1 ? `, and ${repeated.length - 1} more IDs occur more than once` : '';
	// n8n renders a hint as HTML.
	const contactId = first[0].slice(0, 100).replace(/[<>&]/g, ' ');
	node.addExecutionHints({
		message: `The contact ID ${contactId} occurs ${first[1]} times in the input${others}. Each item puts its customer on the canvas once more.`,
		location: 'outputPane',
		type: 'warning',
	});
}
