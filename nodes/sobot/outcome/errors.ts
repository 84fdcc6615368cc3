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
