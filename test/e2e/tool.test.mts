// The action as the tool of a real AI agent in n8n. The language model is a script: it asks for the tool once, then ends.
import { createCredentials } from '../support/credentials.mts';
import { fillIn, importWorkflow, readExample } from '../support/examples.mts';
import { Sandbox } from '../sandbox/server.mts';
import { until } from '../support/until.mts';
import { MODEL_SAYS, ScriptedModel } from '../support/scriptedModel.mts';
import { connect } from '../support/underTest.mts';

jest.setTimeout(60_000);

test('an agent puts a customer on a canvas and reads what Sobot said', async () => {
	const n8n = await connect();
	const sandbox = await Sandbox.start();
	const model = await ScriptedModel.start({ Contact_ID: 'ai-1', Nickname: 'Ana' });
	try {
		const openAiApi = await model.credential(n8n);
		// In the editor a builder chats; from outside, the chat has to be public.
		const example = fillIn(await readExample('agent-tool'), 'Chat', { public: true });
		const workflow = await importWorkflow(n8n, example, {
			...(await createCredentials(n8n, sandbox)),
			openAiApi,
		});
		await n8n.activate(workflow);
		const chat = workflow.nodes.find(({ name }) => name === 'Chat')?.webhookId;
		let answer: unknown;
		await until('the chat', async () => {
			const response = await fetch(`${n8n.url}/webhook/${chat}/chat`, {
				method: 'POST',
				headers: { 'content-type': 'application/json' },
				body: JSON.stringify({ action: 'sendMessage', sessionId: '1', chatInput: 'Put Ana on the canvas.' }),
			});
			if (response.status === 404) return false;
			answer = await response.json();
			return true;
		});
		expect(answer).toEqual({ output: MODEL_SAYS });
		const { asked } = model;
		expect(Object.keys(asked[0]?.tools?.[0]?.function.parameters.properties ?? {}).sort()).toEqual([
			'Contact_ID',
			'Nickname',
		]);
		expect(sandbox.accepted.map(({ raw }) => JSON.parse(raw) as unknown)).toEqual([
			{ Contact_id: 'ai-1', nick: 'Ana' },
		]);
		const said = JSON.stringify(asked[1]?.messages.find(({ role }) => role === 'tool')?.content);
		for (const part of ['ai-1', 'accepted', '000000']) expect(said).toContain(part);
	} finally {
		model.close();
		await sandbox.close();
	}
});
