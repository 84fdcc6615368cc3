import { acknowledgeOnceStored } from '../../nodes/SobotWebhookApp/respond';

test('says that n8n has stored a push when n8n reads the answer, and once, though n8n reads it twice', () => {
	const onStored = jest.fn();
	const data = acknowledgeOnceStored([], onStored);
	expect(onStored).not.toHaveBeenCalled();
	expect([data.webhookResponse, data.webhookResponse]).toEqual(Array(2).fill({ code: 0, status: 0 }));
	expect(onStored).toHaveBeenCalledTimes(1);
});
