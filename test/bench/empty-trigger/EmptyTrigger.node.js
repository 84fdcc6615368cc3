// The least that a trigger of another package can do with a push: accept the body as it is, and answer. With n8n's own
// header credential, it reads that and compares. With a note at the node, it remembers the last push in static data. It does
// so when n8n asks for the answer: only then does n8n save it.
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
		credentials: [{ name: 'httpHeaderAuth' }],
		properties: [],
	};

	async webhook() {
		if (this.getNode().credentials?.httpHeaderAuth) {
			const { name, value } = await this.getCredentials('httpHeaderAuth');
			if (this.getHeaderData()[name] !== value) throw new Error('Wrong secret');
		}
		const body = this.getBodyData();
		const memory = this.getNode().notes && this.getWorkflowStaticData('node');
		return {
			get webhookResponse() {
				if (memory) memory.last = body.id;
				return { code: 0, status: 0 };
			},
			workflowData: [[{ json: body }]],
		};
	}
};
