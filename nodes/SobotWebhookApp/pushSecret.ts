// The Sobot Webhook App credential: how a push proves that it comes from the user's Sobot account.

/** The credential's fields, trimmed. A field that is not text counts as empty. */
export interface PushSecret {
	/** `query`, `header` or `basic`; with any other method no push matches */
	method: string;
	parameterName: string;
	headerName: string;
	user: string;
	/** the value of the parameter or header, or the password; empty: no push matches */
	secret: string;
}

/** Reads the credential. Its fields can be expressions, so each can have any type. */
export function readPushSecret(fields: Readonly<Record<string, unknown>>): PushSecret {
	return {
		method: trimmedText(fields.method),
		parameterName: trimmedText(fields.parameterName),
		headerName: trimmedText(fields.headerName),
		user: trimmedText(fields.user),
		secret: trimmedText(fields.secret),
	};
}

/** The text without white space around it; '' for anything but text. */
export function trimmedText(value: unknown): string {
	return typeof value === 'string' ? value.trim() : '';
}

/** How to get a good secret. */
const MAKE_ONE_UP = 'For example, let a password manager create 32 letters and digits.';

/** Anybody who finds the URL can try secrets, as fast as n8n answers. */
const SHORTEST_SECRET = 16;

/** Why this credential cannot work or protects nothing, and what to enter instead; undefined if it is usable. */
export function reasonAgainstSecret(fields: Readonly<Record<string, unknown>>): string | undefined {
	const { method, parameterName, headerName, user, secret } = readPushSecret(fields);
	const secretName = method === 'basic' ? 'Password' : 'Secret';
	if (secret === '') return `'${secretName}' is empty. Make one up. ${MAKE_ONE_UP}`;
	if (!['query', 'header', 'basic'].includes(method))
		return "'Method' has an unknown value. Choose one from the list.";
	// n8n drops query parameters that are named like a property of every object.
	if (method === 'query' && (!/^[\w.~-]+$/.test(parameterName) || parameterName in {}))
		return "'Parameter Name' is empty or contains characters other than letters, digits and - . _ ~. Enter only a name, such as key, without ? and =.";
	if (method === 'query' && !/^[\w.~-]+$/.test(secret))
		return `'Secret' contains characters that would change in a URL. Use only letters, digits and - . _ ~. ${MAKE_ONE_UP}`;
	if (method === 'header' && !/^[\w!#$%&'*+.^`|~-]+$/.test(headerName))
		return "'Header Name' is not a valid HTTP header name. Enter one such as x-sobot-key.";
	if (method === 'header' && !/^[\x20-\x7e]+$/.test(secret))
		return `'Secret' contains characters that are not allowed in a header. ${MAKE_ONE_UP}`;
	if (method === 'basic' && (user === '' || user.includes(':')))
		return "'User' is empty or contains a colon. Enter a name without one.";
	if ([...secret].length >= SHORTEST_SECRET) return undefined;
	return `'${secretName}' is shorter than ${SHORTEST_SECRET} characters, so it can be guessed. Make up a longer one. ${MAKE_ONE_UP}`;
}
