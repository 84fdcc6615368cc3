// The ways in which the trigger answers a push through n8n.
import {
	NodeOperationError,
	type INodeExecutionData,
	type IWebhookFunctions,
	type IWebhookResponseData,
} from 'n8n-workflow';
import { acknowledged, refused } from '../sobot/pushAnswers';
import type { Refusal } from './receivePush';

/**
 * Acknowledges a push. n8n reads `webhookResponse` after it has stored the execution, and reads it twice: the push is
 * accepted only then, and must be remembered only once. n8n 2.41 does not save earlier changes of static data, because it
 * marks the data as unchanged when it prepares the execution.
 */
export function acknowledgeOnceStored(
	workflowData: INodeExecutionData[][],
	onStored: () => void,
): IWebhookResponseData {
	let isStored = false;
	return {
		workflowData,
		get webhookResponse() {
			if (!isStored) onStored();
			isStored = true;
			return acknowledged();
		},
	};
}

/**
 * Answers at once and starts nothing. Sobot does not show why a push was refused, so n8n's log does; and the editor, while
 * somebody waits there for a push.
 */
export function refuse(
	context: IWebhookFunctions,
	{ status, headers, reason }: Refusal,
): IWebhookResponseData {
	const response = context.getResponseObject();
	response.status(status).set(headers).json(refused(status));
	const node = context.getNode();
	context.logger.warn(`"${node.name}" refused a push with ${status}: ${reason}.`, {
		workflowId: context.getWorkflow().id,
	});
	// With another 'On Error', n8n would run the nodes that follow.
	const isShown = context.getMode() === 'manual' && (node.onError ?? 'stopWorkflow') === 'stopWorkflow';
	if (!isShown) return { noWebhookResponse: true };
	// n8n shows what is thrown here, and answers the push a second time.
	response.json = () => response;
	throw new NodeOperationError(node, `A push was refused with ${status}: ${reason}.`, {
		description: `${status === 401 ? SECRET_ADVICE : ''}Execute this step again to listen for the next push.`,
	});
}

/** The beginning of the advice after a missing or wrong secret. */
const SECRET_ADVICE =
	'The push has to carry the secret of the Sobot Webhook App credential, for example at the end of the URL: ?key=YOUR-SECRET. ';
