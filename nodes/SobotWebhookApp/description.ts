// How the trigger node presents itself: parameters, panel texts, hints and webhooks.
import type {
	IBuilderHint,
	IDataObject,
	INodeProperties,
	INodePropertyCollection,
	IWebhookDescription,
	NodeHint,
	TriggerPanelDefinition,
} from 'n8n-workflow';
import { parsePush } from './parsePush';
import { DEFAULT_REPEAT_MINUTES } from './settings';

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

/** A hint beside "set mock data". Not a notice among the parameters: n8n resolves those again for each push. */
function sampleHint(simplify: boolean, sample: object): NodeHint {
	// Spaces give the panel places to wrap.
	const text = JSON.stringify(sample, null, 1).replace(/\n */g, ' ');
	return {
		message: `Nothing to push yet? To build the nodes that follow, copy this sample, choose "set mock data" here and paste it:<br />${text}`,
		displayCondition: `={{ $parameter["simplify"] === ${simplify} }}`,
		location: 'outputPane',
		whenToDisplay: 'beforeExecution',
	};
}

/** Execute step runs this node alone. */
const UNACKNOWLEDGED_HINT: NodeHint = {
	message:
		"Execute step does not run the 'Acknowledge' operation, so Sobot does not take the push for delivered and resends it. Execute workflow runs it.",
	displayCondition: '={{ $parameter["responseMode"] === "responseNode" }}',
	location: 'outputPane',
	whenToDisplay: 'afterExecution',
};

/** Shown beside the output, until the first execution or after it. */
export const HINTS: NodeHint[] = [
	// A real delivery key is too long to wrap in the panel.
	sampleHint(true, parsePush(SAMPLE_PUSH, new Map(), 'sample')),
	sampleHint(false, SAMPLE_PUSH),
	UNACKNOWLEDGED_HINT,
];

/** Shown in a window once the workflow is active. */
export const ACTIVATION_MESSAGE =
	"One step is left, in Sobot: enter the trigger's Production URL as the HTTP URL of the webhook app on your canvas. If 'Authentication' is on, add your secret at its end: ?key=YOUR-SECRET.";

const WHILE_YOU_BUILD =
	'<b>While you build</b>: press the button, and let your canvas push a customer to the Test URL. It shows up here. No canvas at hand? Use the sample push in the output panel.<br /><br />';
const IN_PRODUCTION = '<b>In production</b>:';
const NOT_HERE =
	"not here. If 'Authentication' is on, add your secret to the URL, for example <code>?key=YOUR-SECRET</code>.";

/** The texts of the node's panel on the left. */
export const TRIGGER_PANEL: TriggerPanelDefinition = {
	header: 'Receive customers from a Sobot canvas',
	executionsHelp: {
		inactive: `${WHILE_YOU_BUILD}${IN_PRODUCTION} activate (publish) the workflow, and enter the Production URL on your canvas. Each push then shows up in the list of executions, ${NOT_HERE}`,
		active: `${WHILE_YOU_BUILD}${IN_PRODUCTION} the workflow is active. Each push to the Production URL shows up in the <a data-key="executions">list of executions</a>, ${NOT_HERE}`,
	},
	activationHint:
		'Once the workflow is built, activate (publish) it, and enter the Production URL on your Sobot canvas.',
};

/** 'Respond', for n8n to decide who answers a push. */
const RESPONSE_MODE = '={{$parameter["responseMode"]}}';

/** What both webhooks share. */
const WEBHOOK_BASE = {
	path: 'webhook',
	responseMode: RESPONSE_MODE,
	// Present and empty: docs/n8n-behavior.md, W1.
	responseData: '',
	// Saves n8n from running its expression engine for each push, as in n8n's own nodes. Versions that do not know this key
	// run it. Source: n8n-workflow, webhook-description-fields.
	[Symbol.for('n8n.webhookDescriptionResolvers')]: {
		responseMode: {
			template: RESPONSE_MODE,
			resolve: ({ responseMode }: IDataObject) => responseMode,
		},
	},
} as const;

/** Both methods on one path. The editor shows one URL. */
export const WEBHOOKS: IWebhookDescription[] = [
	{ name: 'default', httpMethod: 'POST', ...WEBHOOK_BASE } as IWebhookDescription,
	{ name: 'setup', httpMethod: 'PUT', ndvHideUrl: true, ...WEBHOOK_BASE } as IWebhookDescription,
];

const CUSTOM_FIELD: INodePropertyCollection = {
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
};

