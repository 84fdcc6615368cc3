// The least that a trigger of another package can do with a push: take the body on as it is, and answer.
const webhook = { httpMethod: 'POST', path: 'webhook', responseMode: 'onReceived', responseData: '' };

exports.EmptyTrigger = class {
	description = {
		displayName: 'Empty Trigger',
		name: 'emptyTrigger',
		group: ['trigger'],
		version: 1,
		description: 'Answers',
		defaults: { name: 'Empty Trigger' },
		inputs: [],
		outputs: ['main'],
		webhooks: [{ name: 'default', ...webhook }],
		properties: [],
	};

	async webhook() {
		return {
			webhookResponse: { code: 0, status: 0 },
			workflowData: [[{ json: this.getBodyData() }]],
		};
	}
};
