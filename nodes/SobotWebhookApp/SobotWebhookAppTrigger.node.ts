// The trigger node: a shell around three steps. May this one push? What does it say? How is it answered?
import {
	NodeConnectionTypes,
	NodeOperationError,
	type ICredentialsDecrypted,
	type ICredentialTestFunctions,
	type IDataObject,
	type IHookFunctions,
	type INodeCredentialTestResult,
	type INodeType,
	type INodeTypeDescription,
	type IWebhookDescription,
	type IWebhookFunctions,
	type IWebhookResponseData,
	type NodeHint,
} from 'n8n-workflow';
import { isJsonObject } from '../sobot/answer';
import { isRange, splitList } from './addressList';
import { acknowledgement, refusal, type Refusal } from './answerPush';
import { mayPush, secretFormError, type PushSecret } from './mayPush';
import { deliveryKeyOf, isNestedTooDeep, parsePush } from './parsePush';
import { RepeatMemory } from './repeats';
import { withoutSecrets } from './requestDetails';

interface Options {
	ignoreRepeatsMinutes?: number;
	companyIds?: string;
	ipAllowlist?: string;
	customFieldNames?: { field?: Array<{ id?: string; name?: string }> };
	includeRequest?: boolean;
}

/** What Sobot pushes, for builders who have nothing to push yet. Source: Sobot, "Webhook app". */
const SAMPLE_PUSH = {
	id: '123',
	pid: '456',
	nick: 'John',
	uname: 'John Doe',
	email: 'john@example.com',
	tel: '1234567890',
	is_vip: '1',
	vip_level: 'Gold',
	user_label: '581dfa5ff16644619d8a7e1a45632a79',
	ex_fields: { '7dcf2982a3bc4afaa5351500b8e2e21c': '1990-05-17' },
};

/** The panel cannot wrap a delivery key. */
const SAMPLE_OUTPUT = { ...parsePush(SAMPLE_PUSH), deliveryKey: 'sample' };

/** A hint beside "set mock data", and no notice among the parameters: n8n resolves those anew for each push. */
function sampleHint(simplify: boolean, sample: object): NodeHint {
	// With spaces, so that it wraps.
	const text = JSON.stringify(sample, null, 1).replace(/\n */g, ' ');
	return {
		message: `Nothing to push yet? To build the nodes that follow, copy this sample, choose "set mock data" here and paste it:<br />${text}`,
		displayCondition: `={{ $parameter["simplify"] === ${simplify} }}`,
		location: 'outputPane',
		whenToDisplay: 'beforeExecution',
	};
}

const WHILE_YOU_BUILD =
	'<b>While you build</b>: press the button, and let your canvas push a customer to the Test URL. It shows up here. No canvas at hand? Use the sample push in the output panel.<br /><br />';

const RESPONSE_MODE = '={{$parameter["responseMode"]}}';

const webhook = {
	path: 'webhook',
	responseMode: RESPONSE_MODE,
	// Present and falsy: otherwise n8n answers with a text of its own instead of our acknowledgement.
	responseData: '',
	// As n8n's own nodes do, so that n8n need not run its expression engine for each push; versions that do not know this
	// key run it. Source: n8n-workflow, webhook-description-fields.
	[Symbol.for('n8n.webhookDescriptionResolvers')]: {
		responseMode: {
			template: RESPONSE_MODE,
			resolve: ({ responseMode }: IDataObject) => responseMode,
		},
	},
} as const;