const OPTIONS: INodeProperties[] = [
	{
		displayName: 'Company IDs',
		name: 'companyIds',
		type: 'string',
		default: '',
		placeholder: 'e.g. 456, 789',
		description:
			'IDs (pid) of the companies whose pushes start the workflow, separated by commas. Other pushes are acknowledged and dropped.',
	},
	{
		displayName: 'Custom Field Names',
		name: 'customFieldNames',
		type: 'fixedCollection',
		typeOptions: { multipleValues: true },
		placeholder: 'Add Name',
		default: {},
		description: 'Readable names for custom fields, which Sobot sends under their IDs',
		options: [CUSTOM_FIELD],
	},
	{
		displayName: 'Ignore Repeats For (Minutes)',
		name: 'ignoreRepeatsMinutes',
		type: 'number',
		typeOptions: { minValue: 0, numberPrecision: 2 },
		default: DEFAULT_REPEAT_MINUTES,
		displayOptions: { show: { '/responseMode': ['onReceived'] } },
		description:
			'How long a push that equals an earlier one is acknowledged and dropped: 10 minutes if you do not add this option; 0 turns it off. A best effort: it remembers the latest 10,000 pushes, and 300 of them across a restart of n8n. With several webhook processors, two equal pushes at the same moment can both get through. A Remove Duplicates node on deliveryKey remembers for longer. For a guarantee, put a unique constraint on deliveryKey in your own database.',
	},
	{
		displayName: 'Include Request',
		name: 'includeRequest',
		type: 'boolean',
		default: false,
		description: 'Whether to add method, query and headers of the push to the output, without secrets',
	},
	{
		displayName: 'IP Allowlist',
		name: 'ipAllowlist',
		type: 'string',
		default: '',
		placeholder: 'e.g. 203.0.113.7, 2001:db8::/32',
		description:
			"Addresses and CIDR ranges that may push, separated by commas. Behind a proxy, n8n needs N8N_PROXY_HOPS to see the caller's address.",
	},
];

/** Hints for n8n's AI builders. */
export const BUILDER_HINT: IBuilderHint = {
	searchHint:
		'Receives customers that a Sobot (zhichi) canvas pushes to its webhook app: one item for each push. Use it instead of the Webhook node, which cannot give the acknowledgement that Sobot demands. Choose an authentication, and tell the user to enter the Production URL, with the secret, on the canvas in Sobot: nothing is registered there automatically.',
	relatedNodes: [
		{
			nodeType: 'n8n-nodes-sobot.sobotRuleEngine',
			relationHint:
				"Resource webhookApp, operation acknowledge answers the push if this trigger's responseMode is 'responseNode'. Resource canvas puts customers on a canvas.",
		},
	],
};

/** The node's parameters. n8n resolves them for each push, so there are few. */
export const PROPERTIES: INodeProperties[] = [
	{
		displayName:
			'Activate (publish) the workflow, and enter the Production URL above in the webhook app of your Sobot canvas, with the method POST or PUT.',
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
		description: 'How a push proves that it comes from your Sobot account. Sobot does not sign its pushes.',
	},
	{
		displayName:
			"Without authentication, anybody who knows the URL can start this workflow. Add a credential, or at least the option 'IP Allowlist'.",
		name: 'unprotectedNotice',
		type: 'notice',
		default: '',
		displayOptions: { show: { authentication: ['none'] } },
	},
	{
		displayName:
			'In Sobot, end the URL with <code>?key=</code> and your secret. A push without it is answered with 401.',
		name: 'secretNotice',
		type: 'notice',
		default: '',
		displayOptions: { show: { authentication: ['sobotWebhookAppApi'] } },
	},
	{
		displayName: 'Respond',
		name: 'responseMode',
		type: 'options',
		options: [
			{
				name: 'Immediately',
				value: 'onReceived',
				description: 'Sobot gets its acknowledgement as soon as n8n has accepted the push',
			},
			{
				name: 'Using the Acknowledge Operation',
				value: 'responseNode',
				description: "The workflow answers with a Sobot Rule Engine node, operation 'Acknowledge'",
				builderHint: {
					propertyHint:
						"Every branch must end with n8n-nodes-sobot.sobotRuleEngine, resource 'webhookApp', operation 'acknowledge'. Respond to Webhook does not work here. Without an answer Sobot pushes the customer again, at most twice.",
				},
			},
		],
		default: 'onReceived',
		description:
			'When to acknowledge. Sobot resends an unacknowledged push after 1 minute and again after 5.',
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
		options: OPTIONS,
	},
];
