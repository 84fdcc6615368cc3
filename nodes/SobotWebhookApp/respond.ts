// How the trigger hands its answers to n8n.
import type { INodeExecutionData, IWebhookFunctions, IWebhookResponseData } from 'n8n-workflow';
import { acknowledged, refused } from '../sobot/pushAnswers';
import type { Refusal } from './receivePush';

/**
 * n8n reads `webhookResponse` once it holds the execution, and twice: only then is the push accepted, and only once is it
 * to be remembered. What is changed in static data earlier, n8n 2.41 does not save: it marks the data as unchanged when it
 * prepares the execution.
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
