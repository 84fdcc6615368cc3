// The parameters of resource Canvas, operation Trigger, as the editor shows them.
import type { INodeProperties } from 'n8n-workflow';
import { CALLS_PER_SECOND } from '../../sobot/canvas/adaptiveRate';
import { LONGEST_TIMEOUT_SECONDS } from './options';

/** Where the parameters are shown. */
const SHOW = { resource: ['canvas'], operation: ['trigger'] };
/** Where those of 'Define Below' are shown. */
const SHOW_DEFINED = { ...SHOW, dataMode: ['defineBelow'] };

const CUSTOMER: INodeProperties[] = [
	{
		displayName: 'Data Mode',
		name: 'dataMode',
		type: 'options',
		displayOptions: { show: SHOW },
		options: [
			{
				name: 'Define Below',
				value: 'defineBelow',
				description: 'Enter the customer and the data for the canvas field by field',
			},
			{ name: 'JSON', value: 'json', description: 'Write the body yourself' },
			{
				name: 'Map Automatically',
				value: 'autoMapInputData',
				description: 'Send each input item as it is; it needs the fields Contact_id and nick',
			},
		],
		default: 'defineBelow',
		description: 'Where the data about the customer comes from',
	},
	{
		displayName: 'Contact ID',
		name: 'contactId',
		type: 'string',
		default: '',
		required: true,
		placeholder: 'e.g. 123456',
		displayOptions: { show: SHOW_DEFINED },
		description: "The customer's ID in the customer source field. Drag it here from the input panel.",
	},
	{
		displayName: 'Nickname',
		name: 'nick',
		type: 'string',
		default: '',
		required: true,
		placeholder: 'e.g. Jane',
		displayOptions: { show: SHOW_DEFINED },
		description:
			'Name of the customer. Sobot requires it, and uses it for a customer that does not exist there yet.',
	},
	{
		displayName: 'Data for the Canvas',
		name: 'additionalFields',
		type: 'fixedCollection',
		typeOptions: { multipleValues: true },
		placeholder: 'Add Field',
		default: {},
		displayOptions: { show: SHOW_DEFINED },
		description: 'More fields to send, such as an order number that the canvas uses in a message',
		options: [
			{
				displayName: 'Field',
				name: 'field',
				values: [
					{ displayName: 'Name', name: 'name', type: 'string', default: '', placeholder: 'e.g. order_no' },
					{ displayName: 'Value', name: 'value', type: 'string', default: '' },
				],
			},
		],
	},
	{
		displayName: 'JSON Body',
		name: 'jsonBody',
		type: 'json',
		default: '{\n  "Contact_id": "",\n  "nick": ""\n}',
		required: true,
		displayOptions: { show: { ...SHOW, dataMode: ['json'] } },
		description: 'A JSON object with the customer source field, the nickname and data for the canvas',
	},
];

const OPTIONS: INodeProperties[] = [
	{
		displayName: 'Contact ID Field',
		name: 'contactIdField',
		type: 'string',
		default: 'Contact_id',
		description:
			'Name of the customer source field in your Sobot account. Change it only if it was renamed there.',
	},
	{
		displayName: 'Dry Run',
		name: 'dryRun',
		type: 'boolean',
		default: false,
		description: 'Whether to only check and show what would be sent, without calling Sobot',
	},
	{
		displayName: 'Give Up After (Seconds)',
		name: 'giveUpAfter',
		type: 'number',
		typeOptions: { minValue: 0 },
		default: 300,
		description:
			'How long to keep retrying a customer while Sobot is rate-limiting or unreachable. If no call succeeds for this long, the rest of the batch is given up too.',
	},
	{
		displayName: 'History Size',
		name: 'historySize',
		type: 'number',
		typeOptions: { minValue: 1 },
		default: 10000,
		description:
			"How many customers this node remembers at least for 'Send Once Per'. It forgets the oldest first, and refuses a campaign that it remembers in part only.",
	},
	{
		displayName: 'Include Input Fields',
		name: 'includeInputFields',
		type: 'boolean',
		default: false,
		description: 'Whether output items keep the fields of their input item',
	},
	{
		displayName: 'Requests per Second',
		name: 'requestsPerSecond',
		type: 'number',
		typeOptions: { minValue: 1, maxValue: CALLS_PER_SECOND },
		default: 50,
		description:
			'Maximum calls per second for each canvas. All programs that use the canvas share its limit of 50: lower this to leave room for others.',
	},
	{
		displayName: 'Send Once Per',
		name: 'sendOncePer',
		type: 'string',
		default: '',
		placeholder: 'e.g. spring-2027',
		description:
			'The name of a campaign, as fixed text, or an order number, by expression. For the same text, this node puts each customer on each canvas only once, also in a later execution or after a crash. A copy of the node or the workflow remembers nobody. A date makes each day a new campaign. Developers call this an idempotency key.',
		builderHint: {
			propertyHint:
				'Set it to the name of the campaign or to an order number. Never use the execution ID or the current time, which differ in each execution: nobody would be recognized.',
		},
	},
	{
		displayName: 'Timeout (Seconds)',
		name: 'timeout',
		type: 'number',
		typeOptions: { minValue: 1, maxValue: LONGEST_TIMEOUT_SECONDS },
		default: 30,
		description:
			'How long to wait for an answer. After a timeout it is unknown whether Sobot carried out the call.',
	},
	{
		displayName: 'Unknown Outcome',
		name: 'unknownOutcome',
		type: 'options',
		default: 'fail',
		options: [
			{ name: 'Fail', value: 'fail', description: 'The item fails, and the customer is never sent again' },
			{
				name: 'Send Again',
				value: 'sendAgain',
				description:
					"Until 'Give Up After (Seconds)' has elapsed. A customer may be put on the canvas twice.",
			},
			{
				name: 'Treat as Sent',
				value: 'treatAsSent',
				description: 'The item succeeds. A customer may be missed.',
			},
		],
		description:
			'What to do when it is unknown whether Sobot carried out a call, for example after a timeout',
	},
];

/** The operation's parameters. The defaults of its options stand in `DEFAULT_OPTIONS` too: a test compares them. */
export const fields: INodeProperties[] = [
	{
		displayName: 'Canvas',
		name: 'canvas',
		type: 'resourceLocator',
		default: { mode: 'list', value: '' },
		required: true,
		displayOptions: { show: SHOW },
		description: 'The canvas to put the customers on, from the canvases in the Sobot API credential',
		modes: [
			{
				displayName: 'From List',
				name: 'list',
				type: 'list',
				placeholder: 'Choose a canvas...',
				typeOptions: { searchListMethod: 'searchCanvases', searchable: true },
			},
			{
				displayName: 'By ID',
				name: 'id',
				type: 'string',
				placeholder: 'e.g. 1234567890123456789',
				hint: 'The trigger ID. An expression may also return the name of the canvas.',
			},
		],
	},
	...CUSTOMER,
	{
		displayName: 'Options',
		name: 'options',
		type: 'collection',
		placeholder: 'Add option',
		default: {},
		displayOptions: { show: SHOW },
		options: OPTIONS,
	},
];
