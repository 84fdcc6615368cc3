// Decides for each input item, before anything is sent, which customer goes to which canvas, or why the item cannot be
// sent.
import type { ICredentialDataDecryptedObject, IExecuteFunctions } from 'n8n-workflow';
import { accountKey, type Account, type Token } from '../../sobot/account';
import { findCanvas, readCanvases, type NamedCanvas } from '../../sobot/canvasRows';
import { readAccount, tokenFromFields, typedExpressions } from '../../sobot/credential';
import type { Customer } from '../../sobot/delivery';
import { n8nSays } from '../../sobot/errors';
import {
	bodyFromFields,
	bodyFromItem,
	bodyFromJson,
	isTemplate,
	textOf,
	type CustomerBody,
} from './customerBody';
import { hasTable, USER_KEY } from './deduplicationTable';
import { forEachIndex } from './eventLoop';
import { dependsOnItem } from './itemCredentials';
import { digestOf } from './retryMemory';

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
	readonly digest: string;
}

/** An item that cannot be sent. */
export interface RejectedPlan {
	readonly kind: 'rejected';
	readonly contactId?: string;
	/** as in a plan to send, if the customer and the canvas are known */
	readonly digest?: string;
	readonly reason: string;
	/** whether an earlier try of this execution may have sent it */
	readonly isInDoubt?: boolean;
}

/** The decision about one input item. */
export type Plan = SendPlan | RejectedPlan;

/**
 * One plan for each input item, in order. Never throws: an error that n8n throws for an item rejects that item.
 *
 * @param dryRun the option 'Dry Run' of the batch, which no item may contradict
 */
export async function makePlans(node: IExecuteFunctions, dryRun: boolean): Promise<Plan[]> {
	const plans: Plan[] = [];
	const targets = new Targets(node);
	const occurrences = new Map<string, number>();
	await forEachIndex(node.getInputData().length, async (index) => {
		plans.push(await planOf(node, index, dryRun, targets, occurrences));
	});
	return plans;
}

async function planOf(
	node: IExecuteFunctions,
	index: number,
	dryRun: boolean,
	targets: Targets,
	occurrences: Map<string, number>,
): Promise<Plan> {
	let reading: CustomerBody | undefined;
	try {
		const options = node.getNodeParameter('options', index, {}) as Record<string, unknown>;
		if ((options.dryRun ?? false) !== dryRun) {
			return { kind: 'rejected', reason: "'Dry Run' must be the same for all items. Check its expression." };
		}
		reading = readBody(node, index, options);
		const { contactId } = reading;
		if (contactId === undefined)
			return { kind: 'rejected', reason: 'reason' in reading ? reading.reason : '' };
		const target = await targets.at(index);
		if ('reason' in target) return { kind: 'rejected', contactId, reason: target.reason };
		const { triggerId } = target.canvas;
		const occurrence = occurrences.get(`${triggerId}\n${contactId}`) ?? 0;
		occurrences.set(`${triggerId}\n${contactId}`, occurrence + 1);
		const digest = digestOf(triggerId, contactId, occurrence);
		if ('reason' in reading) return { kind: 'rejected', contactId, digest, reason: reading.reason };
		const key = readKey(node, options);
		if ('reason' in key) return { kind: 'rejected', contactId, digest, reason: key.reason };
		const customer = { body: reading.body, key: key.key, identity: digestOf(triggerId, contactId, 0) };
		return { kind: 'send', contactId, target, customer, digest };
	} catch (cause) {
		return { kind: 'rejected', contactId: reading?.contactId, reason: textOfError(cause) };
	}
}

/** The idempotency key of an item, marked as the user's; none without the option 'Idempotency Key'. */
function readKey(
	node: IExecuteFunctions,
	options: Record<string, unknown>,
): { key?: string } | { reason: string } {
	if (!Object.hasOwn(options, 'idempotencyKey')) return {};
	const { idempotencyKey } = options;
	const key = Number.isSafeInteger(idempotencyKey) ? String(idempotencyKey) : idempotencyKey;
	if (typeof key !== 'string' || key.trim() === '') {
		return {
			reason:
				"'Idempotency Key' is empty or not text. Check its expression for this item, or remove the option.",
		};
	}
	if (isTemplate(key)) {
		return {
			reason: "'Idempotency Key' is still fixed text with {{ }}. Switch it from Fixed to Expression.",
		};
	}
	if (!hasTable(node)) {
		return {
			reason: "'Idempotency Key' works in a saved workflow only. Save the workflow, then run it again.",
		};
	}
	return { key: `${USER_KEY}${key.trim()}` };
}

