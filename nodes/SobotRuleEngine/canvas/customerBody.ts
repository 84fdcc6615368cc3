// What is said to Sobot about one customer, made from what the builder entered. Bad input is refused here, before
// anything is sent.
import { isJsonObject } from '../../sobot/answer';

/** The JSON to send, or in words what is wrong with the input and what to do. */
export type CustomerBody = { json: string } | { problem: string };

export interface DefinedFields {
	contactIdField: unknown;
	contactId: unknown;
	nick: unknown;
	additional: Array<{ name?: unknown; value?: unknown }>;
}

/** The body from fields that were filled in one by one. */
export function bodyFromFields({ contactIdField, contactId, nick, additional }: DefinedFields): CustomerBody {
	const named: Array<[label: string, name: string, value: unknown]> = [
		['Contact ID', filled(contactIdField), filled(contactId)],
		['Nickname', 'nick', filled(nick)],
		...additional.map(({ name, value }): [string, string, unknown] => [
			'An additional field',
			filled(name),
			value,
		]),
	];
	const fields = new Map<string, unknown>();
	for (const [label, name, value] of named) {
		if (name === '')
			return { problem: `The name of a field is empty: ${label}. Enter one, or remove the field.` };
		if (value === '' && label !== 'An additional field') {
			return {
				problem: `${label} is empty or not a text. Enter one, or check the expression for this item.`,
			};
		}
		if (fields.has(name)) return { problem: `The field "${name}" is there twice. Remove one of them.` };
		fields.set(name, value);
	}
	return serialize(Object.fromEntries(fields));
}

/** The body that is the input item itself. */
export function bodyFromItem(json: unknown): CustomerBody {
	return isFilledObject(json)
		? serialize(json)
		: {
				problem:
					'The input item is empty, so there is no customer in it. Map the fields before this node, or choose Define Below.',
			};
}

/**
 * The body that was entered as JSON: an object from an expression, or text. Text is sent as it was typed, since
 * JavaScript would change the digits of a long number.
 */
export function bodyFromJson(entered: unknown): CustomerBody {
	let value = entered;
	if (typeof entered === 'string') {
		try {
			value = JSON.parse(entered);
		} catch (error) {
			const reason = error instanceof Error ? error.message : '';
			return { problem: `JSON Body is not valid JSON: ${reason}. Correct it in this node.` };
		}
	}
	if (!isFilledObject(value)) {
		return {
			problem:
				'JSON Body is not a JSON object with fields. Enter one such as { "Contact_id": "123", "nick": "Jane" }.',
		};
	}
	return typeof entered === 'string' ? { json: entered.trim() } : serialize(value);
}

function isFilledObject(value: unknown): value is Record<string, unknown> {
	return isJsonObject(value) && Object.keys(value).length > 0;
}

/** What was entered as text without blanks around it; empty for what is no text. */
function filled(value: unknown): string {
	return typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
}

function serialize(body: Record<string, unknown>): CustomerBody {
	try {
		return { json: JSON.stringify(body) };
	} catch {
		return {
			problem:
				'The data of this item cannot be written as JSON: it refers to itself. Map the fields that Sobot needs.',
		};
	}
}
