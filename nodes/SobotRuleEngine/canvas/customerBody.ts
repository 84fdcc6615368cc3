// Builds the JSON body for one customer from the node's parameters. Bad input is refused here, before anything is sent.
import { jsonStringify } from 'n8n-workflow';
import { isJsonObject } from '../../sobot/outcome/answer';
import { brokenCharacter, FORMAT_AS_TEXT, spoiledIdentifier } from './identifier';
import { isRounded, MAY_BE_ROUNDED, roundedNumber, topLevelFields } from './jsonText';

/** The body to send and its customer, or a text that says what is wrong with the input and what to do. */
export type CustomerBody =
	| { readonly body: string; readonly contactId: string }
	| { readonly reason: string; readonly contactId?: string };

/** The parameters of 'Define Below'. */
export interface DefinedFields {
	contactIdField: string;
	contactId: unknown;
	nick: unknown;
	additional: ReadonlyArray<{ name?: unknown; value?: unknown }>;
}

/** The body from fields that were filled in one by one. */
export function bodyFromFields({ contactIdField, contactId, nick, additional }: DefinedFields): CustomerBody {
	const contact = readText(contactId, spoiledIdentifier);
	if ('reason' in contact) return { reason: `'Contact ID' ${contact.reason}` };
	const known = { contactId: contact.text };
	const nickname = readText(nick, brokenCharacter);
	if ('reason' in nickname) return { reason: `'Nickname' ${nickname.reason}`, ...known };
	const fields = new Map<string, unknown>([
		[contactIdField, contact.text],
		['nick', nickname.text],
	]);
	for (const { name: entered, value } of additional) {
		const name = textOf(entered) ?? '';
		const reason = reasonAgainstField(name, value, fields);
		if (reason) return { reason, ...known };
		fields.set(name, value);
	}
	return { ...serialize(Object.fromEntries(fields)), ...known };
}

/** The body that is the input item itself. */
export function bodyFromItem(json: unknown, contactIdField: string): CustomerBody {
	if (!isFilledObject(json)) {
		return {
			reason:
				"The input item is empty. Add a node before this one that outputs customers, or set 'Data Mode' to 'Define Below'.",
		};
	}
	return bodyFromObject(json, contactIdField);
}

/** The body that was entered as JSON: an object from an expression, or text, which is sent as typed. */
export function bodyFromJson(entered: unknown, contactIdField: string): CustomerBody {
	if (typeof entered !== 'string') {
		return isFilledObject(entered) ? bodyFromObject(entered, contactIdField) : { reason: NOT_AN_OBJECT };
	}
	let value: unknown;
	try {
		value = JSON.parse(entered);
	} catch (cause) {
		const said = cause instanceof Error ? cause.message : '';
		return { reason: `'JSON Body' is not valid JSON. Correct it in this node. The parser says: ${said}` };
	}
	return isFilledObject(value)
		? bodyFromText(entered.trim(), value, contactIdField)
		: { reason: NOT_AN_OBJECT };
}

const NOT_AN_OBJECT = `'JSON Body' is not a JSON object with fields. Enter one such as { "Contact_id": "123", "nick": "Jane" }.`;

function bodyFromObject(json: Record<string, unknown>, contactIdField: string): CustomerBody {
	const checked = readCustomer(json, contactIdField);
	if ('reason' in checked) return checked;
	return { ...serialize({ ...json, ...checked.texts }), contactId: checked.contactId };
}

/** Rewrites only the contact ID and the nickname where they are not the text to send: the rest stays as it was typed. */
function bodyFromText(text: string, json: Record<string, unknown>, contactIdField: string): CustomerBody {
	const fields = topLevelFields(text);
	const names = fields.map(({ name }) => name);
	const twice = names.find((name, index) => names.indexOf(name) !== index);
	if (twice !== undefined) return { reason: fieldTwice(twice) };
	const asTyped: Record<string, unknown> = { ...json };
	for (const { name, start, end } of fields) {
		const typed = text.slice(start, end);
		if (/^-?\d+$/.test(typed) && !isRounded(typed)) asTyped[name] = typed;
	}
	const checked = readCustomer(asTyped, contactIdField);
	if ('reason' in checked) return checked;
	const { contactId, texts } = checked;
	let body = text;
	// From the end, so that the positions of earlier fields stay right.
	for (const { name, start, end } of fields.reverse()) {
		const wanted = Object.hasOwn(texts, name) ? texts[name] : undefined;
		if (wanted === undefined || wanted === json[name]) continue;
		body = `${body.slice(0, start)}${JSON.stringify(wanted)}${body.slice(end)}`;
	}
	return { ...withoutRounding(body), contactId };
}

