// Checks made when the workflow is activated, or starts to listen for a test event: the moment when its builder is there
// to read about settings that cannot work.
import { NodeOperationError, type IHookFunctions } from 'n8n-workflow';
import { isRange } from './addressList';
import {
	customFieldRows,
	isAnsweredByWorkflow,
	isCompanyId,
	optionsOf,
	type TriggerOptions,
} from './settings';
import { splitList } from './typedText';

/** Settings that cannot work: what is wrong, and what to do. */
export interface Misconfiguration {
	message: string;
	description: string;
}

/** Throws if the trigger's settings cannot work. Warns in n8n's log if Sobot cannot reach its URL. */
export function checkActivation(context: IHookFunctions): void {
	// A builder may listen for a test event before the workflow is complete.
	const isTest = context.getActivationMode() === 'manual';
	const found =
		misconfiguredOption(optionsOf(context)) ??
		unsupportedAcknowledgement(context) ??
		(isTest ? undefined : missingAcknowledgement(context));
	if (found) {
		throw new NodeOperationError(context.getNode(), found.message, { description: found.description });
	}
	const origin = isTest ? undefined : localOrigin(context.getNodeWebhookUrl('default'));
	if (origin) {
		context.logger.warn(
			`The Production URL of "${context.getNode().name}" begins with ${origin}, where Sobot cannot reach it. Set WEBHOOK_URL to the public address of this n8n.`,
			{ workflowId: context.getWorkflow().id },
		);
	}
}

/** The first option that cannot work; undefined if all can. */
export function misconfiguredOption(options: TriggerOptions): Misconfiguration | undefined {
	return (
		misconfiguredList(options, 'ipAllowlist', 'IP Allowlist', isRange, {
			description:
				'Enter addresses such as 203.0.113.7 or ranges such as 2001:db8::/32, separated by commas.',
			ifEmpty: 'Without an address, every push would be refused.',
		}) ??
		misconfiguredList(options, 'companyIds', 'Company IDs', isCompanyId, {
			description: 'Enter IDs such as 456, separated by commas. Sobot sends them as pid.',
			ifEmpty: 'Without an ID, no push would be accepted.',
		}) ??
		misconfiguredCustomFields(options)
	);
}

function misconfiguredList(
	options: TriggerOptions,
	name: 'ipAllowlist' | 'companyIds',
	displayName: string,
	isValid: (entry: string) => boolean,
	{ description, ifEmpty }: { description: string; ifEmpty: string },
): Misconfiguration | undefined {
	if (!(name in options)) return undefined;
	const entries = splitList(options[name]);
	if (entries.length === 0) {
		return {
			message: `'${displayName}' is empty. ${ifEmpty}`,
			description: `${description} Or remove the option.`,
		};
	}
	const invalid = entries.filter((entry) => !isValid(entry));
	if (invalid.length === 0) return undefined;
	return { message: `'${displayName}' contains invalid entries: ${invalid.join(', ')}`, description };
}

function misconfiguredCustomFields(options: TriggerOptions): Misconfiguration | undefined {
	const reason = reasonAgainstCustomFields(options);
	if (reason === undefined) return undefined;
	return {
		message: `'Custom Field Names' ${reason}`,
		description:
			'Give each field one row, with the ID under which Sobot sends it, such as 7dcf2982a3bc4afaa5351500b8e2e21c, and a name of its own.',
	};
}

/** Two fields under one name would overwrite each other. */
function reasonAgainstCustomFields(options: TriggerOptions): string | undefined {
	const rows = customFieldRows(options);
	const ids = rows.map(({ id }) => id);
	const half = rows.find(({ id, name }) => id === '' || name === '');
	if (half)
		return `has a row with only ${half.id === '' ? `a name: ${half.name}` : `a field ID: ${half.id}`}`;
	const doubledId = firstDouble(ids);
	if (doubledId !== undefined) return `has two rows for one field ID: ${doubledId}`;
	const doubledName = firstDouble(rows.map(({ name }) => name));
	if (doubledName !== undefined) return `has two fields with one name: ${doubledName}`;
	const taken = rows.find(({ id, name }) => name !== id && ids.includes(name));
	if (taken) return `has a name that is the ID of another field: ${taken.name}`;
	const invalid = ids.find((id) => !/^[\w-]+$/.test(id));
	return invalid === undefined ? undefined : `contains an invalid field ID: ${invalid}`;
}

function firstDouble(texts: readonly string[]): string | undefined {
	return texts.find((text, index) => texts.indexOf(text) !== index);
}

/** docs/n8n-behavior.md, E5. */
function unsupportedAcknowledgement(context: IHookFunctions): Misconfiguration | undefined {
	const { engineType } = context.getWorkflowSettings() as { engineType?: unknown };
	if (engineType !== 'v2' || !isAnsweredByWorkflow(context)) return undefined;
	return {
		message: "n8n's Engine 2.0 does not support 'Respond': 'Using the Acknowledge Operation'.",
		description: "Set 'Respond' to 'Immediately', or turn Engine 2.0 off in the settings of this workflow.",
	};
}

/** Without an Acknowledge node, Sobot would get an empty answer, and resend each push twice. */
function missingAcknowledgement(context: IHookFunctions): Misconfiguration | undefined {
	if (!isAnsweredByWorkflow(context)) return undefined;
	const following = context.getChildNodes(context.getNode().name, { includeNodeParameters: true });
	const isAcknowledged = following.some(
		({ type, disabled, parameters }) =>
			type.endsWith('.sobotRuleEngine') && !disabled && parameters?.resource === 'webhookApp',
	);
	if (isAcknowledged) return undefined;
	return {
		message: 'No node after this trigger acknowledges the push.',
		description:
			"Add a Sobot Rule Engine node with the resource 'Webhook App' and the operation 'Acknowledge' after this trigger, or set 'Respond' to 'Immediately'.",
	};
}

/** The scheme, host and port of a URL that only this machine can reach; undefined for any other. */
export function localOrigin(url: string | undefined): string | undefined {
	const [origin, host = ''] = /^https?:\/\/(\[[^\]]*\]|[^/:]*)[^/]*/i.exec(url ?? '') ?? [];
	return /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\]|0\.0\.0\.0)$/i.test(host) ? origin : undefined;
}
