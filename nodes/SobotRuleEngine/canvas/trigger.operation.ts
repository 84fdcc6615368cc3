// Resource Canvas, operation Trigger: puts each input item's customer on a canvas.
import { NodeOperationError, type IExecuteFunctions, type INodeExecutionData } from 'n8n-workflow';
import { systemClock } from '../../sobot/clock';
import { deliver, type Batch, type DeliveryOptions, type Result } from '../../sobot/delivery';
import type { SendLedger } from '../../sobot/ledger';
import { LOOK_FIRST } from '../../sobot/returnCodes';
import { rateLimiterOf, sessionOf, trustOf } from '../../sobot/shared';
import { DEFAULT_OPTIONS, readOptions, type Options } from './options';
import { closeRecord, noteTry, openLedger, type OpenLedger } from './keyStore';
import { forEachIndex, makePlans, type Plan, type SendPlan, type Target } from './plan';
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
import { senderFor } from './sender';
import { credentialTokenStore } from './storedToken';

/**
 * One output item for each input item, in order and paired. If the node continues on failure, or is an agent's tool, this
 * must not throw: n8n would pass the input items on as if they had been sent, or call the tool again.
 */
export async function execute(this: IExecuteFunctions): Promise<INodeExecutionData[]> {
	const isTool = this.getNode().type.endsWith('Tool');
	const mustNotThrow = this.continueOnFail() || isTool;
	const reading = readOptions(this);
	const options = 'reason' in reading ? DEFAULT_OPTIONS : reading.options;
	if (options.dryRun) {
		const plans = await makePlans(this, true);
		return await outputs(plans, (plan, index) => dryRunItem(this, plan, index, options));
	}
	const runIndex = this.getWorkflowDataProxy(0).$runIndex;
	const isRetry = this.getMode() === 'retry';
	const memory = new RetryMemory(this.getContext('node'), runIndex, this.getExecutionId(), isRetry);
	memory.remember();
	if ('reason' in reading && !mustNotThrow) {
		const description = sentBefore(memory);
		throw new NodeOperationError(this.getNode(), reading.reason, { description });
	}
	const plans: Plan[] =
		'reason' in reading
			? this.getInputData().map(() => ({ kind: 'rejected', reason: reading.reason }))
			: await makePlans(this, false);
	if (!mustNotThrow && plans.some(({ kind }) => kind === 'rejected')) {
		await prepareRefusal(this, plans, options, memory);
		refuseInput(this, plans, memory);
	}
	if (mustNotThrow && !isTool) markRejectedInDoubt(plans, memory, 'reason' in reading);
	await send(this, plans, options, memory, !mustNotThrow);
	if (!mustNotThrow) throwFirstFailure(this, plans, options);
	addHints(this, plans, options);
	return await outputs(plans, (plan, index) => outputItem(this, plan, index, options));
}

/** Leaves the records right when a try ends before it sends anything. */
async function prepareRefusal(
	node: IExecuteFunctions,
	plans: readonly Plan[],
	options: Options,
	memory: RetryMemory,
): Promise<void> {
	if (memory.isAfterCrash) return;
	if (memory.tries > 1) return await closeAfterLastTry(node, plans, options, memory);
	memory.isAfterCrash = await noteTry(node, plans, options).catch(() => true);
	if (memory.isAfterCrash) memory.remember();
}

/** Closes the ledger's record that the tries before the last one of Retry On Fail have left open. */
async function closeAfterLastTry(
	node: IExecuteFunctions,
	plans: readonly Plan[],
	options: Options,
	memory: RetryMemory,
): Promise<void> {
	if (memory.tries === 1 || memory.isAfterCrash || isTriedAgain(node, memory)) return;
	await closeRecord(node, plans, options).catch(() => undefined);
}

/**
 * A rejected item whose customer an earlier try may have sent is in doubt, and not reported as not sent.
 *
 * @param isUnread whether the items were not read at all
 */
function markRejectedInDoubt(plans: Plan[], memory: RetryMemory, isUnread: boolean): void {
	for (const [index, plan] of plans.entries()) {
		if (plan.kind !== 'rejected') continue;
		const hasCustomer = isUnread || plan.contactId !== undefined;
		const mayBeSent = memory.mayHaveSent(index) || (memory.isAfterCrash && hasCustomer);
		if (mayBeSent) plans[index] = { ...plan, isInDoubt: true };
	}
}

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

