// Resource Webhook App, operation Acknowledge: answers the push that started this workflow.
import {
	NodeOperationError,
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeProperties,
} from 'n8n-workflow';
import { ACKNOWLEDGED, FAILED } from '../../sobot/webhookApp';

const show = { resource: ['webhookApp'], operation: ['acknowledge'] };

export const fields: INodeProperties[] = [
	{
		displayName:
			'Works in a workflow that starts with a Sobot Webhook App Trigger whose Respond is set to "Using the Acknowledge Operation"',
		name: 'acknowledgeNotice',
		type: 'notice',
		default: '',
		displayOptions: { show },
	},
	{
		displayName: 'Outcome',
		name: 'outcome',
		type: 'options',
		displayOptions: { show },
		options: [
			{ name: 'Success', value: 'success', description: 'Sobot is done with this push' },
			{ name: 'Failure', value: 'failure', description: 'Sobot pushes again after 1 and after 5 minutes' },
		],
		default: 'success',
		description: 'What to tell Sobot',
	},
];

/** Passes its items on. */
export async function execute(this: IExecuteFunctions): Promise<INodeExecutionData[]> {
	const trigger = this.getParentNodes(this.getNode().name).find(
		({ type, disabled }) => type.endsWith('.sobotWebhookAppTrigger') && disabled !== true,
	);
	if (!trigger) {
		throw new NodeOperationError(this.getNode(), 'There is no push to acknowledge in this workflow.', {
			description: 'Start the workflow with a Sobot Webhook App Trigger, and connect this node behind it.',
		});
	}
	const parameters = this.getWorkflowDataProxy(0).$node[trigger.name]?.parameter as
		{ responseMode?: unknown } | undefined;
	if (parameters?.responseMode !== 'responseNode') {
		throw new NodeOperationError(this.getNode(), `"${trigger.name}" does not wait for an acknowledgement.`, {
			description:
				'Set its Respond to "Using the Acknowledge Operation". As it is, Sobot was answered when the push came in.',
		});
	}
	const body = this.getNodeParameter('outcome', 0) === 'failure' ? FAILED : ACKNOWLEDGED;
	this.sendResponse({ body: { ...body }, headers: {}, statusCode: 200 });
	return this.getInputData().map((item, index) => ({ ...item, pairedItem: { item: index } }));
}
