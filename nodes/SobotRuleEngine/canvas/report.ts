// Reports a batch to the user: one output item for each input item, or an error that says how to finish the batch.
import {
	NodeApiError,
	NodeOperationError,
	type IDataObject,
	type IExecuteFunctions,
	type INodeExecutionData,
} from 'n8n-workflow';
import { countsAsSent, isSent, type Result } from '../../sobot/delivery';
import { LOOK_FIRST, MAY_OR_MAY_NOT } from '../../sobot/returnCodes';
import type { Options } from './options';
import type { Plan } from './plan';
import type { RetryMemory } from './retryMemory';

/** The result for a customer that was never sent, in an execution that ended early. */
const STOPPED: Result = {
	outcome: 'notSent',
	retCode: null,
	message: 'Not sent: the execution ended before this customer.',
	advice: 'Send this customer again.',
};

/** The result for a customer whose call was in flight then. */
const STOPPED_IN_DOUBT: Result = {
	outcome: 'unknown',
	retCode: null,
	message: `The execution ended before Sobot answered. ${MAY_OR_MAY_NOT}.`,
	advice: LOOK_FIRST,
};

/** How to finish a batch. */
const TO_SEND_THE_REST =
	"To send the rest, use Retry in the list of executions: it skips everyone Sobot has accepted. 'Execute step' sends everyone again.";

/** The result for an item; undefined while its customer has none. */
export function resultOf(plan: Plan): Result | undefined {
	if (plan.kind === 'send') return plan.customer.result;
	if (!plan.isInDoubt) return { outcome: 'notSent', retCode: null, message: plan.reason, advice: '' };
	return {
		outcome: 'unknown',
		retCode: null,
		message: `An earlier try of this execution has put this customer on the canvas, or may have. This try could not tell: ${plan.reason}`,
		advice: LOOK_FIRST,
	};
}

/** Whether nothing is left to do for an item. */
export function isAsWanted(plan: Plan, { unknownOutcome }: Options): boolean {
	return countsAsSent(resultOf(plan)?.outcome, unknownOutcome);
}

/** Whether a call for the customer of this item may have been carried out without a clear answer. */
function isInDoubt(plan: Plan): boolean {
	return plan.kind === 'send' && plan.customer.isInDoubt === true;
}

/** One output item, with the same fields for every outcome. */
export function outputItem(
	node: IExecuteFunctions,
	plan: Plan,
	index: number,
	options: Options,
): INodeExecutionData {
	const result = resultOf(plan) ?? (isInDoubt(plan) ? STOPPED_IN_DOUBT : STOPPED);
	const error = isAsWanted(plan, options)
		? null
		: [withCustomer(result.message, plan, index), result.advice].join(' ').trim();
	const item = toItem(node, index, options, {
		contactId: plan.contactId ?? null,
		outcome: result.outcome,
		ret_code: result.retCode,
		error,
	});
	if (error !== null && node.getNode().onError === 'continueErrorOutput') {
		// n8n sends an item to the error output only if it carries one of n8n's errors, and then reduces its JSON to the
		// message. n8n does not copy a property that is not enumerable, so the fields remain.
		const value = new NodeOperationError(node.getNode(), error, { itemIndex: index });
		Object.defineProperty(item, 'error', { value, enumerable: false });
	}
	return item;
}

/** The output item of a dry run: what would be sent, or why the item cannot be sent. */
export function dryRunItem(
	node: IExecuteFunctions,
	plan: Plan,
	index: number,
	options: Options,
): INodeExecutionData {
	const canvas = plan.kind === 'send' ? plan.target.canvas : undefined;
	return toItem(node, index, options, {
		contactId: plan.contactId ?? null,
		outcome: 'dryRun',
		ret_code: null,
		error: plan.kind === 'send' ? null : plan.reason,
		canvas: canvas?.name ?? null,
		triggerId: canvas?.triggerId ?? null,
		body: plan.kind === 'send' ? plan.customer.body : null,
	});
}

/**
 * Says what earlier tries have sent, for a try that sends nothing.
 *
 * @param mayHoldSome whether the ledger may hold customers whom nobody has looked up
 */
export function sentBefore({ earlier: { accepted, unknown } }: RetryMemory, mayHoldSome: boolean): string {
	if (accepted + unknown === 0) {
		return mayHoldSome
			? `This try sent nothing. An earlier run may have put customers on the canvas. ${TO_SEND_THE_REST}`
			: 'Nothing was sent for any customer.';
	}
	const customers = (count: number) => `${count} customer${count === 1 ? '' : 's'}`;
	const inDoubt = unknown > 0 ? `, and left ${customers(unknown)} in doubt` : '';
	return `This try sent nothing. An earlier try of this execution put ${customers(accepted)} on the canvas${inDoubt}. ${TO_SEND_THE_REST}`;
}

