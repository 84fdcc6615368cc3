// The request behind a push, as a builder may see it: without what would let others push.
import type { PushSecret } from './mayPush';

export interface RequestDetails {
	method: string;
	query: Readonly<Record<string, unknown>>;
	headers: Readonly<Record<string, unknown>>;
}

const ALWAYS_SECRET = ['authorization', 'proxy-authorization', 'cookie'];

/** Leaves out every header that carries credentials, and the parameter or header of this trigger's own secret. */
export function withoutSecrets({ method, query, headers }: RequestDetails, secret?: PushSecret) {
	const secretHeaders = [
		...ALWAYS_SECRET,
		...(secret?.method === 'header' ? [secret.headerName.toLowerCase()] : []),
	];
	const secretParameters = secret?.method === 'query' ? [secret.parameterName] : [];
	return { method, query: omit(query, secretParameters), headers: omit(headers, secretHeaders) };
}

function omit<Value>(
	record: Readonly<Record<string, Value>>,
	names: readonly string[],
): Record<string, Value> {
	return Object.fromEntries(
		Object.entries(record).filter(([name]) => !names.includes(name.toLowerCase()) && !names.includes(name)),
	);
}
