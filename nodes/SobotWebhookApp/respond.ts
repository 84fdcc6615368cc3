// The ways in which the trigger answers a push through n8n.
import type { INodeExecutionData, IWebhookFunctions, IWebhookResponseData } from 'n8n-workflow';
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

/** Answers at once and starts nothing. Sobot does not show why a push was refused, so n8n's log does. */
export function refuse(
	context: IWebhookFunctions,
	{ status, headers, reason }: Refusal,
): IWebhookResponseData {
	context.getResponseObject().status(status).set(headers).json(refused(status));
	const { name } = context.getNode();
	context.logger.warn(`"${name}" refused a push with ${status}: ${reason}.`, {
		workflowId: context.getWorkflow().id,
	});
	return { noWebhookResponse: true };
}
