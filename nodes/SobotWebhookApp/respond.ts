// The ways in which the trigger answers a push through n8n.
import {
	NodeOperationError,
	type INodeExecutionData,
	type IWebhookFunctions,
	type IWebhookResponseData,
} from 'n8n-workflow';
import { pushAnswer } from '../sobot/push/pushAnswers';
import type { Refusal } from './admission';

/**
 * Acknowledges a push once n8n has stored the execution: when it reads `webhookResponse` (docs/n8n-behavior.md, W3). An
 * answer for which it has not read it is a refusal, such as 500 if n8n's database is away.
 *
 * @param onAnswer called when n8n answers, with whether it has accepted the push. Only the first call counts. A caller that
 * hangs up changes nothing.
 */
export function acknowledgeOnceStored(
	context: IWebhookFunctions,
	workflowData: INodeExecutionData[][],
	onAnswer: (isAccepted: boolean) => void,
): IWebhookResponseData {
	const response = context.getResponseObject();
	const end = response.end.bind(response) as (...chunk: unknown[]) => typeof response;
	// Every answer of n8n ends here. The response emits no event for an answer that comes after its caller has hung up.
	response.end = (...chunk: unknown[]) => {
		onAnswer(false);
		return end(...chunk);
	};
	return {
		workflowData,
		get webhookResponse() {
			onAnswer(true);
			return pushAnswer(0);
		},
	};
}

/** Acknowledges a push at once, and starts nothing. */
export function drop(context: IWebhookFunctions, reason: string): IWebhookResponseData {
	context.logger.debug(`"${context.getNode().name}" acknowledged a push and dropped it: ${reason}.`);
	return { webhookResponse: pushAnswer(0) };
}

/**
 * Answers at once and starts nothing. Sobot does not show why a push was refused, so n8n's log does; and the editor, while
 * somebody waits there for a push.
 */
export function refuse(
	context: IWebhookFunctions,
	{ status, reason, headers = {} }: Refusal,
): IWebhookResponseData {
	const response = context.getResponseObject();
	response.status(status).set(headers).json(pushAnswer(status));
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
	'The push has to carry the secret of the Sobot Webhook App API credential, for example at the end of the URL: ?key=YOUR-SECRET. ';
