// The request of a push, as shown in the output: without anything that would let others push.
import type { PushSecret } from './pushSecret';

/** The parts of a request that 'Include Request' adds to the output. */
export interface RequestDetails {
	method: string;
	query: Readonly<Record<string, unknown>>;
	headers: Readonly<Record<string, unknown>>;
}

/** Headers that carry credentials, whatever the trigger's own secret is. */
const ALWAYS_SECRET = ['authorization', 'proxy-authorization', 'cookie'];

/**
 * Leaves out what carries credentials, and every value that contains the trigger's own secret: proxies repeat the whole URL
 * in headers such as x-original-url.
 */
export function withoutSecrets(
	{ method, query, headers }: RequestDetails,
	secret?: PushSecret,
): RequestDetails {
	const shown = (record: Readonly<Record<string, unknown>>) =>
		Object.fromEntries(
			Object.entries(record).filter(
				([name, value]) => !ALWAYS_SECRET.includes(name.toLowerCase()) && !(secret && reveals(value, secret)),
			),
		);
	return { method, query: shown(query), headers: shown(headers) };
}

/** Whether a value contains the secret: as it is, percent-encoded, or as basic authentication. */
function reveals(value: unknown, secret: PushSecret): boolean {
	if (typeof value === 'object' && value !== null)
		return Object.values(value).some((inner) => reveals(inner, secret));
	const text = String(value);
	const basic = Buffer.from(`${secret.user}:${secret.secret}`).toString('base64').replace(/=+$/, '');
	// A proxy may encode an address that holds an encoded address.
	const once = decoded(text);
	const forms = [text, once, decoded(once), decoded(decoded(once)), decoded(text.replaceAll('+', ' '))];
	return forms.some((form) => form.includes(secret.secret) || form.includes(basic));
}

/** Undoes percent-encoding, as far as it is valid. */
function decoded(text: string): string {
	return text.replace(/(%[0-9a-f]{2})+/gi, (encoded) => {
		try {
			return decodeURIComponent(encoded);
		} catch {
			return encoded;
		}
	});
}
