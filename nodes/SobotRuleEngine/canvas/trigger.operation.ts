// Resource Canvas, operation Trigger: puts each input item's customer on a canvas.
import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import { systemClock } from '../../sobot/clock';
import { deliver, type DeliveryOptions } from '../../sobot/delivery/delivery';
import type { Ledger } from '../../sobot/ledger/ledger';
import { resultOf, type Customer, type Result } from '../../sobot/outcome/customer';
import { LOOK_FIRST, MAY_OR_MAY_NOT } from '../../sobot/outcome/returnCodes';
import { rateLimiterOf, sessionOf, trustOf } from '../../sobot/shared';
import { credentialTokenStore } from '../n8n/credentialTokenStore';
import { forEachIndex } from '../n8n/eventLoop';
import { senderFor } from '../n8n/sender';
import { DEFAULT_OPTIONS, readOptions, type Options } from './options';
import { makePlans, rejected, type Plan, type SendPlan, type Target } from './plan';
import { Progress } from './progress';
import { dryRunItem, isAsWanted, outputItem, refusalOf, throwFirstFailure } from './report';
import { SendHistory } from './sendHistory';

/**
 * One output item for each input item, in order and paired. If the node continues on failure, or is an agent's tool, this
 * must not throw: docs/n8n-behavior.md, X1 and X8.
 */
export async function execute(this: IExecuteFunctions): Promise<INodeExecutionData[]> {
	const reading = readOptions(this);
	const options = 'reason' in reading ? DEFAULT_OPTIONS : reading.options;
	const reason = 'reason' in reading ? reading.reason : undefined;
	const history = new SendHistory(this);
	if (options.dryRun) return await dryRun(this, options, history);
	const plans: Plan[] =
		reason === undefined
			? await makePlans(this, options, history)
			: this.getInputData().map(() => rejected(reason));
	history.settleEarlier(plans, options);
	const ledger = history.open(plans, options);
	await history.settleRejected(plans, ledger);
	const stopsOnFailure = !this.continueOnFail() && !this.getNode().type.endsWith('Tool');
	const refusal = stopsOnFailure ? refusalOf(this, plans, history, reason) : undefined;
	if (refusal) {
		await ledger?.close();
		throw refusal;
	}
	await send({ node: this, plans, options, history, ledger, stopsOnFailure });
	if (stopsOnFailure) throwFirstFailure(this, plans, options, history);
	addHints(this, plans, options, history);
	return await outputs(plans, (plan, index) => outputItem(this, plan, index, options));
}

