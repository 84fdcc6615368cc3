// Translates a push from Sobot's field names to names that a builder can use. It never throws and never invents a value:
// a field that is missing or has no meaning is left out.
import { createHash } from 'crypto';
import { isJsonObject } from '../sobot/outcome/answer';

/**
 * The customer's profile in a push. A field that Sobot left out is left out; a list is then empty. Source: Sobot, "Webhook
 * app".
 *
 * @param customFieldNames the builder's names for custom fields, by Sobot's 32-hex ID
 * @param deliveryKey equal for a redelivery of the same push
 */
export function parsePush(
	body: Readonly<Record<string, unknown>>,
	customFieldNames: ReadonlyMap<string, string> = new Map(),
	deliveryKey = deliveryKeyOf(body),
) {
	return withoutUndefined({
		customerId: text(body.id),
		companyId: text(body.pid),
		nickname: text(body.nick),
		realName: text(body.uname),
		emails: list(body.email, ';'),
		phones: list(body.tel, ';'),
		qq: text(body.qq),
		remark: text(body.remark),
		isVip: flag(body.is_vip),
		vipLevel: text(body.vip_level),
		labelIds: list(body.user_label, ','),
		avatarUrl: text(body.face),
		customFields: isJsonObject(body.ex_fields) ? rename(body.ex_fields, customFieldNames) : undefined,
		deliveryKey,
	});
}

/** An undefined field would still show up in n8n's expression editor. */
function withoutUndefined<T extends object>(record: T): T {
	return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as T;
}

/** Far above Sobot's nesting, far below what n8n fails to read back from its database. */
const MOST_LEVELS = 1000;

/** True if the body is nested so deep that n8n would accept it but could not load the execution again. */
export function isNestedTooDeep(body: unknown): boolean {
	let level: unknown[] = [body];
	for (let depth = 0; depth <= MOST_LEVELS; depth++) {
		level = level.flatMap((value) =>
			typeof value === 'object' && value !== null ? (Object.values(value) as unknown[]) : [],
		);
		if (level.length === 0) return false;
	}
	return true;
}

/** SHA-256 of the body's canonical JSON (keys sorted), hex. Sobot gives a push no ID, and resends it byte for byte. */
export function deliveryKeyOf(body: Readonly<Record<string, unknown>>): string {
	const json = JSON.stringify(body, (_, value: unknown) => (isJsonObject(value) ? sorted(value) : value));
	return createHash('sha256').update(json).digest('hex');
}

function sorted(record: Record<string, unknown>): Record<string, unknown> {
	return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

function text(value: unknown): string | undefined {
	return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

function list(value: unknown, separator: string): string[] {
	return (text(value) ?? '')
		.split(separator)
		.map((entry) => entry.trim())
		.filter((entry) => entry !== '');
}

function flag(value: unknown): boolean | undefined {
	const digit = text(value)?.trim();
	return digit === '1' ? true : digit === '0' ? false : undefined;
}

function rename(
	fields: Readonly<Record<string, unknown>>,
	names: ReadonlyMap<string, string>,
): Record<string, unknown> {
	// A name that another field of this push already has would overwrite that field.
	const nameOf = (id: string) => {
		const name = names.get(id);
		return !name || Object.hasOwn(fields, name) ? id : name;
	};
	// fromEntries makes own properties of every name, `__proto__` too.
	return Object.fromEntries(Object.entries(fields).map(([id, value]) => [nameOf(id), value]));
}