/** Sends all customers, those of each canvas at its own rate, in parallel. Never throws. */
async function send(
	node: IExecuteFunctions,
	plans: readonly Plan[],
	options: Options,
	memory: RetryMemory,
	stopsOnFailure: boolean,
): Promise<void> {
	const toSend = plans.filter((plan): plan is SendPlan => plan.kind === 'send');
	for (const { customer, digest } of toSend) {
		const earlier = memory.resultOf(digest);
		if (earlier?.outcome === 'unknown' && options.unknownOutcome === 'sendAgain') customer.isInDoubt = true;
		else customer.result = earlier;
	}
	const remember = () => memory.remember(statesOf(plans));

	const signal = node.getExecutionCancelSignal();
	const onAbort = () => {
		remember();
		showProgress(node, plans);
	};
	signal?.addEventListener('abort', onAbort);
	try {
		await sendUnsettled(node, plans, options, { stopsOnFailure, hasFailed: false }, memory);
	} finally {
		signal?.removeEventListener('abort', onAbort);
	}
	const isDone = plans.every((plan) => isAsWanted(plan, options));
	// An execution that times out at this moment would not show the message.
	if (stopsOnFailure && !isDone) showProgress(node, plans);
	// n8n 1 makes another try with Retry On Fail even if this one has not thrown, for a field 'error' that is null.
	if (signal?.aborted || node.getNode().retryOnFail || (stopsOnFailure && !isDone)) remember();
	else memory.forget();
}

function* statesOf(plans: readonly Plan[]) {
	for (const [index, plan] of plans.entries()) {
		if (plan.kind !== 'send') continue;
		const { digest, customer } = plan;
		yield { index, digest, result: customer.result, isInDoubt: customer.isInDoubt };
	}
}

/** Sends the customers that have no result yet, with a ledger if the batch needs one. */
async function sendUnsettled(
	node: IExecuteFunctions,
	plans: readonly Plan[],
	options: Options,
	batch: Batch,
	memory: RetryMemory,
): Promise<void> {
	const unsettled = plans.filter(isUnsettled);
	let opened: OpenLedger | undefined;
	try {
		if (unsettled.length > 0) opened = await openLedger(node, plans, options, memory);
	} catch (cause) {
		const result = notStored(cause);
		// A customer that an earlier try may have sent stays in doubt. Where the node stops, another Retry asks the ledger.
		const mayBeSent = memory.isAfterCrash && !batch.stopsOnFailure;
		for (const { customer } of unsettled) {
			customer.result = customer.isInDoubt || mayBeSent ? inDoubt(result) : result;
		}
		// It is unknown whether a crash has left a record.
		if (memory.tries === 1) memory.isAfterCrash = true;
		await closeAfterLastTry(node, plans, options, memory);
		return;
	}
	await deliverByTarget(node, unsettled, options, batch, opened?.ledger);
	await opened?.close();
	const isDone = plans.every((plan) => isAsWanted(plan, options));
	if (!isDone && isRecordNeeded(node, batch, memory)) return;
	if (opened?.isOpen() !== true && memory.tries === 1 && !memory.isAfterCrash) return;
	// If n8n's database stays away, a Retry of another execution can take this record for that of a crash.
	await closeRecord(node, plans, options).catch(() => undefined);
}

/**
 * Whether the ledger's record of this batch is still needed: by another Retry after a crash, if this one has not succeeded,
 * or if n8n ends before the next try of Retry On Fail. Otherwise it must not stay: another execution would take it for its
 * own.
 */
function isRecordNeeded(node: IExecuteFunctions, batch: Batch, memory: RetryMemory): boolean {
	const isStopped = node.getExecutionCancelSignal()?.aborted === true;
	if (memory.isAfterCrash && (batch.stopsOnFailure || isStopped)) return true;
	return batch.stopsOnFailure && !isStopped && isTriedAgain(node, memory);
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
	const said = cause instanceof Error ? ` n8n says: ${cause.message}` : '';
	return {
		outcome: 'notSent',
		retCode: null,
		message: 'Not sent: n8n could not store that these customers are about to be sent.',
		advice: `Check that n8n's database can be reached, then send them again.${said}`,
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
function showProgress(node: IExecuteFunctions, plans: readonly Plan[]): void {
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
		if (failed.length + left.length > 0)
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
