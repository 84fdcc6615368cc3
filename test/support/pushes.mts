// Sends pushes as Sobot or another caller would, and knows the answer that Sobot accepts as an acknowledgement.
import type { Profile } from '../sandbox/account.mts';

/** Sobot accepts exactly this. Source: Sobot, "Webhook app". */
export const ACKNOWLEDGEMENT = '{"code":0,"status":0}';

/** A push with all fields that Sobot documents. Source: Sobot, "Webhook app". */
export const WHOLE_PUSH = {
	id: '1',
	pid: '2',
	nick: 'N',
	uname: 'U',
	email: 'a@b.c',
	tel: '3',
	qq: '4',
	remark: 'R',
	is_vip: '1',
	vip_level: 'Gold',
	user_label: 'l1,l2',
	face: 'https://f',
	ex_fields: { x: 'y' },
};

/** One push, as Sobot or another caller would send it. */
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

/** The profiles of `count` customers. The dot marks the end of an ID, so that n8n's stored data can be searched for it. */
export function profiles(batch: string, count: number): Profile[] {
	return Array.from({ length: count }, (_, i) => ({ id: `${batch}-${i}.`, pid: '456', nick: 'N' }));
}
