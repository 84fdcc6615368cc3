// Reads the trigger's parameters and the push from n8n. A parameter can be an expression, so its value can have any type.
import type { IHookFunctions, IWebhookFunctions } from 'n8n-workflow';
import { n8nSays, unresolvedExpression } from '../sobot/outcome/errors';
import { RESENT_WITHIN_MS } from '../sobot/push/pushMemory';
import { readPushSecret, trimmedText } from './pushSecret';
import type { PushRequest, TriggerSettings } from './receivePush';

/** The trigger's options by name, as n8n provides them. An option that the user has not added is missing. */
export type TriggerOptions = Readonly<Record<string, unknown>>;

/** 'Ignore Repeats For' where the option was never added. */
export const DEFAULT_REPEAT_MINUTES = RESENT_WITHIN_MS / 60_000;

/** The options that the user has added. */
export function optionsOf(context: IHookFunctions | IWebhookFunctions): TriggerOptions {
	return context.getNodeParameter('options', {}) as TriggerOptions;
}

/** Whether the workflow answers Sobot, with the Acknowledge operation. */
export function isAnsweredByWorkflow(context: IHookFunctions | IWebhookFunctions): boolean {
	return context.getNodeParameter('responseMode') === 'responseNode';
}

/** The push that n8n has received. n8n keeps the raw body of each request. */
export function readRequest(context: IWebhookFunctions): PushRequest {
	const { method, rawHeaders, ip, rawBody, encoding } = context.getRequestObject() as ReturnType<
		IWebhookFunctions['getRequestObject']
	> &
		Pick<PushRequest, 'rawBody' | 'encoding'>;
	return {
		method,
		rawHeaders,
		rawBody,
		encoding,
		address: ip ?? '',
		query: context.getQueryData() as Record<string, unknown>,
		headers: context.getHeaderData(),
		body: context.getBodyData(),
	};
}

/** Reads all settings. Throws if one of them, or the credential, cannot be read. */
export async function readSettings(context: IWebhookFunctions): Promise<TriggerSettings> {
	const options = optionsOf(context);
	const isAnswered = isAnsweredByWorkflow(context);
	const isProtected = context.getNodeParameter('authentication') !== 'none';
	return {
		secret: isProtected ? readPushSecret(await readCredential(context)) : undefined,
		ipAllowlist: listOption(options, 'ipAllowlist'),
		companyIds: readCompanyIds(options),
		customFieldNames: new Map(customFieldRows(options).map(({ id, name }) => [id, name])),
		simplify: context.getNodeParameter('simplify') !== false,
		includeRequest: options.includeRequest === true,
		isAnsweredByWorkflow: isAnswered,
		// A workflow that answers may have asked Sobot to resend. n8n does not save what a test run remembers.
		redeliveryWindowMs:
			isAnswered || context.getMode() === 'manual' ? 0 : windowMs(options.ignoreRepeatsMinutes),
	};
}

async function readCredential(context: IWebhookFunctions): Promise<Record<string, unknown>> {
	return await context.getCredentials('sobotWebhookAppApi').catch((cause: unknown) => {
		const name = 'Sobot Webhook App API';
		const other = `n8n could not read the ${name} credential. Correct its expressions, or choose another.${n8nSays(cause)}`;
		throw new Error(unresolvedExpression(cause, name) ?? other);
	});
}

/** The entries of a list that the user has added; undefined if it was not added. */
export function listOption(options: TriggerOptions, name: string): string[] | undefined {
	return name in options ? splitList(options[name]) : undefined;
}

/**
 * The entries of a list, separated by commas, semicolons, white space or line breaks, also in their full-width forms.
 *
 * @param value text, or a number or array from an expression; anything else is an empty list
 */
export function splitList(value: unknown): string[] {
	const isList = ['string', 'number'].includes(typeof value) || Array.isArray(value);
	const text = isList ? String(value) : '';
	return text.split(/[,;\s，；、]+/).filter((entry) => entry !== '');
}

/** The rows of 'Custom Field Names' that are not empty, with their texts trimmed. */
export function customFieldRows({ customFieldNames: names }: TriggerOptions) {
	const rows = (names as { field?: unknown } | null | undefined)?.field;
	return (Array.isArray(rows) ? (rows as Array<Record<string, unknown> | null>) : [])
		.map((row) => ({ id: trimmedText(row?.id), name: trimmedText(row?.name) }))
		.filter(({ id, name }) => id !== '' || name !== '');
}

/** Company IDs are digits in Sobot's document. Letters, - and _ cannot be ruled out; other punctuation is a typo. */
export function isCompanyId(text: string): boolean {
	return /^[\w-]+$/.test(text);
}

/** An ID that no company can have would drop every push without a trace. */
function readCompanyIds(options: TriggerOptions): string[] {
	const ids = listOption(options, 'companyIds');
	if (!ids) return [];
	if (ids.length === 0 || !ids.every(isCompanyId))
		throw new Error("'Company IDs' is empty or has invalid entries.");
	return ids;
}

function windowMs(minutes: unknown): number {
	const number = Number(minutes ?? DEFAULT_REPEAT_MINUTES);
	return number > 0 ? number * 60_000 : 0;
}
