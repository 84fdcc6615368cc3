// Decides for each input item, before anything is sent, which customer goes to which canvas, or why the item cannot be
// sent.
import type { ICredentialDataDecryptedObject, IExecuteFunctions } from 'n8n-workflow';
import { accountKey, type Account, type Token } from '../../sobot/account/account';
import { findCanvas, readCanvases, type NamedCanvas } from '../../sobot/account/canvasRows';
import { readAccount, tokenFromFields, typedExpressions } from '../../sobot/account/credential';
import { isJsonObject } from '../../sobot/outcome/answer';
import { newCustomer, type Customer } from '../../sobot/outcome/customer';
import { hasTable } from '../n8n/deduplicationTable';
import { forEachIndex } from '../n8n/eventLoop';
import { dependsOnItem, whyUnreadable } from '../n8n/itemCredentials';
import { isOfAgents } from '../n8n/nodeContext';
import { Parameters } from '../n8n/parameters';
import {
	bodyFromFields,
	bodyFromItem,
	bodyFromJson,
	isTemplate,
	reasonAgainstRounded,
	textOf,
	type CustomerBody,
	type DefinedFields,
} from './customerBody';
import { spoiledIdentifier } from './identifier';
import type { Options } from './options';

/** What names a customer: in the node context, and in the ledger. */
export interface Identity {
	/** names the customer's n-th time on the canvas within this execution */
	readonly inner: string;
	/** their key in the ledger */
	readonly key: string;
}

/** Names the customer of the next item: `SendHistory`. */
type Naming = { identify(triggerId: string, contactId: string, sendOncePer?: string): Identity };

/** A canvas of an account, and the item for which its credential is read. */
export interface Target {
	/** the same for all items with this account and canvas */
	readonly key: string;
	readonly account: Account;
	readonly canvas: NamedCanvas;
	readonly token: Token | undefined;
	/** the item for which n8n resolves expressions in the credential */
	readonly itemIndex: number;
}

/** A customer to send, and where to. */
export interface SendPlan {
	readonly kind: 'send';
	readonly contactId: string;
	readonly target: Target;
	readonly customer: Customer;
	readonly inner: Identity['inner'];
}

/** An item that cannot be sent. */
export interface RejectedPlan {
	readonly kind: 'rejected';
	readonly contactId?: string;
	/** without a key if the item does not tell which customer it is */
	readonly customer: Customer;
	readonly inner?: string;
	readonly reason: string;
}

/** The decision about one input item. */
export type Plan = SendPlan | RejectedPlan;

/** A plan for an item that does not tell which customer it is, or for which canvas. */
export const rejected = (reason: string, contactId?: string): RejectedPlan => ({
	kind: 'rejected',
	contactId,
	customer: newCustomer(''),
	reason,
});

/**
 * One plan for each input item, in order. Never throws: an error that n8n throws for an item rejects that item.
 *
 * @param batch the options of the batch: no item may contradict 'Dry Run' and 'Unknown Outcome'
 */
export async function makePlans(node: IExecuteFunctions, batch: Options, naming: Naming): Promise<Plan[]> {
	const plans: Plan[] = [];
	const parameters = new Parameters(node);
	const targets = new Targets(node, parameters);
	await forEachIndex(node.getInputData().length, async (index) => {
		plans.push(await planOf(node, index, batch, parameters, targets, naming));
	});
	return plans;
}

const SAME_FOR_ALL = 'must be the same for all items. Check its expression.';

async function planOf(
	node: IExecuteFunctions,
	index: number,
	batch: Options,
	parameters: Parameters,
	targets: Targets,
	naming: Naming,
): Promise<Plan> {
	let reading: CustomerBody | undefined;
	try {
		const options = parameters.at('options', index, {}) as Record<string, unknown>;
		if ((options.dryRun ?? false) !== batch.dryRun) return rejected(`'Dry Run' ${SAME_FOR_ALL}`);
		reading = readBody(node, parameters, index, options);
		const { contactId } = reading;
		if (contactId === undefined) return rejected('reason' in reading ? reading.reason : '');
		if ((options.unknownOutcome ?? 'fail') !== batch.unknownOutcome)
			return rejected(`'Unknown Outcome' ${SAME_FOR_ALL}`, contactId);
		const item = node.getInputData()[index]?.json ?? {};
		const lost = 'body' in reading && reasonAgainstRounded(item, reading.body);
		if (lost) reading = { reason: lost, contactId };
		const target = await targets.at(index);
		if ('reason' in target) return rejected(target.reason, contactId);
		const once = readSendOncePer(node, options);
		if ('reason' in once) return rejected(once.reason, contactId);
		const { inner, key } = naming.identify(target.canvas.triggerId, contactId, once.text);
		return 'reason' in reading
			? { kind: 'rejected', contactId, inner, customer: newCustomer('', key), reason: reading.reason }
			: { kind: 'send', contactId, target, inner, customer: newCustomer(reading.body, key) };
	} catch (cause) {
		return rejected(textOfError(cause), reading?.contactId);
	}
}

/** The value of 'Send Once Per' for an item; none without the option. */
function readSendOncePer(
	node: IExecuteFunctions,
	options: Record<string, unknown>,
): { text?: string } | { reason: string } {
	if (!Object.hasOwn(options, 'sendOncePer')) return {};
	const { sendOncePer } = options;
	if (Number.isInteger(sendOncePer) && !Number.isSafeInteger(sendOncePer))
		return {
			reason: "'Send Once Per' is a number that is too long to keep all its digits. Provide it as text.",
		};
	const entered = Number.isSafeInteger(sendOncePer) ? String(sendOncePer) : sendOncePer;
	const text = typeof entered === 'string' ? entered.trim() : '';
	const reason = reasonAgainst(node, text);
	return reason === undefined ? { text } : { reason };
}

