import type { IWebhookFunctions } from 'n8n-workflow';
import { acknowledgeOnceStored } from '../../nodes/SobotWebhookApp/respond';

/** n8n's context for a push, with as much of a response as the trigger uses. */
function contextWith(end: (...chunk: unknown[]) => unknown): {
	context: IWebhookFunctions;
	response: { end: typeof end };
} {
	const response = { end };
	return { response, context: { getResponseObject: () => response } as unknown as IWebhookFunctions };
}

test('says that n8n has accepted a push when n8n reads the answer, before it sends it', () => {
	const [onAnswer, end] = [jest.fn(), jest.fn()];
	const { context, response } = contextWith(end);
	const data = acknowledgeOnceStored(context, [], onAnswer);
	expect(onAnswer).not.toHaveBeenCalled();
	expect([data.webhookResponse, data.webhookResponse]).toEqual(Array(2).fill({ code: 0, status: 0 }));
	response.end('{"code":0,"status":0}', 'utf8');
	expect(onAnswer.mock.calls[0]).toEqual([true]);
	expect(end.mock.calls).toEqual([['{"code":0,"status":0}', 'utf8']]);
});

test('says that n8n has not accepted a push when n8n answers without that', () => {
	const [onAnswer, end] = [jest.fn(), jest.fn(() => 'the response')];
	const { context, response } = contextWith(end);
	acknowledgeOnceStored(context, [], onAnswer);
	expect(response.end('{"message":"Error"}')).toBe('the response');
	expect(onAnswer.mock.calls).toEqual([[false]]);
	expect(end.mock.calls).toEqual([['{"message":"Error"}']]);
});
