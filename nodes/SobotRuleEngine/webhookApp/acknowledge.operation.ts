// Resource Webhook App, operation Acknowledge: answers the push that started this workflow.
import {
	NodeOperationError,
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeProperties,
	type NodeTypeAndVersion,
} from 'n8n-workflow';
import { pushAnswer } from '../../sobot/push/pushAnswers';

/** Where the parameters are shown. */
const SHOW = { resource: ['webhookApp'], operation: ['acknowledge'] };

/** The operation's parameters. */
export const fields: INodeProperties[] = [
	{
		displayName:
			"Use this in a workflow that starts with a Sobot Webhook App Trigger whose 'Respond' is set to 'Using the Acknowledge Operation'.",
		name: 'acknowledgeNotice',
		type: 'notice',
		default: '',
		displayOptions: { show: SHOW },
	},
	{
		displayName: 'Outcome',
		name: 'outcome',
		type: 'options',
		displayOptions: { show: SHOW },
		options: [
			{
				name: 'Failure',
				value: 'failure',
				description: 'Sobot resends the push after 1 minute and again after 5',
			},
			{ name: 'Success', value: 'success', description: 'Tell Sobot that this push succeeded' },
		],
		default: 'success',
		required: true,
		description: "What to tell Sobot. If any of several items says 'Failure', so does the answer to Sobot.",
	},
];

/** What the user reports to Sobot. */
type Outcome = 'success' | 'failure';

/** Answers Sobot once for all items, and passes them on. */
export async function execute(this: IExecuteFunctions): Promise<INodeExecutionData[]> {
	const items = this.getInputData().map((item, index) => ({ ...item, pairedItem: { item: index } }));
	try {
		await answer(this, outcomeOf(this, items.length));
		return items;
	} catch (error) {
		const nodeError =
			error instanceof NodeOperationError ? error : new NodeOperationError(this.getNode(), error as Error);
		// docs/n8n-behavior.md, X1.
		if (!this.continueOnFail()) throw nodeError;
		return items.map((item) => ({
			...item,
			json: { ...item.json, error: nodeError.message },
			error: nodeError,
		}));
	}
}

async function answer(context: IExecuteFunctions, outcome: Outcome): Promise<void> {
	checkTrigger(context);
	// Shared by all nodes of an execution. Only the first answer reaches Sobot.
	const execution = context.getContext('flow');
	const earlier = execution.sobotAnswer as Outcome | undefined;
	if (earlier === undefined) {
		const body = pushAnswer(outcome === 'success' ? 0 : 1);
		await context.sendResponse({ body, headers: {}, statusCode: 200 });
		execution.sobotAnswer = outcome;
		// Nobody waits for the answer of a test without a push, or of a retried execution.
		const isTest = ['manual', 'retry'].includes(context.getMode());
		hint(context, `Sobot was told '${outcome}'${isTest ? ', if a push was waiting' : ''}.`);
		return;
	}
	// The push of a retried execution is no longer waiting, whatever this run finds.
	if (earlier !== outcome && context.getMode() !== 'retry') {
		throw new NodeOperationError(context.getNode(), `Sobot has already been told '${earlier}'.`, {
			description: `Only the first 'Acknowledge' of an execution answers the push, so Sobot does not receive this '${outcome}'. Use one at the end of each branch.`,
		});
	}
	hint(context, `Sobot had already been told '${earlier}', so this node sent nothing.`);
}

/** `success` only if every item says so. Throws for a value other than the two: then Sobot gets no answer. */
function outcomeOf(context: IExecuteFunctions, itemCount: number): Outcome {
	let outcome: Outcome = 'success';
	for (let index = 0; index < itemCount; index++) {
		const value: unknown = context.getNodeParameter('outcome', index);
		if (value === 'failure') outcome = value;
		else if (value !== 'success') throw invalidOutcome(context, value, index);
	}
	return outcome;
}

function invalidOutcome(context: IExecuteFunctions, value: unknown, itemIndex: number): NodeOperationError {
	const given = value === undefined ? 'undefined' : JSON.stringify(value);
	return new NodeOperationError(
		context.getNode(),
		`'Outcome' of item ${itemIndex} must be 'success' or 'failure', not ${given}.`,
		{
			description:
				'Correct the expression. Sobot got no answer: it resends the push after 1 minute and again after 5.',
			itemIndex,
		},
	);
}

/** Throws unless this execution was started by a Sobot trigger that leaves the answer to the workflow. */
function checkTrigger(context: IExecuteFunctions): void {
	const triggers = context
		.getParentNodes(context.getNode().name)
		.filter(({ type, disabled }) => type.endsWith('.sobotWebhookAppTrigger') && disabled !== true);
	if (triggers.length === 0) {
		throw new NodeOperationError(context.getNode(), 'There is no push to acknowledge in this workflow.', {
			description: 'Start the workflow with a Sobot Webhook App Trigger, and connect this node after it.',
		});
	}
	const executed = triggers.filter((trigger) => hasStarted(context, trigger));
	// A builder may execute this step alone, on pinned data.
	const started = executed.length === 0 && context.getMode() === 'manual' ? triggers : executed;
	const [first] = started;
	if (!first) {
		throw new NodeOperationError(context.getNode(), 'No push started this execution.', {
			description:
				'Start the workflow with its Sobot Webhook App Trigger: only then does Sobot wait for an answer.',
		});
	}
	if (started.some((trigger) => waits(context, trigger))) return;
	throw new NodeOperationError(context.getNode(), `"${first.name}" does not wait for an acknowledgement.`, {
		description:
			"Set its 'Respond' to 'Using the Acknowledge Operation'. At present it answers Sobot as soon as a push arrives.",
	});
}

/** Whether this trigger started the execution. A workflow can have several, each for its own canvas. */
function hasStarted(context: IExecuteFunctions, { name }: NodeTypeAndVersion): boolean {
	const { $ } = context.getWorkflowDataProxy(0) as { $: (name: string) => { isExecuted: boolean } };
	return $(name).isExecuted;
}

/** Whether this trigger leaves the answer to the workflow. */
function waits(context: IExecuteFunctions, { name }: NodeTypeAndVersion): boolean {
	const node = context.getWorkflowDataProxy(0).$node[name] as
		{ parameter?: { responseMode?: unknown } } | undefined;
	return node?.parameter?.responseMode === 'responseNode';
}

function hint(context: IExecuteFunctions, message: string): void {
	context.addExecutionHints({ message, location: 'outputPane' });
}
