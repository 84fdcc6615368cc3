// Checks made when the workflow is activated, or starts to listen for a test event: the moment when its builder is there
// to read about settings that cannot work.
import { NodeOperationError, type IHookFunctions } from 'n8n-workflow';
import { isRange } from './addressList';
import {
	customFieldRows,
	isAnsweredByWorkflow,
	isCompanyId,
	listOption,
	optionsOf,
	type TriggerOptions,
} from './settings';

/** Settings that cannot work: what is wrong, and what to do. */
export interface Misconfiguration {
	message: string;
	description: string;
}

/** Throws if the trigger's settings cannot work. */
export function checkActivation(context: IHookFunctions): void {
	const found = misconfiguredOption(optionsOf(context)) ?? misconfiguredAnswer(context);
	if (!found) return;
	throw new NodeOperationError(context.getNode(), found.message, { description: found.description });
}

/** The first option that cannot work; undefined if all can. */
export function misconfiguredOption(options: TriggerOptions): Misconfiguration | undefined {
	const [ranges, companyIds] = [listOption(options, 'ipAllowlist'), listOption(options, 'companyIds')];
	return (
		misconfiguredList('IP Allowlist', ranges, isRange, 'addresses such as 203.0.113.7 or 2001:db8::/32') ??
		misconfiguredList('Company IDs', companyIds, isCompanyId, 'IDs such as 456 (pid)') ??
		misconfiguredCustomFields(options)
	);
}

function misconfiguredList(
	name: string,
	entries: string[] | undefined,
	isValid: (entry: string) => boolean,
	what: string,
): Misconfiguration | undefined {
	const invalid = entries?.filter((entry) => !isValid(entry)) ?? [];
	if (!entries || (entries.length > 0 && invalid.length === 0)) return undefined;
	const reason =
		entries.length === 0
			? 'is empty, so no push would be accepted.'
			: `contains invalid entries: ${invalid.join(', ')}`;
	return {
		message: `'${name}' ${reason}`,
		description: `Enter ${what}, separated by commas, or remove the option.`,
	};
}

/** Two fields under one name would overwrite each other. */
function misconfiguredCustomFields(options: TriggerOptions): Misconfiguration | undefined {
	const rows = customFieldRows(options);
	const invalid = rows.find(({ id, name }) => !/^[\w-]+$/.test(id) || name === '');
	const used = rows.flatMap(({ id, name }) => (id === name ? [id] : [id, name]));
	const double = used.find((text, index) => used.indexOf(text) !== index);
	if (!invalid && double === undefined) return undefined;
	const reason = invalid
		? `has a row with the field ID "${invalid.id}" and the name "${invalid.name}"`
		: `has two rows with "${double}"`;
	return {
		message: `'Custom Field Names' ${reason}.`,
		description:
			'Give each field one row, with the ID under which Sobot sends it, such as 7dcf2982a3bc4afaa5351500b8e2e21c, and a name of its own.',
	};
}

/** Without an Acknowledge node, Sobot would get an empty answer, and resend each push twice. */
function misconfiguredAnswer(context: IHookFunctions): Misconfiguration | undefined {
	if (!isAnsweredByWorkflow(context)) return undefined;
	const { engineType } = context.getWorkflowSettings() as { engineType?: unknown };
	// docs/n8n-behavior.md, E5.
	if (engineType === 'v2') {
		return {
			message: "n8n's Engine 2.0 does not support 'Respond': 'Using the Acknowledge Operation'.",
			description: "Set 'Respond' to 'Immediately', or turn Engine 2.0 off in the settings of this workflow.",
		};
	}
	const following = context.getChildNodes(context.getNode().name, { includeNodeParameters: true });
	const isAcknowledged = following.some(
		({ type, disabled, parameters }) =>
			type.endsWith('.sobotRuleEngine') && !disabled && parameters?.resource === 'webhookApp',
	);
	// A builder may listen for a test event before the workflow is complete.
	if (isAcknowledged || context.getActivationMode() === 'manual') return undefined;
	return {
		message: 'No node after this trigger acknowledges the push.',
		description:
			"Add a Sobot Rule Engine node with the resource 'Webhook App' and the operation 'Acknowledge' after this trigger, or set 'Respond' to 'Immediately'.",
	};
}
