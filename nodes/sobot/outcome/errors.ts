// Looks into errors of HTTP clients and of n8n.

/** The errors that a failed request carries: itself and its causes (HTTP clients wrap the socket's error). */
export function* causesOf(error: unknown): Generator<Record<string, unknown>> {
	let current = error;
	// A cause can refer back to an earlier one.
	for (let depth = 0; depth < 5 && typeof current === 'object' && current !== null; depth++) {
		const level = current as Record<string, unknown>;
		yield level;
		if (Array.isArray(level.errors)) for (const inner of level.errors) yield* causesOf(inner);
		current = level.cause;
	}
}

/** n8n's own words on what it has thrown, to follow a text; '' if it has thrown no error. */
export function n8nSays(cause: unknown): string {
	return cause instanceof Error ? ` n8n says: ${cause.message}` : '';
}

/** Why an expression with $env may fail: n8n 2 blocks it by default. */
export const ENV_IS_BLOCKED =
	'n8n allows $env only if its own environment variable N8N_BLOCK_ENV_ACCESS_IN_NODE is false.';

/** How n8n can mark its message on an expression in a credential that it cannot resolve. */
const MARK_OF_EXPRESSIONS = / \[Error resolving credentials\]$/;

/** What to do about an expression in a credential that n8n cannot resolve; undefined if the cause is another. */
export function unresolvedExpression(cause: unknown, credential: string): string | undefined {
	const marked = n8nSays(cause);
	const said = marked.replace(MARK_OF_EXPRESSIONS, '');
	if (said.includes('access to env vars denied'))
		return `An expression in the ${credential} credential uses $env. ${ENV_IS_BLOCKED} Change that, or enter the value itself.`;
	if (said !== marked || (cause instanceof Error && cause.name === 'ExpressionError'))
		return `n8n cannot resolve an expression in the ${credential} credential. Correct it there.${said}`;
	return undefined;
}
