// A scripted language model: it makes its tool calls all at once, and then says that it is done.
import express from 'express';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { N8n } from './n8n/n8n.mts';

interface ChatRequest {
	messages: Array<{ role: string; content?: unknown }>;
	tools?: Array<{ function: { name: string; parameters: { properties: Record<string, unknown> } } }>;
}

export const MODEL_SAYS = 'Ana is on the canvas.';

export class ScriptedModel {
	/** the requests that it received, in order */
	readonly asked: ChatRequest[] = [];
	private server?: Server;

	/** @param toolInputs the arguments of its tool calls */
	static async start(...toolInputs: Array<Record<string, unknown>>): Promise<ScriptedModel> {
		const model = new ScriptedModel();
		const app = express().use(express.json());
		app.post('/v1/chat/completions', (req, res) => {
			const request = req.body as ChatRequest;
			model.asked.push(request);
			const hasResult = request.messages.some(({ role }) => role === 'tool');
			const calls = toolInputs.map((input, index) => ({
				id: `call_${index}`,
				type: 'function',
				function: { name: request.tools?.[0]?.function.name, arguments: JSON.stringify(input) },
			}));
			const message = hasResult
				? { role: 'assistant', content: MODEL_SAYS }
				: { role: 'assistant', content: null, tool_calls: calls };
			const finish_reason = hasResult ? 'stop' : 'tool_calls';
			res.json({
				id: 'c',
				object: 'chat.completion',
				created: 0,
				model: 'scripted',
				choices: [{ index: 0, message, finish_reason }],
			});
		});
		await new Promise<void>((resolve) => (model.server = app.listen(0, '127.0.0.1', () => resolve())));
		return model;
	}

	/** The credential with which n8n's OpenAI nodes call this model. */
	async credential(n8n: N8n): Promise<{ id: string; name: string }> {
		const { port } = this.server?.address() as AddressInfo;
		return await n8n.createCredential('openAiApi', 'Scripted model', {
			apiKey: 'none',
			url: `http://127.0.0.1:${port}/v1`,
		});
	}

	close(): void {
		this.server?.closeAllConnections();
		this.server?.close();
	}
}
