// Reports a batch to the user: one output item for each input item, or an error that says how to finish the batch.
import {
	NodeApiError,
	NodeOperationError,
	type IDataObject,
	type IExecuteFunctions,
	type INodeExecutionData,
} from 'n8n-workflow';
import type { Ledger } from '../../sobot/ledger/ledger';
import { countsAsSent, isDoubtful, isSent, resultOf, type Result } from '../../sobot/outcome/customer';
import { LOOK_FIRST, MAY_OR_MAY_NOT } from '../../sobot/outcome/returnCodes';
import type { Options } from './options';
import type { Plan } from './plan';
import type { SendHistory } from './sendHistory';

/** One run of the node. */
export interface Run {
	readonly node: IExecuteFunctions;
	readonly plans: readonly Plan[];
	readonly options: Options;
	readonly history: SendHistory;
	readonly ledger?: Ledger;
	readonly stopsOnFailure: boolean;
}

/** The result for a customer who has none when the execution ends early. */
const stopped = (isInDoubt: boolean): Result => ({
	outcome: isInDoubt ? 'unknown' : 'notSent',
	retCode: null,
	message: `The execution ended before ${isInDoubt ? `Sobot answered. ${MAY_OR_MAY_NOT}` : 'this customer'}.`,
	advice: isInDoubt ? LOOK_FIRST : 'Send this customer again.',
});

/** How to finish a batch. */
const TO_SEND_THE_REST =
	"To send the rest, use Retry in the list of executions: it skips everyone Sobot has accepted. 'Execute step' sends everyone again.";

/** How to send the others if some input cannot be sent. */
const TO_SEND_THE_OTHERS = "To send the others, set 'On Error' to 'Continue' in this node's settings.";

/** Sobot does not know the customer: the others can be sent. Other codes mostly refuse every customer. */
const NO_SUCH_CUSTOMER = '910026';

/** How to go on without a customer whom Sobot does not know: each Retry would end there. */
const TO_SKIP_THE_FAILED =
	"To leave out whom Sobot does not know, set 'On Error' to 'Continue' in this node's settings, save, and choose 'Retry with currently saved workflow'.";

/** The result for an item; undefined while its customer has none. */
export function resultOfPlan(plan: Plan): Result | undefined {
	const result = resultOf(plan.customer);
	if (plan.kind === 'send' || isSent(result?.outcome)) return result;
	if (!result) return { outcome: 'notSent', retCode: null, message: plan.reason, advice: '' };
	return { ...result, message: `${plan.reason} ${result.message}` };
}

/** Whether nothing is left to do for an item. */
export function isAsWanted(plan: Plan, { unknownOutcome }: Options): boolean {
	return countsAsSent(resultOfPlan(plan), unknownOutcome);
}

/** One output item, with the same fields for every outcome. */
export function outputItem(run: Run, plan: Plan, index: number): INodeExecutionData {
	const { node, options } = run;
	const result = resultOfPlan(plan) ?? stopped(isDoubtful(plan.customer));
	const reason = isAsWanted(plan, options)
		? ''
		: [withCustomer(result.message, plan, index), result.advice].join(' ').trim();
	const item = toItem(run, index, {
		contactId: plan.contactId ?? '',
		outcome: result.outcome,
		ret_code: result.retCode ?? '',
		reason,
	});
	if (reason !== '' && node.getNode().onError === 'continueErrorOutput') {
		// n8n sends an item to the error output only if it carries one of n8n's errors, and then reduces its JSON to the
		// message. n8n does not copy a property that is not enumerable, so the fields remain.
		const value = new NodeOperationError(node.getNode(), reason, { itemIndex: index });
		Object.defineProperty(item, 'error', { value, enumerable: false });
	}
	return item;
}

/** The output item of a dry run: what would be sent, or why the item cannot be sent. */
export function dryRunItem(run: Run, plan: Plan, index: number): INodeExecutionData {
	const canvas = plan.kind === 'send' ? plan.target.canvas : undefined;
	return toItem(run, index, {
		contactId: plan.contactId ?? '',
		outcome: plan.kind === 'send' ? 'dryRun' : 'notSent',
		canvas: canvas?.name ?? '',
		body: plan.customer.body,
		triggerId: canvas?.triggerId ?? '',
		ret_code: '',
		reason: plan.kind === 'send' ? '' : withCustomer(plan.reason, plan, index),
	});
}

/** What a try says that sends nothing. */
const NOBODY = 'This try put nobody on the canvas.';

/** Says what earlier tries have sent, for a try that sends nothing. */
function sentBefore({ earlier: { accepted, unknown, isRetry } }: SendHistory): string {
	if (accepted + unknown === 0) return isRetry ? `${NOBODY} ${TO_SEND_THE_REST}` : NOBODY;
	const customers = (count: number) => `${count} customer${count === 1 ? '' : 's'}`;
	const inDoubt = unknown > 0 ? `, and left ${customers(unknown)} in doubt` : '';
	return `${NOBODY} An earlier try of this execution put ${customers(accepted)} there${inDoubt}. ${TO_SEND_THE_REST}`;
}

/**
 * The error with which the node refuses its input before it sends anything; undefined if all of it can be sent.
 *
 * @param reason what is wrong with the options, if they could not be read
 */
export function refusalOf({ node, plans, history }: Run, reason?: string): NodeOperationError | undefined {
	const before = sentBefore(history);
	if (reason !== undefined) return new NodeOperationError(node.getNode(), reason, { description: before });
	const refused = plans.flatMap((plan, index) =>
		plan.kind === 'rejected' && !isSent(resultOf(plan.customer)?.outcome) ? [{ plan, index }] : [],
	);
	const [first] = refused;
	if (!first) return undefined;
	const { plan, index } = first;
	const items = counted(
		refused.map((one) => one.index),
		'item',
	);
	const others = refused.length < plans.length ? ` ${TO_SEND_THE_OTHERS}` : '';
	return new NodeOperationError(node.getNode(), withCustomer(plan.reason, plan, index), {
		description: `${before} Input that cannot be sent: ${items}. Item numbers start at 0.${others}`,
		itemIndex: index,
	});
}