async function dryRun(
	node: IExecuteFunctions,
	options: Options,
	history: SendHistory,
): Promise<INodeExecutionData[]> {
	const plans = await makePlans(node, options, history);
	const sendable = plans.filter(({ kind }) => kind === 'send').length;
	const others = plans.length - sendable;
	const bad = others > 0 ? `; ${others} not: see 'reason'` : '';
	const message = `Dry run: nothing was sent. ${sendable} of ${plans.length} could be sent${bad}.`;
	warn(node, message, others > 0 ? 'warning' : 'info');
	return await outputs(plans, (plan, index) => dryRunItem(node, plan, index, options));
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

/** One run of the node that is about to send. */
interface Run {
	readonly node: IExecuteFunctions;
	readonly plans: readonly Plan[];
	readonly options: Options;
	readonly history: SendHistory;
	readonly ledger?: Ledger;
	readonly stopsOnFailure: boolean;
}

/** Sends all customers, those of each canvas at its own rate, in parallel. Never throws. */
async function send({ node, plans, options, history, ledger, stopsOnFailure }: Run): Promise<void> {
	const progress = new Progress(node, plans, systemClock);
	const signal = node.getExecutionCancelSignal();
	const onAbort = () => {
		history.remember(plans, options);
		progress.showEarlyEnd();
	};
	signal?.addEventListener('abort', onAbort);
	try {
		if (signal?.aborted) onAbort();
		const toSend = plans.filter(isOpen);
		const batch = { stopsOnFailure, hasFailed: false };
		await deliverByTarget(toSend, (target) => ({
			...deliveryOptions(node, target, options),
			batch,
			ledger,
		}));
		await ledger?.close(signal?.aborted === true);
	} finally {
		signal?.removeEventListener('abort', onAbort);
		progress.end();
	}
	history.remember(plans, options);
	// An execution that times out at this moment would not show the message.
	if (stopsOnFailure && !plans.every((plan) => isAsWanted(plan, options))) progress.showEarlyEnd();
}

async function deliverByTarget(
	plans: readonly SendPlan[],
	optionsOf: (target: Target) => DeliveryOptions,
): Promise<void> {
	const groups = new Map<Target, Customer[]>();
	for (const { target, customer } of plans) {
		const group = groups.get(target) ?? [];
		groups.set(target, group);
		group.push(customer);
	}
	await Promise.all(
		Array.from(groups, async ([target, customers]) => {
			const options = optionsOf(target);
			try {
				await deliver(customers, options);
			} catch (cause) {
				options.batch.hasFailed = true;
				for (const customer of customers)
					if (!resultOf(customer)) customer.known = unexpected(cause, customer.known === 'inDoubt');
			}
		}),
	);
}

const isOpen = (plan: Plan): plan is SendPlan => plan.kind === 'send' && !resultOf(plan.customer);

function unexpected(cause: unknown, isInDoubt: boolean): Result {
	const said = cause instanceof Error ? cause.message : String(cause);
	return {
		outcome: isInDoubt ? 'unknown' : 'notSent',
		retCode: null,
		message: `${isInDoubt ? MAY_OR_MAY_NOT : 'Not sent'}: this node stopped unexpectedly. It says: ${said}`,
		advice: `Report this text on GitHub.${isInDoubt ? ` ${LOOK_FIRST}` : ''}`,
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

/** A batch that takes longer, in s, should be one that can be run again. */
const LONG_BATCH_SECONDS = 10;

function addHints(
	node: IExecuteFunctions,
	plans: readonly Plan[],
	options: Options,
	history: SendHistory,
): void {
	const failed = plans.filter((plan) => !isAsWanted(plan, options)).length;
	if (failed > 0)
		warn(
			node,
			`${failed} of ${plans.length} customers failed or could not be confirmed. The field 'reason' of each says why, and what to do next.`,
		);
	if (history.hasForgotten)
		warn(
			node,
			"This node's memory for 'Send Once Per' is full: it drops its oldest entries, which may be customers. To keep more, raise 'History Size'.",
		);
	if (!history.hasText && plans.length > LONG_BATCH_SECONDS * options.requestsPerSecond)
		warn(node, "Add the option 'Send Once Per', so that you can run a long list again after a crash.");
	hintAtRepeats(node, plans);
}

function hintAtRepeats(node: IExecuteFunctions, plans: readonly Plan[]): void {
	const times = new Map<string, number>();
	for (const plan of plans) {
		if (plan.kind !== 'send' || resultOf(plan.customer)?.outcome !== 'accepted') continue;
		const name = `${plan.target.canvas.triggerId} ${plan.contactId}`;
		times.set(name, (times.get(name) ?? 0) + 1);
	}
	const repeated = [...times].filter(([, count]) => count > 1);
	const [first] = repeated;
	if (!first) return;
	const others = repeated.length > 1 ? `, and ${repeated.length - 1} more IDs occur more than once` : '';
	// n8n renders a hint as HTML.
	const contactId = first[0].replace(/^\d* /, '').slice(0, 100).replace(/[<>&]/g, ' ');
	warn(
		node,
		`The contact ID ${contactId} occurs ${first[1]} times in the input${others}. Each item puts its customer on the canvas once more.`,
	);
}

function warn(node: IExecuteFunctions, message: string, type: 'info' | 'warning' = 'warning'): void {
	node.addExecutionHints({ message, location: 'outputPane', type });
}
