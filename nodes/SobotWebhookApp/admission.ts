// Authorizes a push by its sender alone, before its body is read.
import { createHash, timingSafeEqual } from 'crypto';
import { isAllowedAddress } from './addressList';
import type { PushSecret } from './pushSecret';

/** The parts of a request that identify its sender. */
export interface Caller {
	query: Readonly<Record<string, unknown>>;
	/** names and values alternate, as they arrived: a repeated header shows only here */
	rawHeaders: readonly string[];
	/** the caller's address, as n8n sees it behind the proxies that it trusts */
	address: string;
}

/** The conditions that a push must meet. */
export interface Protection {
	/** undefined: no authentication */
	secret?: PushSecret;
	/** addresses and CIDR ranges; undefined: any address; empty: no address */
	ipAllowlist?: readonly string[];
}

/** The answer to a push that is not accepted. */
export interface Refusal {
	/** 500: the trigger could not read its own settings */
	status: 400 | 401 | 403 | 415 | 500;
	/** for n8n's log; never contains a secret */
	reason: string;
	headers?: Record<string, string>;
}

/** What demands basic authentication of a caller that shows none until it is asked. */
const CHALLENGE = { 'WWW-Authenticate': 'Basic realm="Sobot Webhook App", charset="UTF-8"' };

/** 403 for an address that is not allowed, 401 for a missing or wrong secret; undefined if the caller may push. */
export function refusalOf(caller: Caller, { secret, ipAllowlist }: Protection): Refusal | undefined {
	if (ipAllowlist && !isAllowedAddress(caller.address, ipAllowlist))
		return { status: 403, reason: `its address, ${caller.address}, is not in 'IP Allowlist'` };
	const reason = secret && secretMismatch(caller, secret);
	if (reason === undefined) return undefined;
	return { status: 401, reason, ...(secret?.method === 'basic' ? { headers: CHALLENGE } : {}) };
}

/** Why the caller's secret does not match; undefined if it does. */
function secretMismatch({ query, rawHeaders }: Caller, expected: PushSecret): string | undefined {
	const { method, parameterName, headerName, user, secret } = expected;
	// An empty secret would let everybody in.
	if (secret === '') return "the credential's 'Secret' is empty";
	switch (method) {
		case 'query':
			return mismatch(query[parameterName], secret, `the query parameter "${parameterName}"`);
		case 'header':
			return mismatch(onlyHeader(rawHeaders, headerName), secret, `the header "${headerName}"`);
		case 'basic':
			return mismatch(basicCredentials(rawHeaders), `${user}:${secret}`, 'basic authentication');
		default:
			return "the credential's 'Method' is unknown";
	}
}

function mismatch(given: unknown, expected: string, where: string): string | undefined {
	if (isSame(given, expected)) return undefined;
	return given === undefined ? `${where} is missing` : `${where} does not match`;
}

/** The value of a header that appears exactly once. */
function onlyHeader(rawHeaders: readonly string[], name: string): string | undefined {
	const values = rawHeaders.filter(
		(_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name.toLowerCase(),
	);
	return values.length === 1 ? values[0] : undefined;
}

/** `user:password` from the Authorization header, if it has the format of RFC 7617. */
function basicCredentials(rawHeaders: readonly string[]): string | undefined {
	const encoded = /^Basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(
		onlyHeader(rawHeaders, 'authorization') ?? '',
	)?.[1];
	return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
}

/** Compares in constant time, whatever the length of the texts. */
function isSame(given: unknown, expected: string): boolean {
	const digest = (text: string) => createHash('sha256').update(text).digest();
	return timingSafeEqual(digest(typeof given === 'string' ? given : ''), digest(expected));
}
