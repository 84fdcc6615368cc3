// The call that puts a customer on a canvas.

export interface Canvas {
	baseUrl: string;
	/** a 19-digit number: kept as a string, since a JavaScript number would change its last digits */
	triggerId: string;
	secret: string;
}

const TRIGGER_PATH = '/logi-flow/webhook/trigger';

/**
 * Sobot refuses a POST to here without a trigger ID before anything happens: with 910021, or with 9000xx if the token is
 * invalid too.
 */
export const TOKEN_PROBE_PATH = TRIGGER_PATH;

/** The request on behalf of one customer. `body` is the JSON as text, sent as it is. */
export function canvasRequest(canvas: Canvas, token: string, body: string, timeoutMs: number) {
	return {
		method: 'POST' as const,
		url: `${canvas.baseUrl}${TRIGGER_PATH}`,
		headers: {
			'content-type': 'application/json',
			accept: 'application/json',
			'trigger-id': canvas.triggerId,
			secret: canvas.secret,
			token,
		},
		body,
		timeout: timeoutMs,
		encoding: 'text' as const,
		returnFullResponse: true as const,
		ignoreHttpStatusErrors: true,
		// A redirect would turn the POST into a GET, or carry the secrets elsewhere.
		disableFollowRedirect: true,
	};
}
