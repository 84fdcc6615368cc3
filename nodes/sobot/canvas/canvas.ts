// Room `canvas`: the call that puts a customer on a canvas, and what all executions of this process know about the canvas:
// how fast it may be called, and whether it or the token is to blame for a refusal.
import { plainAnswerWithin } from '../outcome/answer';

/** A canvas at one of Sobot's hosts, as its calls name it. */
export interface Canvas {
	baseUrl: string;
	/** a 19-digit number: kept as a string, since a JavaScript number would change its last digits */
	triggerId: string;
	secret: string;
}

/** Source: Sobot, "Rule Engine API". */
const TRIGGER_PATH = '/logi-flow/webhook/trigger';

/**
 * Sobot refuses a POST to here without a trigger ID before anything happens: with 910021, or with 9000xx if the token is
 * invalid too.
 */
export const TOKEN_PROBE_PATH = TRIGGER_PATH;

/**
 * The request on behalf of one customer.
 *
 * @param body the JSON as text, sent as it is
 */
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
		...plainAnswerWithin(timeoutMs),
	};
}
