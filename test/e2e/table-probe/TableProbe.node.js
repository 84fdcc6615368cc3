// Changes n8n's deduplication table of this node step by step, and puts out what n8n answers to each.
exports.TableProbe = class {
	description = {
		displayName: 'Table Probe',
		name: 'tableProbe',
		group: ['transform'],
		version: 1,
		description: 'Asks the deduplication table',
		defaults: { name: 'Table Probe' },
		inputs: ['main'],
		outputs: ['main'],
		properties: [{ displayName: 'Steps', name: 'steps', type: 'json', default: '[]' }],
	};

	async execute() {
		const options = { mode: 'entries' };
		const items = [];
		for (const { add, maxEntries = Infinity, remove } of JSON.parse(this.getNodeParameter('steps', 0))) {
			const { processed } = add
				? await this.helpers.checkProcessedAndRecord(add, 'node', { ...options, maxEntries })
				: {};
			if (remove) await this.helpers.removeProcessed(remove, 'node', options);
			const count = await this.helpers.getProcessedDataCount('node', options);
			items.push({ json: { processed, count } });
		}
		return [items];
	}
};
