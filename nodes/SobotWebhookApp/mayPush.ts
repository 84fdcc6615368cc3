// May this one push? Decided from the request alone, before its body is looked at.
import { createHash, timingSafeEqual } from 'crypto';
import { isAllowedAddress } from './addressList';

/** The parts of a request that tell who is pushing. */
export interface Caller {
	query: Readonly<Record<string, unknown>>;
	/** names and values in turn, as they came: a doubled header shows only here */
	rawHeaders: readonly string[];
	/** the caller's address, as n8n sees it behind the proxies that it was told of */
	address: string;
}

/** The Sobot Webhook App credential. */
export interface PushSecret {
	method: 'query' | 'header' | 'basic';
	parameterName: string;
	headerName: string;
	user: string;
	secret: string;
}

export interface Protection {
	secret?: PushSecret;
	/** addresses and CIDR ranges; empty: any address */
	ipAllowlist: readonly string[];
}

export type Admission =
	{ admitted: true } | { admitted: false; status: 401 | 403; headers: Record<string, string> };

/** 403 for an address that is not allowed, 401 for a missing or wrong secret. */
export function mayPush(caller: Caller, { secret, ipAllowlist }: Protection): Admission {
	if (ipAllowlist.length > 0 && !isAllowedAddress(caller.address, ipAllowlist)) {
		return { admitted: false, status: 403, headers: {} };
	}
	if (!secret || showsSecret(caller, secret)) return { admitted: true };
	const headers: Record<string, string> =
		secret.method === 'basic'
			? { 'WWW-Authenticate': 'Basic realm="Sobot Webhook App", charset="UTF-8"' }
			: {};
	return { admitted: false, status: 401, headers };
}

function showsSecret({ query, rawHeaders }: Caller, expected: PushSecret): boolean {
	// An empty secret would let everybody in.
	if (expected.secret === '') return false;
	switch (expected.method) {
		case 'query':
			return isSame(
				Object.hasOwn(query, expected.parameterName) ? query[expected.parameterName] : undefined,
				expected.secret,
			);
		case 'header':
			return isSame(onlyHeader(rawHeaders, expected.headerName), expected.secret);
		case 'basic':
			return isSame(basicCredentials(rawHeaders), `${expected.user}:${expected.secret}`);
	}
}

/** The value of a header that came exactly once. */
function onlyHeader(rawHeaders: readonly string[], name: string): string | undefined {
	const values = rawHeaders.filter(
		(_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name.toLowerCase(),
	);
	return values.length === 1 ? values[0] : undefined;
}

/** `user:password` from the Authorization header, if it has the form that RFC 7617 gives it. */
function basicCredentials(rawHeaders: readonly string[]): string | undefined {
	const encoded = /^Basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(
		onlyHeader(rawHeaders, 'authorization') ?? '',
	)?.[1];
	return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
}

/** Takes the same time whatever is given and however long it is. */
function isSame(given: unknown, expected: string): boolean {
	const digest = (text: string) => createHash('sha256').update(text).digest();
	return timingSafeEqual(digest(typeof given === 'string' ? given : ''), digest(expected));
}

/** What is wrong with the form of a Sobot Webhook App credential, in words; undefined if nothing is. */
export function secretFormError(fields: Readonly<Record<string, unknown>>): string | undefined {
	const isEmpty = (name: string) => String(fields[name] ?? '').trim() === '';
	if (isEmpty('secret')) return 'Secret is empty. Enter a long random text.';
	if (fields.method === 'query' && isEmpty('parameterName'))
		return 'Parameter Name is empty. Enter one, such as key.';
	if (fields.method === 'header' && !/^[\w!#$%&'*+.^`|~-]+$/.test(String(fields.headerName ?? ''))) {
		return 'Header Name is not the name of a header. Enter one, such as x-sobot-key.';
	}
	if (fields.method === 'basic' && (isEmpty('user') || String(fields.user).includes(':'))) {
		return 'User is empty or holds a colon. Enter a name without one.';
	}
	return undefined;
}
