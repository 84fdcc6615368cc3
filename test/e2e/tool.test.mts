// The action as the tool of a real AI agent in n8n. The language model is a script: it asks for the tool, then ends.
import { createCredentials } from '../support/credentials.mts';
import { changeNode, fillIn, importWorkflow, readExample } from '../support/examples.mts';
import { Sandbox } from '../sandbox/server.mts';
import { askAgent, MODEL_SAYS, ScriptedModel } from '../support/scriptedModel.mts';
import type { N8n } from '../support/n8n/n8n.mts';
import { connect } from '../support/underTest.mts';

jest.setTimeout(60_000);

let n8n: N8n;
let sandbox: Sandbox;
let model: ScriptedModel;

beforeAll(async () => {
	n8n = await connect();
});
beforeEach(async () => {
	sandbox = await Sandbox.start();
});
afterEach(async () => {
	model.close();
	await sandbox.close();
});

/** Runs the example with the agent, and returns what it answers. */
async function chat(toolFields: object = {}, agentFields: object = {}): Promise<unknown> {
	const openAiApi = await model.credential(n8n);
	// In the editor a builder chats; from outside, the chat has to be public.
	const example = fillIn(await readExample('agent-tool'), 'Chat', { public: true });
	const changed = changeNode(changeNode(example, 'Put on canvas', toolFields), 'Agent', agentFields);
	const workflow = await importWorkflow(n8n, changed, {
		...(await createCredentials(n8n, sandbox)),
		openAiApi,
	});
	const answer = await askAgent(n8n, workflow);
	await n8n.deactivate(workflow);
	return JSON.parse(answer) as unknown;
}

const sent = () => sandbox.accepted.map(({ raw }) => JSON.parse(raw) as unknown);
/** What the tool has told the model, call by call. */
const told = () =>
	(model.asked[1]?.messages ?? [])
		.filter(({ role }) => role === 'tool')
		.map(({ content }) => JSON.stringify(content));

test('an agent puts a customer on a canvas and reads what Sobot said', async () => {
	model = await ScriptedModel.start({ Contact_ID: 'ai-1', Nickname: 'Ana' });
	expect(await chat()).toEqual({ output: MODEL_SAYS });
	const tool = model.asked[0]?.tools?.[0]?.function;
	expect(Object.keys(tool?.parameters.properties ?? {}).sort()).toEqual(['Contact_ID', 'Nickname']);
	expect(tool?.description).toMatch(
		/^Puts one customer on a Sobot canvas.*do not call it again for this customer/,
	);
	expect(sent()).toEqual([{ Contact_id: 'ai-1', nick: 'Ana' }]);
	for (const part of ['ai-1', 'accepted', '000000']) expect(told()[0]).toContain(part);
});

test('an agent that calls the tool for three customers at once, with Retry On Fail: each once, and each with the own outcome', async () => {
	const ids = ['ai-1', 'ai-2', 'ai-3'];
	model = await ScriptedModel.start(...ids.map((id) => ({ Contact_ID: id, Nickname: 'Ana' })));
	sandbox.misbehave({ on: 'trigger', contactId: 'ai-2', code: '910026' });
	await chat({ retryOnFail: true, maxTries: 3, waitBetweenTries: 10 });
	expect(sandbox.accepted.map(({ contactId }) => contactId).sort()).toEqual(['ai-1', 'ai-3']);
	expect(told().length).toBe(3);
	for (const [index, outcome] of ['accepted', 'refused', 'accepted'].entries()) {
		expect(told()[index]).toContain(ids[index]);
		expect(told()[index]).toContain(outcome);
	}
});

test('an agent that n8n tries again calls the tool once more: the customer stays on the canvas once', async () => {
	model = await ScriptedModel.start({ Contact_ID: 'ai-1', Nickname: 'Ana' });
	model.refusals = 1;
	expect(await chat({}, { retryOnFail: true, maxTries: 2, waitBetweenTries: 10 })).toEqual({
		output: MODEL_SAYS,
	});
	const results = model.asked.filter(({ messages }) => messages.some(({ role }) => role === 'tool'));
	expect([model.refusals, results.length, model.asked.length]).toEqual([0, 2, 4]);
	expect(sandbox.accepted.map(({ contactId }) => contactId)).toEqual(['ai-1']);
	expect(JSON.stringify(results[1]?.messages.at(-1)?.content)).toMatch(/accepted|alreadySent/);
});
