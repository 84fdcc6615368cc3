// What came back from Sobot, told apart from what did not: the JSON with a `ret_code`, or anything else.

/** An HTTP answer, its body as text or already parsed. */
export interface HttpAnswer {
	statusCode: number;
	body: unknown;
}

/** Sobot's envelope: every API of its Rule Engine answers with a `ret_code`. */
export interface SobotAnswer {
	retCode: string;
	retMsg: string;
	json: Record<string, unknown>;
}

/** Is this a JSON object, and neither an array nor null? */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Sobot's envelope in an answer's body; undefined for a proxy's HTML page, an empty body or other JSON. */
export function readSobotAnswer(body: unknown): SobotAnswer | undefined {
	const json = typeof body === 'string' ? parseJson(body) : body;
	if (!isJsonObject(json)) return undefined;
	const code = json.ret_code;
	if (typeof code !== 'string' && typeof code !== 'number') return undefined;
	return { retCode: String(code), retMsg: typeof json.ret_msg === 'string' ? json.ret_msg : '', json };
}

/** The same body, with secrets hidden in the text that is quoted to the user. A gateway may echo what it was sent. */
export function withoutSecrets(body: unknown, secrets: readonly string[]): unknown {
	const answer = readSobotAnswer(body);
	if (!answer) return body;
	const hidden = secrets
		.filter((secret) => secret !== '')
		.flatMap((secret) => [secret, encodeURIComponent(secret)]);
	const retMsg = hidden.reduce((text, secret) => text.replaceAll(secret, '(hidden)'), answer.retMsg);
	return { ...answer.json, ret_msg: retMsg };
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text) as unknown;
	} catch {
		return undefined;
	}
}

/** The errors that a failed request carries: itself and its causes (HTTP clients wrap the socket's error). */
export function* causesOf(error: unknown): Generator<Record<string, unknown>> {
	let current = error;
	for (let depth = 0; depth < 5 && typeof current === 'object' && current !== null; depth++) {
		const level = current as Record<string, unknown>;
		yield level;
		if (Array.isArray(level.errors)) for (const inner of level.errors) yield* causesOf(inner);
		current = level.cause;
	}
}
