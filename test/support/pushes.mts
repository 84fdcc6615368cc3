// Sends pushes as Sobot or somebody else would, and knows the answer that Sobot takes as an acknowledgement.
import type { Profile } from '../sandbox/account.mts';

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

/** Profiles of so many customers. The dot ends an ID, so that it is found in n8n's stored data as it is. */
export function profiles(batch: string, count: number): Profile[] {
	return Array.from({ length: count }, (_, i) => ({ id: `${batch}-${i}.`, pid: '456', nick: 'N' }));
}