function reasonAgainst(node: IExecuteFunctions, text: string): string | undefined {
	if (text === '')
		return "'Send Once Per' is empty or not text. Check its expression for this item, or remove the option.";
	if (isTemplate(text))
		return "'Send Once Per' is still fixed text with {{ }}. Switch it from Fixed to Expression.";
	if (text === node.getExecutionId())
		return "'Send Once Per' is the number of this execution, which changes with each Retry. Use a text that stays the same, such as the name of the campaign.";
	const spoiled = spoiledIdentifier(text);
	if (spoiled !== undefined) return `'Send Once Per' ${spoiled}`;
	if (hasTable(node)) return undefined;
	return isOfAgents(node)
		? "'Send Once Per' does not work in n8n's Agents, which keep no record of whom a tool has sent. Remove the option."
		: "'Send Once Per' works in a saved workflow only. Save the workflow, then run it again.";
}

/** What a credential names, or why it cannot be used. */
type Credential =
	| { account: Account; accountKey: string; canvases: NamedCanvas[]; token: Token | undefined }
	| { reason: string };

/** The targets of a batch. A credential without expressions is read from n8n's database once. */
class Targets {
	/** the credential, once it is known to be the same for every item */
	private shared?: Credential;
	private dependsOnItem?: boolean;
	private readonly byKey = new Map<string, Target>();

	constructor(
		private readonly node: IExecuteFunctions,
		private readonly parameters: Parameters,
	) {}

	/** The target of an item, the same object for all items with one account and canvas; or why it has none. */
	async at(index: number): Promise<Target | { reason: string }> {
		const credential = this.shared ?? (await this.read(index));
		if ('reason' in credential) return credential;
		const { account, canvases, token } = credential;
		const entered = this.parameters.at('canvas', index, '');
		const wanted = isJsonObject(entered) ? entered.value : entered;
		const canvas = typeof wanted === 'string' ? findCanvas(canvases, wanted) : undefined;
		if (!canvas) return { reason: unknownCanvas(wanted, canvases) };
		const key = [credential.accountKey, canvas.triggerId, canvas.secret].join('\n');
		const target = this.byKey.get(key) ?? { key, account, canvas, token, itemIndex: index };
		this.byKey.set(key, target);
		return target;
	}

	private async read(index: number): Promise<Credential> {
		let credential: Credential;
		try {
			const fields = await this.node.getCredentials('sobotApi', index);
			this.dependsOnItem ??=
				Object.keys(typedExpressions(fields)).length > 0 || (await dependsOnItem(this.node, fields));
			credential = credentialOf(fields);
		} catch (cause) {
			credential = { reason: whyUnreadable(cause) };
		}
		// If the very first read fails, so do the others: do not make every item wait for the same.
		if (!this.dependsOnItem) this.shared = credential;
		return credential;
	}
}

function credentialOf(fields: ICredentialDataDecryptedObject): Credential {
	const reading = readAccount(fields);
	if ('reason' in reading) return reading;
	const rows = readCanvases(fields);
	if ('reason' in rows) return rows;
	return { ...reading, ...rows, accountKey: accountKey(reading.account), token: tokenFromFields(fields) };
}

function unknownCanvas(wanted: unknown, canvases: readonly NamedCanvas[]): string {
	if (typeof wanted === 'number') {
		return "'Canvas' is a number, which loses the last digits of a trigger ID. Make the expression give text.";
	}
	if (typeof wanted !== 'string' || wanted.trim() === '') {
		return "'Canvas' is empty. Choose one from the list, or check the expression for this item.";
	}
	const names = canvases.map(({ name, triggerId }) => `"${name || triggerId}"`).join(', ');
	return `The Sobot API credential has no canvas "${wanted.slice(0, 100)}". Add it there under 'Canvases', or choose one of: ${names || 'none yet'}.`;
}

function readBody(
	node: IExecuteFunctions,
	parameters: Parameters,
	index: number,
	{ contactIdField: entered = 'Contact_id' }: Record<string, unknown>,
): CustomerBody {
	const contactIdField = typeof entered === 'string' ? entered.trim() : '';
	if (contactIdField === '' || contactIdField === 'nick') {
		const wrong = contactIdField === '' ? 'is empty' : 'names the nickname';
		return {
			reason: `The option 'Contact ID Field' ${wrong}. Enter the name of the customer source field.`,
		};
	}
	switch (parameters.at('dataMode', index, 'defineBelow')) {
		case 'autoMapInputData':
			return bodyFromItem(node.getInputData()[index]?.json, contactIdField);
		case 'json':
			return bodyFromJson(parameters.at('jsonBody', index), contactIdField);
		default:
			return bodyFromDefined(parameters, index, contactIdField);
	}
}

function bodyFromDefined(parameters: Parameters, index: number, contactIdField: string): CustomerBody {
	const contactId = parameters.at('contactId', index);
	try {
		return bodyFromFields({
			contactIdField,
			contactId,
			nick: parameters.at('nick', index),
			additional: parameters.at('additionalFields.field', index, []) as DefinedFields['additional'],
		});
	} catch (cause) {
		// The customer is known even if another expression fails.
		return { reason: textOfError(cause), contactId: textOf(contactId) };
	}
}

const textOfError = (cause: unknown) =>
	cause instanceof Error && cause.message !== '' ? cause.message : String(cause);
