// Resource Webhook App, operation Acknowledge: answers the push that started this workflow.
import {
	NodeOperationError,
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeProperties,
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
	} catch (cause) {
		const error = new NodeOperationError(this.getNode(), cause as Error);
		// docs/n8n-behavior.md, X1.
		if (!this.continueOnFail()) throw error;
		return items.map((item) => ({ ...item, json: { ...item.json, error: error.message }, error }));
	}
}

/** `success` only if every item says so. Throws for a value other than the two: then Sobot gets no answer. */
function outcomeOf(context: IExecuteFunctions, itemCount: number): Outcome {
	let outcome: Outcome = 'success';
	for (let itemIndex = 0; itemIndex < itemCount; itemIndex++) {
		const value: unknown = context.getNodeParameter('outcome', itemIndex);
		if (value !== 'success' && value !== 'failure') {
			throw new NodeOperationError(
				context.getNode(),
				`'Outcome' of item ${itemIndex} must be 'success' or 'failure', not ${JSON.stringify(value)}.`,
				{
					description:
						'Correct the expression. Sobot got no answer: it resends the push after 1 minute and again after 5.',
					itemIndex,
				},
			);
		}
		if (value === 'failure') outcome = value;
	}
	return outcome;
}

async function answer(context: IExecuteFunctions, outcome: Outcome): Promise<void> {
	checkTrigger(context);
	// Shared by all nodes of an execution. Only the first answer reaches Sobot.
	const execution = context.getContext('flow');
	const earlier = execution.sobotAnswer as Outcome | undefined;
	// The push of a retried execution is no longer waiting, whatever this run finds.
	if (earlier !== undefined && earlier !== outcome && context.getMode() !== 'retry') {
		throw new NodeOperationError(context.getNode(), `Sobot has already been told '${earlier}'.`, {
			description: `Only the first 'Acknowledge' of an execution answers the push, so Sobot does not receive this '${outcome}'. Use one at the end of each branch.`,
		});
	}
	let message = `Sobot had already been told '${earlier}', so this node sent nothing.`;
	if (earlier === undefined) {
		const body = pushAnswer(outcome === 'success' ? 0 : 1);
		await context.sendResponse({ body, headers: {}, statusCode: 200 });
		execution.sobotAnswer = outcome;
		// Nobody waits for the answer of a test without a push, or of a retried execution.
		const isTest = ['manual', 'retry'].includes(context.getMode());
		message = `Sobot was told '${outcome}'${isTest ? ', if a push was waiting' : ''}.`;
	}
	context.addExecutionHints({ message, location: 'outputPane' });
}

/** Throws unless this execution was started by a Sobot trigger that leaves the answer to the workflow. */
function checkTrigger(context: IExecuteFunctions): void {
	const { $, $node } = context.getWorkflowDataProxy(0) as {
		$: (name: string) => { isExecuted: boolean };
		$node: Record<string, { parameter: { responseMode?: unknown } }>;
	};
	const triggers = context
		.getParentNodes(context.getNode().name)
		.filter(({ type, disabled }) => type.endsWith('.sobotWebhookAppTrigger') && disabled !== true);
	// A workflow can have several triggers, each for its own canvas.
	const executed = triggers.filter(({ name }) => $(name).isExecuted);
	// A builder may execute this step alone, on pinned data.
	const started = executed.length === 0 && context.getMode() === 'manual' ? triggers : executed;
	const [first] = started;
	if (!first) {
		throw new NodeOperationError(context.getNode(), 'There is no push to acknowledge.', {
			description:
				'Start the workflow with a Sobot Webhook App Trigger, and connect this node after it: only then does Sobot wait for an answer.',
		});
	}
	if (started.some(({ name }) => $node[name]?.parameter.responseMode === 'responseNode')) return;
	throw new NodeOperationError(context.getNode(), `"${first.name}" does not wait for an acknowledgement.`, {
		description:
			"Set its 'Respond' to 'Using the Acknowledge Operation'. At present it answers Sobot as soon as a push arrives.",
	});
}
