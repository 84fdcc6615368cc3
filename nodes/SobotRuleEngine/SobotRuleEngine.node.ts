// The action node: a shell around its operations.
import type {
	ICredentialsDecrypted,
	ICredentialTestFunctions,
	IExecuteFunctions,
	INodeCredentialTestResult,
	INodeExecutionData,
	INodePropertyOptions,
	INodeType,
	INodeTypeDescription,
} from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import { canvasFormError } from './canvas/canvasCredential';
import * as trigger from './canvas/trigger.operation';
import * as acknowledge from './webhookApp/acknowledge.operation';

// Apart from its field: n8n's lint takes "Canvas" for a plural and would have it "Canva".
const RESOURCES: INodePropertyOptions[] = [
	{ name: 'Canvas', value: 'canvas' },
	{ name: 'Webhook App', value: 'webhookApp' },
];

export class SobotRuleEngine implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Sobot Rule Engine',
		name: 'sobotRuleEngine',
		icon: { light: 'file:../sobot/sobot.svg', dark: 'file:../sobot/sobot.dark.svg' },
		group: ['output'],
		version: 1,
		subtitle: '={{ $parameter["operation"] + ": " + $parameter["resource"] }}',
		description: 'Put customers on a Sobot Rule Engine canvas, and answer pushes from Sobot',
		defaults: { name: 'Sobot Rule Engine' },
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main],
		usableAsTool: true,
		credentials: [
			{ name: 'sobotApi', required: true, displayOptions: { show: { resource: ['canvas'] } } },
			{
				name: 'sobotCanvasApi',
				required: true,
				testedBy: 'checkCanvasForm',
				displayOptions: { show: { resource: ['canvas'] } },
			},
		],
		properties: [
			{
				displayName: 'Resource',
				name: 'resource',
				type: 'options',
				noDataExpression: true,
				options: RESOURCES,
				default: 'canvas',
			},
			{
				displayName: 'Operation',
				name: 'operation',
				type: 'options',
				noDataExpression: true,
				displayOptions: { show: { resource: ['canvas'] } },
				options: [
					{
						name: 'Trigger',
						value: 'trigger',
						action: 'Trigger canvas',
						description: 'Put a customer on a canvas, one for each input item',
					},
				],
				default: 'trigger',
			},
			{
				displayName: 'Operation',
				name: 'operation',
				type: 'options',
				noDataExpression: true,
				displayOptions: { show: { resource: ['webhookApp'] } },
				options: [
					{
						name: 'Acknowledge',
						value: 'acknowledge',
						action: 'Acknowledge webhook app push',
						description: 'Answer the push from Sobot that started this workflow',
					},
				],
				default: 'acknowledge',
			},
			...trigger.fields,
			...acknowledge.fields,
		],
	};

	methods = {
		credentialTest: {
			async checkCanvasForm(
				this: ICredentialTestFunctions,
				credential: ICredentialsDecrypted,
			): Promise<INodeCredentialTestResult> {
				const error = canvasFormError(credential.data ?? {});
				if (error) return { status: 'Error', message: error };
				return {
					status: 'OK',
					message:
						'The form is right. Whether Sobot knows this canvas shows only when a customer is put on it.',
				};
			},
		},
	};

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const resource = this.getNodeParameter('resource', 0);
		return [await (resource === 'canvas' ? trigger : acknowledge).execute.call(this)];
	}
}
