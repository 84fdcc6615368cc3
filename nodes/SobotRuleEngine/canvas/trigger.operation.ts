// Resource Canvas, operation Trigger: puts each input item's customer on a canvas.
import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import { canvasRequest } from '../../sobot/canvas/canvas';
import { systemClock } from '../../sobot/clock';
import { deliver, type Batch, type DeliveryOptions } from '../../sobot/delivery/delivery';
import { redactSecrets, type HttpAnswer } from '../../sobot/outcome/answer';
import { resultOf, type Customer, type Result } from '../../sobot/outcome/customer';
import { LOOK_FIRST, MAY_OR_MAY_NOT } from '../../sobot/outcome/returnCodes';
import { rateLimiterOf, sessionOf, trustOf } from '../../sobot/shared';
import { credentialTokenStore } from '../n8n/credentialTokenStore';
import { forEachIndex } from '../n8n/eventLoop';
import { readOptions } from './options';
import { makePlans, rejected, type Plan, type Target } from './plan';
import { logProgress, showEarlyEnd } from './progress';
import { dryRunItem, isAsWanted, outputItem, refusalOf, throwFirstFailure, type Run } from './report';
import { SendHistory } from './sendHistory';

/**
 * One output item for each input item, in order and paired. If the node continues on failure, or is an agent's tool, this
 * must not throw: docs/n8n-behavior.md, X1 and X8.
 */
export async function execute(this: IExecuteFunctions): Promise<INodeExecutionData[]> {
	const { options, reason } = readOptions(this);
	const history = new SendHistory(this);
	const plans: Plan[] =
		reason === undefined
			? await makePlans(this, options, history)
			: this.getInputData().map(() => rejected(reason));
	const stopsOnFailure = !this.continueOnFail() && !this.getNode().type.endsWith('Tool');
	if (options.dryRun) return await dryRun({ node: this, plans, options, history, stopsOnFailure });
	history.settleEarlier(plans, options);
	const ledger = history.open(plans, options);
	await history.settleRejected(plans, ledger);
	const run: Run = { node: this, plans, options, history, ledger, stopsOnFailure };
	const refusal = stopsOnFailure ? refusalOf(run, reason) : undefined;
	if (refusal) {
		await ledger?.close();
		throw refusal;
	}
	await send(run);
	if (stopsOnFailure) throwFirstFailure(run);
	addHints(run);
	return await outputs(run, outputItem);
}

async function dryRun(run: Run): Promise<INodeExecutionData[]> {
	const { node, plans } = run;
	const sendable = plans.filter(({ kind }) => kind === 'send').length;
	const others = plans.length - sendable;
	const bad = others > 0 ? `; ${others} not: see 'reason'` : '';
	const message = `Dry run: nothing was sent. ${sendable} of ${plans.length} could be sent${bad}.`;
	warn(node, message, others > 0 ? 'warning' : 'info');
	return await outputs(run, dryRunItem);
}

async function outputs(run: Run, toItem: typeof outputItem): Promise<INodeExecutionData[]> {
	const items: INodeExecutionData[] = [];
	await forEachIndex(run.plans.length, (index) => {
		const plan = run.plans[index];
		if (plan) items.push(toItem(run, plan, index));
	});
	return items;
}

/** Sends all customers, those of each canvas at its own rate, in parallel. Never throws. */
async function send(run: Run): Promise<void> {
	const { node, plans, options, history, ledger, stopsOnFailure } = run;
	const signal = node.getExecutionCancelSignal();
	const onAbort = () => {
		history.remember(plans, options);
		showEarlyEnd(node, plans);
	};
	let hasEnded = false;
	void logProgress(node, plans, systemClock, () => hasEnded);
	signal?.addEventListener('abort', onAbort);
	try {
		if (signal?.aborted) onAbort();
		await deliverByTarget(run);
		await ledger?.close(signal?.aborted === true);
	} finally {
		signal?.removeEventListener('abort', onAbort);
		hasEnded = true;
	}
	history.remember(plans, options);
	// An execution that times out at this moment would not show the message.
	if (stopsOnFailure && !plans.every((plan) => isAsWanted(plan, options))) showEarlyEnd(node, plans);
}

async function deliverByTarget(run: Run): Promise<void> {
	const groups = new Map<Target, Customer[]>();
	for (const plan of run.plans) {
		if (plan.kind !== 'send' || resultOf(plan.customer)) continue;
		const group = groups.get(plan.target) ?? [];
		groups.set(plan.target, group);
		group.push(plan.customer);
	}
	const batch: Batch = { stopsOnFailure: run.stopsOnFailure, hasFailed: false };
	await Promise.all(
		Array.from(groups, async ([target, customers]) => {
			try {
				await deliver(customers, deliveryOptions(run, target, batch));
			} catch (cause) {
				batch.hasFailed = true;
				for (const customer of customers)
					if (!resultOf(customer)) customer.known = unexpected(cause, customer.known === 'inDoubt');
			}
		}),
	);
}

function unexpected(cause: unknown, isInDoubt: boolean): Result {
	const said = cause instanceof Error ? cause.message : String(cause);
	return {
		outcome: isInDoubt ? 'unknown' : 'notSent',
		retCode: null,
		message: `${isInDoubt ? MAY_OR_MAY_NOT : 'Not sent'}: this node stopped unexpectedly. It says: ${said}`,
		advice: `Report this text on GitHub.${isInDoubt ? ` ${LOOK_FIRST}` : ''}`,
	};
}

function deliveryOptions({ node, options, ledger }: Run, target: Target, batch: Batch): DeliveryOptions {
	const { account, canvas } = target;
	const session = sessionOf(account);
	session.begin(target.token);
	return {
		rateLimiter: rateLimiterOf(account.baseUrl, canvas.triggerId),
		session,
		store: credentialTokenStore(node, account, target.itemIndex),
		trust: trustOf(target.key),
		clock: systemClock,
		batch,
		ledger,
		signal: node.getExecutionCancelSignal(),
		requestsPerSecond: options.requestsPerSecond,
		giveUpAfterSeconds: options.giveUpAfter,
		unknownOutcome: options.unknownOutcome,
		// Without n8n's authentication, which reads the database at each call and takes HTTP 200 with 900002 for success.
		send: async (token, body) => {
			const named = { ...canvas, baseUrl: account.baseUrl };
			const request = canvasRequest(named, token, body, options.timeout * 1000);
			const answer = (await node.helpers.httpRequest(request)) as HttpAnswer;
			const secrets = [token, canvas.secret, account.appKey];
			return { statusCode: answer.statusCode, body: redactSecrets(answer.body, secrets) };
		},
	};
}

/** A batch that takes longer, in s, should be one that can be run again. */
const LONG_BATCH_SECONDS = 10;

function addHints({ node, plans, options, history }: Run): void {
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
	const accepted = plans.flatMap((plan) =>
		plan.kind === 'send' && resultOf(plan.customer)?.outcome === 'accepted'
			? [`${plan.target.canvas.triggerId} ${plan.contactId}`]
			: [],
	);
	const again = accepted.length - new Set(accepted).size;
	if (again > 0)
		warn(
			node,
			`Contact IDs occur more than once in the input: ${again} of ${plans.length} items put a customer on the same canvas once more.`,
		);
}

function warn(node: IExecuteFunctions, message: string, type: 'info' | 'warning' = 'warning'): void {
	node.addExecutionHints({ message, location: 'outputPane', type });
}
