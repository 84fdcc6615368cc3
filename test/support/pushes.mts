// Sends pushes as Sobot or somebody else would, and knows the answer that Sobot takes as an acknowledgement.

/** Exactly this, to the letter. Source: Sobot, "Webhook app". */
export const ACKNOWLEDGEMENT = '{"code":0,"status":0}';

/** One push, as Sobot or somebody else would send it. */
export async function send(
	url: string,
	body: BodyInit | undefined,
	headers: Record<string, string> = {},
	method = 'POST',
) {
	const answer = await fetch(url, {
		method,
		body,
		headers: { 'content-type': 'application/json', ...headers },
	});
	return {
		status: answer.status,
		type: answer.headers.get('content-type'),
		headers: answer.headers,
		body: await answer.text(),
	};
}