/** The targets of a batch. A credential without expressions is read from n8n's database once. */
class Targets {
	/** the credential's fields, once they are known to be the same for every item */
	private fields?: ICredentialDataDecryptedObject;
	/** whether it is known if the fields depend on the item */
	private isKnown = false;
	/** why the credential cannot be read for any item */
	private reason?: string;
	private readonly byKey = new Map<string, Target>();

	constructor(private readonly node: IExecuteFunctions) {}

	/** The target of an item, the same object for all items with one account and canvas; or why it has none. */
	async at(index: number): Promise<Target | { reason: string }> {
		const read = await this.fieldsAt(index);
		if ('reason' in read) return read;
		const { fields } = read;
		const reading = readAccount(fields);
		if ('reason' in reading) return reading;
		const rows = readCanvases(fields);
		if ('reason' in rows) return rows;
		const wanted = this.node.getNodeParameter('canvas', index, '', { extractValue: true });
		const canvas = typeof wanted === 'string' ? findCanvas(rows.canvases, wanted) : undefined;
		if (!canvas) return { reason: unknownCanvas(wanted, rows.canvases) };
		const key = [accountKey(reading.account), canvas.triggerId, canvas.secret].join('\n');
		const known = this.byKey.get(key);
		if (known) return known;
		const target = { key, ...reading, canvas, token: tokenFromFields(fields), itemIndex: index };
		this.byKey.set(key, target);
		return target;
	}

	private async fieldsAt(
		index: number,
	): Promise<{ fields: ICredentialDataDecryptedObject } | { reason: string }> {
		if (this.fields) return { fields: this.fields };
		if (this.reason !== undefined) return { reason: this.reason };
		try {
			const fields = await this.node.getCredentials('sobotApi', index);
			if (this.isKnown) return { fields };
			const varies =
				Object.keys(typedExpressions(fields)).length > 0 || (await dependsOnItem(this.node, fields));
			this.isKnown = true;
			if (!varies) this.fields = fields;
			return { fields };
		} catch (cause) {
			const reason = `n8n could not read the Sobot API credential. Open it and save it again, or choose another.${n8nSays(cause)}`;
			// If the very first read fails, so do the others: do not make every item wait for the same.
			if (!this.isKnown) this.reason = reason;
			return { reason };
		}
	}
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
	index: number,
	{ contactIdField: entered = 'Contact_id' }: Record<string, unknown>,
): CustomerBody {
	const contactIdField = typeof entered === 'string' ? entered.trim() : '';
	if (contactIdField === '') {
		return {
			reason: "The option 'Contact ID Field' is empty. Enter the name of the customer source field.",
		};
	}
	if (contactIdField === 'nick') {
		return {
			reason:
				"The option 'Contact ID Field' names the nickname. Enter the name of the customer source field.",
		};
	}
	switch (node.getNodeParameter('dataMode', index, 'defineBelow')) {
		case 'autoMapInputData':
			return bodyFromItem(node.getInputData()[index]?.json, contactIdField);
		case 'json':
			return bodyFromJson(node.getNodeParameter('jsonBody', index), contactIdField);
		default:
			return bodyFromDefined(node, index, contactIdField);
	}
}

function bodyFromDefined(node: IExecuteFunctions, index: number, contactIdField: string): CustomerBody {
	const contactId = node.getNodeParameter('contactId', index);
	try {
		return bodyFromFields({
			contactIdField,
			contactId,
			nick: node.getNodeParameter('nick', index),
			additional: node.getNodeParameter('additionalFields.field', index, []) as Array<{
				name?: unknown;
				value?: unknown;
			}>,
		});
	} catch (cause) {
		// The customer is known even if another expression fails.
		return { reason: textOfError(cause), contactId: textOf(contactId) };
	}
}

const textOfError = (cause: unknown) =>
	cause instanceof Error && cause.message !== '' ? cause.message : String(cause);
