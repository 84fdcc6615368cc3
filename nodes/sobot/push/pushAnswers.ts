// The answers that Sobot's webhook app understands. Source: Sobot, "Webhook app".

/**
 * The body of an answer, a new object each time: n8n keeps what it is given.
 *
 * @param code 0 acknowledges a push, with HTTP 200. After any other Sobot resends it after 1 minute and again after 5
 */
export function pushAnswer(code: number) {
	return { code, status: code === 0 ? 0 : 1 };
}
