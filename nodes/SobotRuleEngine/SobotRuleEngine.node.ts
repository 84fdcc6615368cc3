// The action node: runs the chosen operation.
import type {
	IExecuteFunctions,
	INodeExecutionData,
	INodePropertyOptions,
	INodeType,
	INodeTypeDescription,
} from 'n8n-workflow';
import { NodeConnectionTypes, NodeOperationError } from 'n8n-workflow';
import { searchCanvases } from './canvas/searchCanvases';
import * as trigger from './canvas/trigger.operation';
import { fields as triggerFields } from './canvas/trigger.fields';
import * as acknowledge from './webhookApp/acknowledge.operation';

// Declared separately because n8n's lint takes "Canvas" for a plural and would demand "Canva".
const RESOURCES: INodePropertyOptions[] = [
	{ name: 'Canvas', value: 'canvas' },
	{ name: 'Webhook App', value: 'webhookApp' },
];

/** What each operation does, by resource and operation. */
const OPERATIONS: Record<string, (this: IExecuteFunctions) => Promise<INodeExecutionData[]>> = {
	'canvas.trigger': trigger.execute,
	'webhookApp.acknowledge': acknowledge.execute,
};

/** Puts customers on canvases, and acknowledges pushes. */
export class SobotRuleEngine implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Sobot Rule Engine',
		name: 'sobotRuleEngine',
		icon: { light: 'file:../sobot/sobot.svg', dark: 'file:../sobot/sobot.dark.svg' },
		group: ['output'],
		version: 1,
		subtitle:
			'={{ $parameter["resource"] === "webhookApp" ? "acknowledge: " + $parameter["outcome"] : "trigger canvas" }}',
		description:
			'Put customers on Sobot Rule Engine canvases, and acknowledge pushes. To receive pushes, use the Sobot Webhook App Trigger.',
		defaults: { name: 'Sobot Rule Engine' },
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main],
		usableAsTool: true,
		credentials: [{ name: 'sobotApi', required: true, displayOptions: { show: { resource: ['canvas'] } } }],
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
						description: 'Put the customer of each input item on a canvas',
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
			...triggerFields,
			...acknowledge.fields,
		],
	};

	methods = { listSearch: { searchCanvases } };

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const resource = String(this.getNodeParameter('resource', 0));
		const operation = String(this.getNodeParameter('operation', 0));
		const execute = OPERATIONS[`${resource}.${operation}`];
		if (execute) return [await execute.call(this)];
		const error = `This node has no operation '${operation}' for '${resource}'. Choose 'Resource' and 'Operation' again.`;
		if (!this.continueOnFail()) throw new NodeOperationError(this.getNode(), error);
		// n8n would pass the input items on as if they had been sent.
		const fields = { contactId: null, outcome: 'notSent', ret_code: null, error };
		return [this.getInputData().map((_, item) => ({ json: fields, pairedItem: { item } }))];
	}
}
