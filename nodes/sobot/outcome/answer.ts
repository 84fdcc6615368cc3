// Distinguishes Sobot's own JSON answers (they have a `ret_code`) from anything else, such as a proxy's error page.

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

/** Options of n8n's HTTP client with which every answer becomes an `HttpAnswer`, if all of it arrives in time. */
export function plainAnswerWithin(timeoutMs: number) {
	return {
		timeout: timeoutMs,
		// The client's own timeout starts again with each byte that arrives.
		abortSignal: AbortSignal.timeout(Math.ceil(timeoutMs)),
		encoding: 'text',
		returnFullResponse: true,
		ignoreHttpStatusErrors: true,
		// A redirect would turn a POST into a GET, or carry secrets to another address.
		disableFollowRedirect: true,
	} as const;
}

/** Whether the value is a JSON object, and neither an array nor null. */
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

/** Sobot's own words in brackets, to follow a message; '' if it sent none. */
export function quoted({ retMsg }: SobotAnswer): string {
	return retMsg === '' ? '' : ` ("${retMsg.slice(0, 200)}")`;
}

/** The same body, with secrets replaced in the text that is quoted to the user. A gateway may echo what it was sent. */
export function redactSecrets(body: unknown, secrets: readonly string[]): unknown {
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
