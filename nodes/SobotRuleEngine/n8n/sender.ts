// Sends one customer's body through n8n's HTTP client.
import type { IExecuteFunctions } from 'n8n-workflow';
import type { Account } from '../../sobot/account/account';
import type { NamedCanvas } from '../../sobot/account/canvasRows';
import { canvasRequest } from '../../sobot/canvas/canvas';
import type { DeliveryOptions } from '../../sobot/delivery/delivery';
import { redactSecrets, type HttpAnswer } from '../../sobot/outcome/answer';

/**
 * A function that sends one body. It does without n8n's authentication, which reads the database at each call and takes
 * HTTP 200 with 900002 for success.
 *
 * @param timeoutSeconds how long to wait for a whole answer
 */
export function senderFor(
	node: IExecuteFunctions,
	{ account, canvas }: { account: Account; canvas: NamedCanvas },
	timeoutSeconds: number,
): DeliveryOptions['send'] {
	const timeoutMs = timeoutSeconds * 1000;
	return async (token, body) => {
		const request = canvasRequest({ ...canvas, baseUrl: account.baseUrl }, token, body, timeoutMs);
		const answer = (await node.helpers.httpRequest(request)) as HttpAnswer;
		const secrets = [token, canvas.secret, account.appKey];
		return { statusCode: answer.statusCode, body: redactSecrets(answer.body, secrets) };
	};
}
