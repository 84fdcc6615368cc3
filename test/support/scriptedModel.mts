// A scripted language model: it makes its tool calls all at once, and then says that it is done.
import express from 'express';
import { createServer, type Server } from 'node:http';
import type { CredentialReference } from './credentials.mts';
import { listenOnFreePort } from './freePort.mts';
import type { N8n, Workflow } from './n8n/n8n.mts';
import { until } from './until.mts';

interface ChatRequest {
	messages: Array<{ role: string; content?: unknown }>;
	tools?: Array<{
		function: { name: string; description?: string; parameters: { properties: Record<string, unknown> } };
	}>;
}

export const MODEL_SAYS = 'Ana is on the canvas.';

export class ScriptedModel {
	/** the requests that it received, in order */
	readonly asked: ChatRequest[] = [];
	/** how many of the next requests with results of tools it refuses */
	refusals = 0;
	private url = '';

	private constructor(private readonly server: Server) {}

	/** @param toolInputs the arguments of its tool calls */
	static async start(...toolInputs: Array<Record<string, unknown>>): Promise<ScriptedModel> {
		const app = express().use(express.json());
		const model = new ScriptedModel(createServer(app));
		app.post('/v1/chat/completions', (req, res) => {
			const request = req.body as ChatRequest;
			model.asked.push(request);
			const hasResult = request.messages.some(({ role }) => role === 'tool');
			if (hasResult && model.refusals > 0) {
				model.refusals--;
				res.status(400).json({ error: { message: 'refused' } });
				return;
			}
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
		model.url = await listenOnFreePort(model.server);
		return model;
	}

	/** The credential with which n8n's OpenAI nodes call this model. */
	async credential(n8n: N8n): Promise<CredentialReference> {
		return await n8n.createCredential('openAiApi', 'Scripted model', {
			apiKey: 'none',
			url: `${this.url}/v1`,
		});
	}

	close(): void {
		this.server.closeAllConnections();
		this.server.close();
	}
}

/** Asks the agent of the example agent-tool, whose chat is public, to put Ana on the canvas. Returns what the chat answers. */
export async function askAgent(n8n: N8n, workflow: Workflow): Promise<string> {
	await n8n.activate(workflow);
	const path = workflow.nodes.find(({ name }) => name === 'Chat')?.webhookId;
	let answer = '';
	await until('the chat', async () => {
		const response = await fetch(`${n8n.url}/webhook/${path}/chat`, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify({ action: 'sendMessage', sessionId: '1', chatInput: 'Put Ana on the canvas.' }),
		});
		answer = await response.text();
		return response.status !== 404;
	});
	return answer;
}