export class SobotWebhookAppTrigger implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Sobot Webhook App Trigger',
		name: 'sobotWebhookAppTrigger',
		icon: { light: 'file:../sobot/sobot.svg', dark: 'file:../sobot/sobot.dark.svg' },
		group: ['trigger'],
		// They do the same. For each push to a trigger of a first version n8n evaluates an expression, for its own first Webhook
		// node's sake.
		version: [1, 2],
		subtitle: 'Customer pushed by a canvas',
		description: 'Starts the workflow when a Sobot canvas pushes a customer to its webhook app',
		defaults: { name: 'Sobot Webhook App Trigger' },
		eventTriggerDescription: 'Let your Sobot canvas push a customer to the Test URL',
		triggerPanel: {
			header: 'Receive customers from a Sobot canvas',
			executionsHelp: {
				inactive: `${WHILE_YOU_BUILD}<b>For daily work</b>: activate (publish) the workflow, and enter the Production URL on your canvas. Each push then shows up in the list of executions, not here.`,
				active: `${WHILE_YOU_BUILD}<b>For daily work</b>: the workflow is active. Each push to the Production URL shows up in the <a data-key="executions">list of executions</a>, not here.`,
			},
			activationHint:
				'Once the workflow is built, activate (publish) it, and enter the Production URL on your Sobot canvas.',
		},
		hints: [sampleHint(true, SAMPLE_OUTPUT), sampleHint(false, SAMPLE_PUSH)],
		inputs: [],
		outputs: [NodeConnectionTypes.Main],
		credentials: [
			{
				name: 'sobotWebhookAppApi',
				required: true,
				testedBy: 'checkSecretForm',
				displayOptions: { show: { authentication: ['sobotWebhookAppApi'] } },
			},
		],
		webhooks: [
			{ name: 'default', httpMethod: 'POST', ...webhook } as IWebhookDescription,
			// The same address once more for PUT. The editor shows one URL.
			{ name: 'setup', httpMethod: 'PUT', ndvHideUrl: true, ...webhook } as IWebhookDescription,
		],
		properties: [
			{
				displayName:
					'Activate (publish) the workflow, then enter the Production URL, under Webhook URLs above, as the HTTP URL of the webhook app on your Sobot canvas, with the method POST or PUT. The Test URL takes one push while you listen for a test event.',
				name: 'urlNotice',
				type: 'notice',
				default: '',
			},
			{
				displayName: 'Authentication',
				name: 'authentication',
				type: 'options',
				options: [
					{ name: 'None', value: 'none' },
					{ name: 'Sobot Webhook App Credential', value: 'sobotWebhookAppApi' },
				],
				default: 'none',
				description:
					'How a push shows that it comes from your Sobot account. Sobot does not sign its pushes.',
			},
			{
				displayName:
					'Without authentication, anybody who knows the URL can start this workflow with any data. Add a credential, or at least an IP Allowlist below.',
				name: 'unprotectedNotice',
				type: 'notice',
				default: '',
				displayOptions: { show: { authentication: ['none'] } },
			},
			{
				displayName: 'Respond',
				name: 'responseMode',
				type: 'options',
				options: [
					{
						name: 'Immediately',
						value: 'onReceived',
						description: 'Sobot gets its acknowledgement as soon as n8n has taken the push on',
					},
					{
						name: 'Using the Acknowledge Operation',
						value: 'responseNode',
						description: 'The workflow answers with a Sobot Rule Engine node, operation Acknowledge',
					},
				],
				default: 'onReceived',
				description:
					'When to acknowledge. What is not acknowledged, Sobot pushes again after 1 and after 5 minutes.',
			},
			{
				displayName: 'Simplify',
				name: 'simplify',
				type: 'boolean',
				default: true,
				description: 'Whether to return a simplified version of the response instead of the raw data',
			},
			{
				displayName: 'Options',
				name: 'options',
				type: 'collection',
				placeholder: 'Add option',
				default: {},
				options: [
					{
						displayName: 'Company IDs',
						name: 'companyIds',
						type: 'string',
						default: '',
						placeholder: 'e.g. 456, 789',
						description:
							'Only pushes of these companies (pid) start the workflow, separated by commas. Others are acknowledged and dropped.',
					},
					{
						displayName: 'Custom Field Names',
						name: 'customFieldNames',
						type: 'fixedCollection',
						typeOptions: { multipleValues: true },
						placeholder: 'Add Name',
						default: {},
						description: 'Names of your own for the custom fields that Sobot sends under an ID',
						options: [
							{
								displayName: 'Field',
								name: 'field',
								values: [
									{
										displayName: 'Field ID',
										name: 'id',
										type: 'string',
										default: '',
										placeholder: 'e.g. 7dcf2982a3bc4afaa5351500b8e2e21c',
									},
									{
										displayName: 'Name',
										name: 'name',
										type: 'string',
										default: '',
										placeholder: 'e.g. birthday',
									},
								],
							},
						],
					},
					{
						displayName: 'Ignore Repeats For (Minutes)',
						name: 'ignoreRepeatsMinutes',
						type: 'number',
						typeOptions: { minValue: 0, numberPrecision: 2 },
						default: 10,
						displayOptions: { show: { '/responseMode': ['onReceived'] } },
						description:
							'Equal pushes within this time are acknowledged and dropped; 0 is off. A best effort: it remembers the latest 10,000 pushes, and the latest 300 across a restart of n8n; two that arrive at the same moment can both get through. A Remove Duplicates node on deliveryKey remembers for longer; a promise is only a unique column for deliveryKey in a database of yours.',
					},
					{
						displayName: 'Include Request',
						name: 'includeRequest',
						type: 'boolean',
						default: false,
						description:
							'Whether to add method, query and headers of the push to the output, without secrets',
					},
					{
						displayName: 'IP Allowlist',
						name: 'ipAllowlist',
						type: 'string',
						default: '',
						placeholder: 'e.g. 203.0.113.7, 2001:db8::/32',
						description:
							'Only pushes from these addresses and CIDR ranges are taken, separated by commas. Behind a proxy, n8n needs N8N_PROXY_HOPS to see the address of the caller.',
					},
				],
			},
		],
	};

	methods = { credentialTest: { checkSecretForm } };

	// Nothing is registered at Sobot, which has no API for it: the builder enters the URL there.
	webhookMethods = {
		default: {
			async checkExists(this: IHookFunctions): Promise<boolean> {
				return false;
			},
			async create(this: IHookFunctions): Promise<boolean> {
				const wrong = splitList(optionsOf(this).ipAllowlist ?? '').filter((entry) => !isRange(entry));
				if (wrong.length === 0) return true;
				throw new NodeOperationError(
					this.getNode(),
					`IP Allowlist holds what is no address: ${wrong.join(', ')}`,
					{
						description:
							'Enter addresses such as 203.0.113.7 or ranges such as 2001:db8::/32, separated by commas.',
					},
				);
			},
			async delete(this: IHookFunctions): Promise<boolean> {
				return true;
			},
		},
	};

	async webhook(this: IWebhookFunctions): Promise<IWebhookResponseData> {
		const options = optionsOf(this);
		const secret = await readSecret(this);
		const request = this.getRequestObject();
		const query = this.getQueryData() as IDataObject;

		const admission = mayPush(
			{ query, rawHeaders: request.rawHeaders, address: request.ip ?? '' },
			{ secret, ipAllowlist: splitList(options.ipAllowlist ?? '') },
		);
		if (!admission.admitted) return refuse(this, refusal(admission.status, admission.headers));

		// n8n makes objects of forms and XML as well.
		if (!/^application\/json *(;|$)/i.test(request.headers['content-type'] ?? ''))
			return refuse(this, refusal(415));
		const body: unknown = this.getBodyData();
		if (!isJsonObject(body) || isNestedTooDeep(body)) return refuse(this, refusal(400));

		const webhookResponse = acknowledgement();
		const companyIds = splitList(options.companyIds ?? '');
		if (companyIds.length > 0 && !companyIds.includes(String(body.pid))) return { webhookResponse };

		const isAnsweredByWorkflow = this.getNodeParameter('responseMode') === 'responseNode';
		// Where the workflow answers, a repeat may be what it has asked Sobot for.
		const memory = isAnsweredByWorkflow ? undefined : repeatMemory(this, options.ignoreRepeatsMinutes ?? 0);
		const deliveryKey = memory && deliveryKeyOf(body);
		if (deliveryKey && memory.holds(deliveryKey, Date.now())) return { webhookResponse };

		const push = this.getNodeParameter('simplify') === false ? body : parsePush(body, namesOf(options));
		const json: IDataObject = { ...(push as IDataObject) };
		if (options.includeRequest) {
			json.request = withoutSecrets(
				{ method: request.method, query, headers: this.getHeaderData() as IDataObject },
				secret,
			);
		}
		const workflowData = [[{ json }]];
		if (isAnsweredByWorkflow) return { workflowData };
		return {
			workflowData,
			// n8n asks for the answer once it holds the execution: only then the push is taken. What is changed in static
			// data before that, n8n 2.41 does not save: it marks the data as unchanged when it prepares the execution.
			get webhookResponse() {
				if (deliveryKey) memory.keep(deliveryKey, Date.now());
				return webhookResponse;
			},
		};
	}
}

