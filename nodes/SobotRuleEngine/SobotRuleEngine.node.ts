// The action node: runs the chosen operation.
import type {
	IBuilderHint,
	IExecuteFunctions,
	INodeExecutionData,
	INodeProperties,
	INodePropertyOptions,
	INodeType,
	INodeTypeDescription,
} from 'n8n-workflow';
import { NodeConnectionTypes, NodeOperationError } from 'n8n-workflow';
import { searchCanvases } from './canvas/searchCanvases';
import { fields as triggerFields } from './canvas/trigger.fields';
import * as trigger from './canvas/trigger.operation';
import * as acknowledge from './webhookApp/acknowledge.operation';

// Declared separately because n8n's lint takes "Canvas" for a plural and would demand "Canva".
const RESOURCES: INodePropertyOptions[] = [
	{ name: 'Canvas', value: 'canvas' },
	{ name: 'Webhook App', value: 'webhookApp' },
];

/** Hints for n8n's AI builders. */
const BUILDER_HINT: IBuilderHint = {
	searchHint:
		"Sobot (zhichi) contact center. With resource 'canvas' it puts the customer of each input item on a Rule Engine canvas, a customer journey that can message real people at once. Keep the option dryRun on until the user confirms. Set the option sendOncePer to the name of the campaign: then a repeated execution sends nobody twice. Pass all customers to one node, without a loop or a wait: it keeps Sobot's rate limit. With resource 'webhookApp' it answers the push that a Sobot Webhook App Trigger has received.",
	relatedNodes: [
		{
			nodeType: 'n8n-nodes-sobot.sobotWebhookAppTrigger',
			relationHint:
				"Starts a workflow when a canvas pushes a customer. With its responseMode 'responseNode', end every branch with this node, resource webhookApp, operation acknowledge.",
		},
	],
};

/** The description of the tool for an agent's model, which otherwise gets the action's title alone. */
const TOOL_DESCRIPTION: INodeProperties = {
	displayName: 'Description',
	name: 'toolDescription',
	type: 'string',
	typeOptions: { rows: 4 },
	required: true,
	default:
		'Puts one customer on a Sobot canvas, which can send them messages at once. Needs their contact ID and nickname. Call it once for each customer. The field outcome of the result is accepted if Sobot has put the customer on the canvas, and alreadySent if it was done before. Otherwise the field reason says what happened. If outcome is unknown, do not call it again for this customer: tell the user.',
	displayOptions: { show: { '@tool': [true] } },
	description: "Tells the agent's model when and how to use this tool",
};

/** The operations, by resource and operation. */
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
		// The canvas by its name in the list, or as it was entered, and whether this is a dry run.
		subtitle:
			'={{ (({ resource, canvas, options }) => { if (resource === "webhookApp") return "acknowledge: " + $parameter["outcome"]; const { cachedResultName, value } = canvas || {}; const isExpression = String(value || "").startsWith("="); const name = isExpression ? "canvas by expression" : cachedResultName || value || "no canvas yet"; return (options || {}).dryRun === true ? name + " (dry run)" : name; })($parameter.toJSON()) }}',
		description:
			'Put customers on Sobot Rule Engine canvases, and acknowledge pushes. To receive pushes, use the Sobot Webhook App Trigger.',
		// n8n adds parameters to the codex file's link, behind the anchor.
		documentationUrl: 'https://github.com/n8n-nodes-sobot/n8n-nodes-sobot#sobot-rule-engine',
		defaults: { name: 'Sobot Rule Engine' },
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main],
		usableAsTool: true,
		credentials: [{ name: 'sobotApi', required: true, displayOptions: { show: { resource: ['canvas'] } } }],
		builderHint: BUILDER_HINT,
		properties: [
			TOOL_DESCRIPTION,
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
						action: 'Put customers on a canvas',
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
		const reason = `This node has no operation '${operation}' for '${resource}'. Choose 'Resource' and 'Operation' again.`;
		if (!this.continueOnFail()) throw new NodeOperationError(this.getNode(), reason);
		// docs/n8n-behavior.md, X1.
		const fields = { contactId: '', outcome: 'notSent', ret_code: '', reason };
		return [this.getInputData().map((_, item) => ({ json: fields, pairedItem: { item } }))];
	}
}
