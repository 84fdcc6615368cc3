// Resource Canvas, operation Trigger: puts each input item's customer on a canvas.
import {
	NodeApiError,
	NodeOperationError,
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeProperties,
	type JsonObject,
} from 'n8n-workflow';
import { readSobotAnswer, type HttpAnswer } from '../../sobot/answer';
import { CALLS_PER_SECOND } from '../../sobot/adaptiveRate';
import { canvasRequest, type Canvas } from '../../sobot/canvas';
import { systemClock } from '../../sobot/clock';
import { readAccount, storedTokenOf } from '../../sobot/credential';
import { deliver, type Delivered, type Route } from '../../sobot/delivery';
import type { Account, Token } from '../../sobot/getToken';
import { paceOf } from '../../sobot/shared';
import { sessionOf } from '../../sobot/tokenSession';
import { canvasFormError } from './canvasCredential';
import { bodyFromFields, bodyFromItem, bodyFromJson, type CustomerBody } from './customerBody';
import { earlierTry, rememberTry } from './earlierTry';
import { failureText, ranges, summarize } from './report';
import { storedToken } from './storedToken';

const show = { resource: ['canvas'], operation: ['trigger'] };

export const fields: INodeProperties[] = [
	{
		displayName: 'Data Mode',
		name: 'dataMode',
		type: 'options',
		displayOptions: { show },
		options: [
			{
				name: 'Define Below',
				value: 'defineBelow',
				description: 'Enter the customer and the data for the canvas field by field',
			},
			{
				name: 'Map Automatically',
				value: 'autoMapInputData',
				description: 'Send each input item as it is: its field names must be those that Sobot expects',
			},
			{ name: 'JSON', value: 'json', description: 'Write the body yourself' },
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
		displayOptions: { show: { ...show, dataMode: ['defineBelow'] } },
		description: "The customer's ID in the customer source field",
	},
	{
		displayName: 'Nickname',
		name: 'nick',
		type: 'string',
		default: '',
		required: true,
		placeholder: 'e.g. Jane',
		displayOptions: { show: { ...show, dataMode: ['defineBelow'] } },
		description: 'Name of the customer, used if Sobot has to create them',
	},
	{
		displayName: 'Contact ID Field',
		name: 'contactIdField',
		type: 'string',
		default: 'Contact_id',
		required: true,
		displayOptions: { show: { ...show, dataMode: ['defineBelow'] } },
		description:
			'Name of the customer source field in your Sobot account. Change it only if it was renamed there.',
	},
	{
		displayName: 'Additional Fields',
		name: 'additionalFields',
		type: 'fixedCollection',
		typeOptions: { multipleValues: true },
		placeholder: 'Add Field',
		default: {},
		displayOptions: { show: { ...show, dataMode: ['defineBelow'] } },
		description: 'More data for the canvas, such as an order number to use in a message',
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
		displayOptions: { show: { ...show, dataMode: ['json'] } },
		description: 'A JSON object with the customer source field, the nickname and data for the canvas',
	},
	{
		displayName: 'Options',
		name: 'options',
		type: 'collection',
		placeholder: 'Add option',
		default: {},
		displayOptions: { show },
		options: [
			{
				displayName: 'Give Up After',
				name: 'giveUpAfter',
				type: 'number',
				typeOptions: { minValue: 0 },
				default: 300,
				description:
					'How many seconds an item may go on being tried while Sobot refuses it as over the limit, or cannot be reached',
			},
			{
				displayName: 'Requests per Second',
				name: 'requestsPerSecond',
				type: 'number',
				typeOptions: { minValue: 1, maxValue: CALLS_PER_SECOND },
				default: CALLS_PER_SECOND,
				description:
					"The most that leave in any one second for this trigger ID. Sobot's limit of 50 is shared by all programs: lower it to leave others room.",
			},
			{
				displayName: 'Timeout',
				name: 'timeout',
				type: 'number',
				typeOptions: { minValue: 1 },
				default: 30000,
				description:
					'How many milliseconds to wait for an answer. After a timeout nobody knows whether Sobot carried the call out, so the item fails and is not sent again.',
			},
		],
	},
];

interface Options {
	requestsPerSecond?: number;
	timeout?: number;
	giveUpAfter?: number;
}

/** One output item for each input item, in order: Sobot's answer, or with On Error: Continue what went wrong. */
export async function execute(this: IExecuteFunctions): Promise<INodeExecutionData[]> {
	const { account, canvas, token } = await readCredentials(this);
	const options = readOptions(this);
	const goesOn = this.continueOnFail();

	const items = this.getInputData();
	const bodies = items.map((_, index) => readBody(this, index));
	const firstBad = bodies.findIndex((body) => 'problem' in body);
	if (firstBad >= 0 && !goesOn) refuseInput(this, bodies, firstBad);

	const session = sessionOf(account, systemClock);
	session.begin(token);
	const run = retriedRun(this);
	const earlier = items.map((item) => (run ? earlierTry(run, item) : undefined));
	const newly = await deliver(
		bodies.map((body, index) => ('json' in body && !earlier[index] ? body.json : undefined)),
		{
			pace: paceOf(canvas.baseUrl, canvas.triggerId),
			session,
			store: storedToken(this, canvas.baseUrl),
			send: sender(this, canvas, options.timeout),
			clock: systemClock,
			stop: this.getExecutionCancelSignal(),
			requestsPerSecond: options.requestsPerSecond,
			giveUpAfterSeconds: options.giveUpAfter,
			stopOnFailure: !goesOn,
		},
	);
	const delivered = newly.map((one, index) => earlier[index] ?? one);
	if (run) for (const [index, item] of items.entries()) rememberTry(run, item, delivered[index] ?? {});

	if (!goesOn) throwFirstFailure(this, delivered);
	const failures = delivered.filter(({ verdict }) => verdict?.outcome !== 'accepted').length;
	if (failures > 0) {
		this.addExecutionHints({
			message: `${failures} of ${items.length} items are not known to be on the canvas. The field 'error' of each says why, and what to do.`,
			location: 'outputPane',
			type: 'warning',
		});
	}
	return delivered.map((one, index) => outputItem(this, one, bodies[index], index));
}

/** Names this run of the node, if n8n is to retry it when it fails. */
function retriedRun(node: IExecuteFunctions): string | undefined {
	const { id, retryOnFail } = node.getNode();
	if (!retryOnFail) return undefined;
	return JSON.stringify([node.getExecutionId(), id, node.getWorkflowDataProxy(0).$runIndex]);
}

async function readCredentials(
	node: IExecuteFunctions,
): Promise<{ account: Account; canvas: Canvas; token: Token | undefined }> {
	const api = await node.getCredentials('sobotApi');
	const canvasFields = await node.getCredentials('sobotCanvasApi');
	const formError = canvasFormError(canvasFields);
	if (formError) throw new NodeOperationError(node.getNode(), formError);
	const reading = readAccount(api);
	if ('problem' in reading) throw new NodeOperationError(node.getNode(), reading.problem);
	const { account } = reading;
	const canvas = {
		baseUrl: account.baseUrl,
		triggerId: String(canvasFields.triggerId).trim(),
		secret: String(canvasFields.secret).trim(),
	};
	return { account, canvas, token: storedTokenOf(api) };
}

function readOptions(node: IExecuteFunctions): Required<Options> {
	const options = node.getNodeParameter('options', 0, {}) as Options;
	const checked = { requestsPerSecond: CALLS_PER_SECOND, timeout: 30_000, giveUpAfter: 300, ...options };
	const refuse = (message: string) => {
		throw new NodeOperationError(node.getNode(), message, { description: 'Nothing was sent.' });
	};
	const { requestsPerSecond, timeout, giveUpAfter } = checked;
	if (!Number.isInteger(requestsPerSecond) || requestsPerSecond < 1 || requestsPerSecond > CALLS_PER_SECOND) {
		refuse('Requests per Second must be a whole number from 1 to 50.');
	}
	if (!(timeout >= 1)) refuse('Timeout must be at least 1 millisecond.');
	if (!(giveUpAfter >= 0)) refuse('Give Up After must be 0 or more seconds.');
	return checked;
}

function readBody(node: IExecuteFunctions, index: number): CustomerBody {
	switch (node.getNodeParameter('dataMode', index)) {
		case 'autoMapInputData':
			return bodyFromItem(node.getInputData()[index]?.json);
		case 'json':
			return bodyFromJson(node.getNodeParameter('jsonBody', index));
		default:
			return bodyFromFields({
				contactIdField: node.getNodeParameter('contactIdField', index),
				contactId: node.getNodeParameter('contactId', index),
				nick: node.getNodeParameter('nick', index),
				additional: node.getNodeParameter('additionalFields.field', index, []) as Array<{
					name?: unknown;
					value?: unknown;
				}>,
			});
	}
}

/** Not through n8n's authentication: that reads the database at every call, and takes HTTP 200 with 900002 for success. */
function sender(node: IExecuteFunctions, canvas: Canvas, timeoutMs: number): Route['send'] {
	return async (token, body) =>
		(await node.helpers.httpRequest(canvasRequest(canvas, token, body, timeoutMs))) as HttpAnswer;
}

function outputItem(
	node: IExecuteFunctions,
	{ verdict, answer }: Delivered,
	body: CustomerBody | undefined,
	index: number,
): INodeExecutionData {
	const pairedItem = { item: index };
	if (verdict?.outcome === 'accepted') {
		return { json: { ...(readSobotAnswer(answer?.body)?.json as JsonObject | undefined) }, pairedItem };
	}
	const error =
		body && 'problem' in body
			? body.problem
			: verdict
				? failureText(verdict)
				: 'This item was not sent: the execution was stopped.';
	const item: INodeExecutionData = { json: { error, ret_code: verdict?.retCode ?? null }, pairedItem };
	if (node.getNode().onError === 'continueErrorOutput') {
		// n8n sends an item to the error output only if it carries an error of n8n's, and then cuts its JSON down to the
		// message. Where it copies the item for that output, what is not enumerable stays behind, and the code remains.
		const value = new NodeOperationError(node.getNode(), error, { itemIndex: index });
		Object.defineProperty(item, 'error', { value, enumerable: false });
	}
	return item;
}

function refuseInput(node: IExecuteFunctions, bodies: readonly CustomerBody[], firstBad: number): never {
	const bad = bodies.flatMap((body, index) => ('problem' in body ? [index] : []));
	const body = bodies[firstBad];
	throw new NodeOperationError(node.getNode(), body && 'problem' in body ? body.problem : '', {
		description: `Nothing was sent for any item. Input that cannot be sent: ${ranges(bad)} (items count from 0).`,
		itemIndex: firstBad,
	});
}

function throwFirstFailure(node: IExecuteFunctions, delivered: Delivered[]): void {
	const index = delivered.findIndex(({ verdict }) => verdict && verdict.outcome !== 'accepted');
	const verdict = delivered[index]?.verdict;
	if (!verdict) return;
	// Made from Sobot's words alone: the HTTP client's error would carry the token and the secret.
	throw new NodeApiError(
		node.getNode(),
		{ message: verdict.message, ret_code: verdict.retCode },
		{
			message: verdict.message,
			description: [verdict.advice, summarize(delivered)].join(' ').trim(),
			httpCode: verdict.retCode ?? undefined,
			itemIndex: index,
		},
	);
}