/** What is wrong with the form of a Sobot Webhook App credential: there is nothing to try it on. */
async function checkSecretForm(
	this: ICredentialTestFunctions,
	credential: ICredentialsDecrypted,
): Promise<INodeCredentialTestResult> {
	const message = secretFormError(credential.data ?? {});
	if (message) return { status: 'Error', message };
	return {
		status: 'OK',
		message: 'The form is right. Whether Sobot sends this secret shows only when it pushes.',
	};
}

/** What the trigger remembers, if it is to ignore repeats; never of a test run, which n8n does not save. */
function repeatMemory(context: IWebhookFunctions, minutes: number): RepeatMemory | undefined {
	if (!(minutes > 0) || context.getMode() === 'manual') return undefined;
	const trigger = `${context.getWorkflow().id} ${context.getNode().id}`;
	return new RepeatMemory(trigger, context.getWorkflowStaticData('node'), minutes * 60_000);
}

function optionsOf(context: IHookFunctions | IWebhookFunctions): Options {
	return context.getNodeParameter('options', {}) as Options;
}

function namesOf({ customFieldNames }: Options): Map<string, string> {
	const named = (customFieldNames?.field ?? []).filter(({ id, name }) => id?.trim() && name?.trim());
	return new Map(named.map(({ id = '', name = '' }) => [id.trim(), name.trim()]));
}

async function readSecret(context: IWebhookFunctions): Promise<PushSecret | undefined> {
	if (context.getNodeParameter('authentication') === 'none') return undefined;
	return await context.getCredentials<PushSecret>('sobotWebhookAppApi');
}

/** Answers at once and starts nothing. */
function refuse(context: IWebhookFunctions, { status, body, headers }: Refusal): IWebhookResponseData {
	context.getResponseObject().status(status).set(headers).json(body);
	return { noWebhookResponse: true };
}