/** The contact ID and the nickname as text; the nickname may be left out. */
function readCustomer(
	json: Record<string, unknown>,
	contactIdField: string,
): { contactId: string; texts: Record<string, string> } | { reason: string; contactId?: string } {
	if (!Object.hasOwn(json, contactIdField)) {
		return {
			reason: `The field "${contactIdField}" is missing. Map the customer's ID to it, or change the option 'Contact ID Field'.`,
		};
	}
	const contact = readText(json[contactIdField], spoiledIdentifier);
	if ('reason' in contact) return { reason: `The field "${contactIdField}" ${contact.reason}` };
	const texts: Record<string, string> = { [contactIdField]: contact.text };
	if (json.nick !== undefined && json.nick !== null) {
		const nick = readText(json.nick, brokenCharacter);
		if ('reason' in nick) return { reason: `The field "nick" ${nick.reason}`, contactId: contact.text };
		texts.nick = nick.text;
	}
	return { contactId: contact.text, texts };
}

/**
 * The text of a field, or what is wrong with it: a reason that begins with its verb, to follow the field's name.
 *
 * @param reasonAgainst such a reason for a text that must not be sent
 */
function readText(
	value: unknown,
	reasonAgainst: (text: string) => string | undefined,
): { text: string } | { reason: string } {
	if (typeof value === 'number' && isRounded(String(value))) return { reason: rounded(String(value)) };
	const text = textOf(value) ?? '';
	if (text === '')
		return { reason: 'is empty or not text. Enter it, or check the expression for this item.' };
	const reason = isTemplate(text) ? stillTemplate(text) : reasonAgainst(text);
	return reason === undefined ? { text } : { reason };
}

function rounded(digits: string): string {
	return `is the number ${digits}, which is too long to keep all its digits. Provide it as text where it comes from. ${FORMAT_AS_TEXT}`;
}

function reasonAgainstField(
	name: string,
	value: unknown,
	known: ReadonlyMap<string, unknown>,
): string | undefined {
	if (name === '') return "A field in 'Data for the Canvas' has no name. Enter one, or remove the field.";
	if (known.has(name)) return fieldTwice(name);
	if (value === undefined || (typeof value === 'number' && !Number.isFinite(value))) {
		return `The field "${name}" in 'Data for the Canvas' has no value for this item. Check its expression, or remove the field.`;
	}
	return typeof value === 'string' && isTemplate(value)
		? `The field "${name}" in 'Data for the Canvas' ${stillTemplate(value)}`
		: undefined;
}

function fieldTwice(name: string): string {
	return `The field "${name}" appears twice. Remove one of them.`;
}

/** Whether the text still holds an expression, which n8n took for fixed text. */
export function isTemplate(text: string): boolean {
	const start = text.indexOf('{{');
	return start >= 0 && text.includes('}}', start + 2);
}

function stillTemplate(text: string): string {
	return `is still the text ${text.slice(0, 80)}. Switch the field from Fixed to Expression.`;
}

function isFilledObject(value: unknown): value is Record<string, unknown> {
	return isJsonObject(value) && Object.keys(value).length > 0;
}

/** Trimmed text of a string or number; undefined for anything else. */
export function textOf(value: unknown): string | undefined {
	if (typeof value === 'string') return value.trim();
	return typeof value === 'number' && Number.isFinite(value) ? String(value) : undefined;
}

function serialize(json: Record<string, unknown>): { body: string } | { reason: string } {
	try {
		return withoutRounding(JSON.stringify(json));
	} catch {
		return { reason: 'This item cannot be sent as JSON because it contains a circular reference.' };
	}
}

/** The body, unless it contains a number that has lost digits. */
function withoutRounding(body: string): { body: string } | { reason: string } {
	const number = roundedNumber(body);
	return number ? { reason: `The field "${number.path}" ${rounded(number.digits)}` } : { body };
}

/**
 * Why a body must not be sent that holds a number of the input item as n8n has rounded it, such as by an expression that
 * makes text of it; undefined if it holds none.
 */
export function reasonAgainstRounded(item: object, body: string): string | undefined {
	if (!MAY_BE_ROUNDED.test(body)) return undefined;
	const text = jsonStringify(item, { replaceCircularRefs: true });
	const number = roundedNumber(text, (digits) => body.includes(digits));
	return number && `The field "${number.path}" of the input ${rounded(number.digits)}`;
}
