// What does a push say? From the body as Sobot sent it to names that a builder can use. It never throws and never
// invents: what is missing or has no meaning is left out.
import { createHash } from 'crypto';
import { isJsonObject } from '../sobot/answer';

/** A customer's profile. A field that Sobot left out is left out; a list is then empty. */
export interface Push {
	customerId?: string;
	companyId?: string;
	nickname?: string;
	realName?: string;
	emails: string[];
	phones: string[];
	qq?: string;
	remark?: string;
	isVip?: boolean;
	vipLevel?: string;
	labelIds: string[];
	avatarUrl?: string;
	customFields?: Record<string, unknown>;
	/** equal for a repeat of the same push */
	deliveryKey: string;
}

/**
 * The profile in a push. Source: Sobot, "Webhook app".
 *
 * @param customFieldNames the builder's names for custom fields, by Sobot's 32-hex ID
 */
export function parsePush(
	body: Readonly<Record<string, unknown>>,
	customFieldNames: ReadonlyMap<string, string> = new Map(),
): Push {
	const push = {
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
		deliveryKey: deliveryKeyOf(body),
	};
	// `undefined` would show as a field in expressions.
	return Object.fromEntries(
		Object.entries(push).filter(([, value]) => value !== undefined),
	) as unknown as Push;
}

/** Far more than Sobot sends, and far less than what n8n cannot read back from its database. */
const MOST_LEVELS = 1000;

/** Is the body nested so deep that n8n would take it on and lose it? */
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

/** SHA-256 of the body's canonical JSON (keys sorted), hex. Sobot gives a push no ID, and repeats it byte for byte. */
export function deliveryKeyOf(body: Readonly<Record<string, unknown>>): string {
	return createHash('sha256').update(canonicalJson(body)).digest('hex');
}

function canonicalJson(value: unknown): string {
	return JSON.stringify(value, (_, inner: unknown) =>
		isJsonObject(inner)
			? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
			: inner,
	);
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
	// fromEntries makes own properties of every name, `__proto__` too.
	return Object.fromEntries(Object.entries(fields).map(([id, value]) => [names.get(id) ?? id, value]));
}
