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
} from 'n8n-workflow';
import { isJsonObject } from '../sobot/answer';
import { isRange, splitList } from './addressList';
import { acknowledgement, refusal, type Refusal } from './answerPush';
import { mayPush, secretFormError, type PushSecret } from './mayPush';
import { deliveryKeyOf, isNestedTooDeep, parsePush } from './parsePush';
import { isRepeat, withPush, type TakenPushes } from './repeats';
import { withoutSecrets } from './requestDetails';

interface Options {
	ignoreRepeatsMinutes?: number;
	companyIds?: string;
	ipAllowlist?: string;
	customFieldNames?: { field?: Array<{ id?: string; name?: string }> };
	includeRequest?: boolean;
}

const webhook = {
	path: 'webhook',
	responseMode: '={{$parameter["responseMode"]}}',
	// Present and falsy: otherwise n8n answers with a text of its own instead of our acknowledgement.
	responseData: '',
} as const;

export class SobotWebhookAppTrigger implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Sobot Webhook App Trigger',
		name: 'sobotWebhookAppTrigger',
		icon: { light: 'file:../sobot/sobot.svg', dark: 'file:../sobot/sobot.dark.svg' },
		group: ['trigger'],
		version: 1,
		subtitle: 'Customer pushed by a canvas',
		description: 'Starts the workflow when a Sobot canvas pushes a customer to its webhook app',
		defaults: { name: 'Sobot Webhook App Trigger' },
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
					'Activate the workflow, then enter the <b>Production URL</b> above as the HTTP URL of the webhook app on your Sobot canvas. The Test URL works only while you listen for a test event.',
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
							'Equal pushes within this time are acknowledged and dropped; 0 is off. A best effort: it remembers the latest 1,000 different pushes, and two that arrive at the same moment can both get through. For a promise, use a Remove Duplicates node on deliveryKey.',
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
		if (!isAnsweredByWorkflow && dropsRepeat(this, body, options.ignoreRepeatsMinutes ?? 0)) {
			return { webhookResponse };
		}

		const push = this.getNodeParameter('simplify') === false ? body : parsePush(body, namesOf(options));
		const json: IDataObject = { ...(push as IDataObject) };
		if (options.includeRequest) {
			json.request = withoutSecrets(
				{ method: request.method, query, headers: this.getHeaderData() as IDataObject },
				secret,
			);
		}
		const workflowData = [[{ json }]];
		return isAnsweredByWorkflow ? { workflowData } : { webhookResponse, workflowData };
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

/** Is this push a repeat to be dropped? If not, it is remembered, once n8n has taken it on. */
function dropsRepeat(context: IWebhookFunctions, body: Record<string, unknown>, minutes: number): boolean {
	if (!(minutes > 0) || context.getMode() === 'manual') return false;
	const memory = context.getWorkflowStaticData('node');
	const taken = (memory.takenPushes ?? {}) as TakenPushes;
	const [key, nowMs, windowMs] = [deliveryKeyOf(body), Date.now(), minutes * 60_000];
	if (isRepeat(taken, key, nowMs, windowMs)) return true;
	memory.takenPushes = withPush(taken, key, nowMs, windowMs);
	return false;
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
