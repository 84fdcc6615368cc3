// The action as the tool of a real AI agent in n8n. The language model is a script: it asks for the tool once, then ends.
import express from 'express';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createCredentials } from '../n8n/examples.mts';
import { Sandbox } from '../sandbox/server.mts';
import { connect, node } from './underTest.mts';

jest.setTimeout(60_000);

interface ChatRequest {
	messages: Array<{ role: string; content?: unknown }>;
	tools?: Array<{ function: { name: string; parameters: { properties: Record<string, unknown> } } }>;
}

let model: Server;
const asked: ChatRequest[] = [];

beforeAll(async () => {
	const app = express().use(express.json());
	app.post('/v1/chat/completions', (req, res) => {
		const request = req.body as ChatRequest;
		asked.push(request);
		const hasResult = request.messages.some(({ role }) => role === 'tool');
		const call = {
			id: 'call_1',
			type: 'function',
			function: {
				name: request.tools?.[0]?.function.name,
				arguments: JSON.stringify({ Contact_ID: 'ai-1', Nickname: 'Ana' }),
			},
		};
		const message = hasResult
			? { role: 'assistant', content: 'Ana is on the canvas.' }
			: { role: 'assistant', content: null, tool_calls: [call] };
		const finish_reason = hasResult ? 'stop' : 'tool_calls';
		res.json({
			id: 'c',
			object: 'chat.completion',
			created: 0,
			model: 'scripted',
			choices: [{ index: 0, message, finish_reason }],
		});
	});
	await new Promise<void>((resolve) => (model = app.listen(0, '127.0.0.1', () => resolve())));
});
afterAll(() => {
	model.closeAllConnections();
	model.close();
});

test('an agent puts a customer on a canvas and reads what Sobot said', async () => {
	const n8n = await connect();
	const sandbox = await Sandbox.start();
	try {
		const { sobotApi, sobotCanvasApi } = await createCredentials(n8n, sandbox);
		const openAiApi = await n8n.createCredential('openAiApi', 'scripted model', {
			apiKey: 'none',
			url: `http://127.0.0.1:${(model.address() as AddressInfo).port}/v1`,
		});
		const fromAi = (name: string) => `={{ $fromAI('${name}', '', 'string') }}`;
		const to = (type: string) => [[{ node: 'Agent', type, index: 0 }]];
		const workflow = await n8n.createWorkflow({
			name: 'Agent',
			nodes: [
				node('By hand', 'n8n-nodes-base.manualTrigger', 1, {}),
				node('Agent', '@n8n/n8n-nodes-langchain.agent', 2, {
					promptType: 'define',
					text: 'Put Ana on the canvas.',
				}),
				{
					...node('Model', '@n8n/n8n-nodes-langchain.lmChatOpenAi', 1.2, {
						model: { __rl: true, mode: 'id', value: 'scripted' },
					}),
					credentials: { openAiApi },
				},
				{
					...node('Sobot', 'n8n-nodes-sobot.sobotRuleEngineTool', 1, {
						contactId: fromAi('Contact_ID'),
						nick: fromAi('Nickname'),
					}),
					credentials: { sobotApi, sobotCanvasApi },
				},
			],
			connections: {
				'By hand': { main: to('main') },
				Model: { ai_languageModel: to('ai_languageModel') },
				Sobot: { ai_tool: to('ai_tool') },
			},
		});
		const execution = await n8n.execute(workflow);
		expect(execution.data.resultData.error?.message).toBeUndefined();
		expect(Object.keys(asked[0]?.tools?.[0]?.function.parameters.properties ?? {}).sort()).toEqual([
			'Contact_ID',
			'Nickname',
		]);
		expect(sandbox.accepted.map(({ raw }) => JSON.parse(raw) as unknown)).toEqual([
			{ Contact_id: 'ai-1', nick: 'Ana' },
		]);
		expect(JSON.stringify(asked[1]?.messages.find(({ role }) => role === 'tool')?.content)).toContain(
			'000000',
		);
	} finally {
		await sandbox.close();
	}
});
