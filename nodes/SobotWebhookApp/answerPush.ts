// How is a push answered?
import { ACKNOWLEDGED } from '../sobot/webhookApp';

/** An answer by which Sobot knows that the push was not taken; it pushes again after 1 and after 5 minutes. */
export interface Refusal {
	status: 400 | 401 | 403 | 415;
	body: { code: number; status: 1 };
	headers: Record<string, string>;
}

/** The answer to a push that is not taken. `code` is the HTTP status; Sobot's document gives no codes of its own. */
export function refusal(status: Refusal['status'], headers: Record<string, string> = {}): Refusal {
	return { status, body: { code: status, status: 1 }, headers };
}

/** The acknowledgement; a new object for each, since n8n keeps what it is given. */
export function acknowledgement() {
	return { ...ACKNOWLEDGED };
}