/**
 * Throws if some input cannot be sent, before this try sends anything.
 *
 * @param before what earlier tries have sent, in words: the text of `sentBefore`
 */
export function refuseInput(node: IExecuteFunctions, plans: readonly Plan[], before: string): void {
	const rejected = plans.flatMap((plan, index) => (plan.kind === 'rejected' ? [{ plan, index }] : []));
	const [first] = rejected;
	if (!first) return;
	const { plan, index } = first;
	const items = counted(
		rejected.map((one) => one.index),
		'item',
	);
	throw new NodeOperationError(node.getNode(), withCustomer(plan.reason, plan, index), {
		description: `${before} Input that cannot be sent: ${items}. Item numbers start at 0.`,
		itemIndex: index,
	});
}

/**
 * Throws if a customer's call failed or is in doubt.
 *
 * @param before what earlier tries have sent, as a text; without it, this try's counts are told
 */
export function throwFirstFailure(
	node: IExecuteFunctions,
	plans: readonly Plan[],
	options: Options,
	before?: string,
): void {
	const index = plans.findIndex((plan) => resultOf(plan) && !isAsWanted(plan, options));
	const plan = plans[index];
	const result = plan && resultOf(plan);
	if (!plan || !result) return;
	const message = withCustomer(result.message, plan, index);
	// Made from our own words alone: the HTTP client's error would carry the token and the secret.
	const error = new NodeApiError(
		node.getNode(),
		{ message, ret_code: result.retCode },
		{
			message,
			description: [result.advice, before ?? summarize(plans)].join(' ').trim(),
			httpCode: result.retCode ?? undefined,
			itemIndex: index,
		},
	);
	// n8n replaces a message that contains words such as ENOTFOUND, even as a contact ID.
	error.message = message;
	throw error;
}

/** The state of a batch that ended early, and how to finish it without sending anyone twice. */
function summarize(plans: readonly Plan[]): string {
	const lists = groupByOutcome(plans);
	const sentences = [
		`Accepted: ${counted(lists.accepted, 'customer')} of ${plans.length}.`,
		...(lists.failed.length > 0 ? [`Failed: ${counted(lists.failed, 'customer')}.`] : []),
		...(lists.left.length > 0 ? [`Still to send: ${counted(lists.left, 'customer')}.`] : []),
		...(lists.unknown.length > 0
			? [
					`Unknown: ${counted(lists.unknown, 'customer')}. Look them up in Sobot: Retry does not send them again.`,
				]
			: []),
		'Item numbers start at 0.',
	];
	if (lists.failed.length + lists.left.length > 0) sentences.push(TO_SEND_THE_REST);
	return sentences.join(' ');
}

/** The indexes of the items, by outcome. `left`: not sent yet, and may be sent; an item in doubt is `unknown`. */
export function groupByOutcome(plans: readonly Plan[]) {
	const lists = {
		accepted: [] as number[],
		failed: [] as number[],
		unknown: [] as number[],
		left: [] as number[],
	};
	for (const [index, plan] of plans.entries()) {
		const outcome = resultOf(plan)?.outcome;
		if (isSent(outcome)) lists.accepted.push(index);
		else if (outcome === 'unknown' || (outcome === undefined && isInDoubt(plan))) lists.unknown.push(index);
		else if (outcome === undefined) lists.left.push(index);
		else lists.failed.push(index);
	}
	return lists;
}

/** A count and the item numbers: `3 customers (items 0-1, 4)`. */
export function counted(indexes: readonly number[], noun: string): string {
	if (indexes.length === 0) return `no ${noun}s`;
	const plural = indexes.length === 1 ? '' : 's';
	return `${indexes.length} ${noun}${plural} (item${plural} ${ranges(indexes)})`;
}

/** Ascending numbers, with consecutive ones joined: `0-4, 7, 9-10`. */
function ranges(numbers: readonly number[]): string {
	const spans: Array<[number, number]> = [];
	for (const n of numbers) {
		const last = spans.at(-1);
		if (last && last[1] === n - 1) last[1] = n;
		else spans.push([n, n]);
	}
	return spans.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ');
}

function toItem(
	node: IExecuteFunctions,
	index: number,
	{ includeInputFields }: Options,
	fields: IDataObject,
): INodeExecutionData {
	const input = includeInputFields ? node.getInputData()[index]?.json : {};
	return { json: { ...input, ...fields }, pairedItem: { item: index } };
}

/** The message with its customer and item: "...: customer 123 (item 4)." */
function withCustomer(message: string, { contactId }: Plan, index: number): string {
	const who =
		contactId === undefined ? `item ${index}` : `customer ${contactId.slice(0, 100)} (item ${index})`;
	return `${message.replace(/\.$/, '')}: ${who}.`;
}