/** Throws if a customer's call failed or is in doubt. */
export function throwFirstFailure(run: Run): void {
	const { node, plans, options } = run;
	const index = plans.findIndex((plan) => resultOfPlan(plan) && !isAsWanted(plan, options));
	const plan = plans[index];
	const result = plan && resultOfPlan(plan);
	if (!plan || !result) return;
	const message = withCustomer(result.message, plan, index);
	// Made from our own words alone: the HTTP client's error would carry the token and the secret.
	const error = new NodeApiError(
		node.getNode(),
		{ message, ret_code: result.retCode },
		{
			message,
			description: [result.advice, summarize(run)].join(' ').trim(),
			httpCode: result.retCode ?? undefined,
			itemIndex: index,
		},
	);
	// docs/n8n-behavior.md, X16. Even a contact ID can be such a word.
	error.message = message;
	throw error;
}

/** The state of a batch that ended early, and how to finish it without sending anyone twice. */
function summarize({ plans, options, history }: Run): string {
	const { accepted, failed, unknown, left } = groupByOutcome(plans);
	const isReached = !history.mayHoldEarlier || left.length === 0;
	if (accepted.length + unknown.length === 0 && isReached) {
		if (history.hasEarlierRuns) return `${NOBODY} ${TO_SEND_THE_REST}`;
		return 'Nobody was put on the canvas. Correct this, and execute the workflow again.';
	}
	const again = options.unknownOutcome === 'sendAgain' ? 'sends them again' : 'does not send them again';
	const sentences = [accountOf(plans)];
	if (unknown.length > 0) sentences.push(`Look them up in Sobot: Retry ${again}.`);
	sentences.push('Item numbers start at 0.');
	if (failed.length + left.length > 0) sentences.push(TO_SEND_THE_REST);
	const codeOf = (plan?: Plan) => plan && resultOfPlan(plan)?.retCode;
	const isOfCustomers = failed.length > 0 && failed.every((i) => codeOf(plans[i]) === NO_SUCH_CUSTOMER);
	if (isOfCustomers && left.length > 0) sentences.push(TO_SKIP_THE_FAILED);
	return sentences.join(' ');
}

/**
 * What became of the customers of a batch: `Accepted: 2 customers (items 0-1) of 3. Unknown: 1 customer (item 2).`
 *
 * @param mostRanges how many ranges of items to name for each outcome
 */
export function accountOf(plans: readonly Plan[], mostRanges = Infinity): string {
	const { accepted, failed, left, unknown } = groupByOutcome(plans);
	const others = Object.entries({ Failed: failed, 'Not reached yet': left, Unknown: unknown })
		.filter(([, indexes]) => indexes.length > 0)
		.map(([label, indexes]) => ` ${label}: ${counted(indexes, 'customer', mostRanges)}.`);
	return `Accepted: ${counted(accepted, 'customer', mostRanges)} of ${plans.length}.${others.join('')}`;
}

/** The indexes of the items, by outcome. `left`: not reached; an item in doubt is `unknown`. */
export function groupByOutcome(plans: readonly Plan[]) {
	const lists = {
		accepted: [] as number[],
		failed: [] as number[],
		unknown: [] as number[],
		left: [] as number[],
	};
	for (const [index, plan] of plans.entries()) {
		const outcome = resultOfPlan(plan)?.outcome;
		if (isSent(outcome)) lists.accepted.push(index);
		else if (resultOf(plan.customer)?.isUntold) lists.left.push(index);
		else if (isDoubtful(plan.customer)) lists.unknown.push(index);
		else if (outcome === undefined) lists.left.push(index);
		else lists.failed.push(index);
	}
	return lists;
}

/** A count and the item numbers: `3 customers (items 0-1, 4)`; of a longer list `(items 0-1, 4, ... and 297 more)`. */
function counted(indexes: readonly number[], noun: string, mostRanges = Infinity): string {
	if (indexes.length === 0) return `no ${noun}s`;
	const plural = indexes.length === 1 ? '' : 's';
	const shown = spansOf(indexes).slice(0, mostRanges);
	const numbers = shown.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`));
	const last = shown.at(-1)?.[1] ?? 0;
	const more = indexes.filter((index) => index > last).length;
	if (more > 0) numbers.push(`... and ${more} more`);
	return `${indexes.length} ${noun}${plural} (item${plural} ${numbers.join(', ')})`;
}

/** The runs of consecutive numbers in an ascending list: first and last. */
function spansOf(numbers: readonly number[]): Array<[number, number]> {
	const spans: Array<[number, number]> = [];
	for (const n of numbers) {
		const last = spans.at(-1);
		if (last && last[1] === n - 1) last[1] = n;
		else spans.push([n, n]);
	}
	return spans;
}

function toItem({ node, options }: Run, index: number, fields: IDataObject): INodeExecutionData {
	const input = options.includeInputFields ? node.getInputData()[index]?.json : {};
	return { json: { ...input, ...fields }, pairedItem: { item: index } };
}

/** The message behind its customer and item: "Customer 123 (item 4): ..." */
function withCustomer(message: string, { contactId }: Plan, index: number): string {
	const who =
		contactId === undefined ? `Item ${index}` : `Customer ${contactId.slice(0, 100)} (item ${index})`;
	return `${who}: ${message}`;
}
