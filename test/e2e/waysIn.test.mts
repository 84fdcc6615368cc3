// Ways to start a workflow that few think of: from a shell, as an evaluation, by an agent over n8n's own MCP server. Each puts
// customers on a canvas for real.
import { Sandbox } from '../sandbox/server.mts';
import { createCredentials, type Credentials } from '../support/credentials.mts';
import { N8n } from '../support/n8n/n8n.mts';
import {
	actionNode,
	actionWorkflow,
	chain,
	executionsEnded,
	FROM_ITEM,
	node,
	outputOf,
} from '../support/workflows.mts';
import { underTest } from '../support/underTest.mts';
import { until } from '../support/until.mts';

jest.setTimeout(240_000);

const CUSTOMERS = ['c-1', 'c-2', 'c-3'].map((id) => ({ id, name: 'N' }));
const IDS = CUSTOMERS.map(({ id }) => id);
/** n8n 1 has no MCP server, and evaluations only of a Google Sheet. */
const testOnN8n2: (name: string, run: () => Promise<void>) => void = underTest().runtime.version.startsWith(
	'1.',
)
	? () => undefined
	: test;

let n8n: N8n;
let sandbox: Sandbox;
let credentials: Credentials;
beforeAll(async () => {
	n8n = await N8n.start({ ...underTest(), isWhole: true });
	sandbox = await Sandbox.start();
	credentials = await createCredentials(n8n, sandbox);
});
afterEach(() => sandbox.forget());
afterAll(async () => {
	await n8n.stop();
	await sandbox.close();
});

const accepted = () => sandbox.accepted.map(({ contactId }) => contactId);

test("'n8n execute' sends for real, and remembers customers for 'Send Once Per'", async () => {
	const parameters = { ...FROM_ITEM, options: { sendOncePer: 'spring' } };
	const workflow = await actionWorkflow(n8n, credentials, CUSTOMERS, parameters);
	expect(await n8n.runCommand('execute', '--id', workflow.id)).toContain('Execution was successful');
	expect(accepted()).toEqual(IDS);

	expect(await n8n.runCommand('execute', '--id', workflow.id)).toContain('alreadySent');
	expect(accepted()).toEqual(IDS);
});

testOnN8n2('an evaluation puts the customer of each row on the canvas', async () => {
	const { id: project } = await n8n.get<{ id: string }>('/rest/projects/personal');
	const tables = `/rest/projects/${project}/data-tables`;
	const columns = ['id', 'name'].map((name) => ({ name: `customer_${name}`, type: 'string' }));
	const { id: table } = await n8n.post<{ id: string }>(tables, { name: 'customers', columns });
	const data = CUSTOMERS.map(({ id, name }) => ({ customer_id: id, customer_name: name }));
	await n8n.post(`${tables}/${table}/insert`, { data, returnType: 'count' });
	const fields = { contactId: '={{ $json.customer_id }}', nick: '={{ $json.customer_name }}' };
	const workflow = await n8n.createWorkflow({
		name: 'evaluated',
		nodes: [
			node('Row', 'n8n-nodes-base.evaluationTrigger', 4.7, {
				source: 'dataTable',
				dataTableId: { __rl: true, mode: 'id', value: table },
			}),
			actionNode(credentials, fields),
			// n8n evaluates no workflow without a metric.
			node('Metric', 'n8n-nodes-base.evaluation', 4.7, {
				operation: 'setMetrics',
				metric: 'customMetrics',
				metrics: { assignments: [{ id: 'm', name: 'sent', value: 1, type: 'number' }] },
			}),
		],
		connections: chain('Row', 'Sobot', 'Metric'),
	});
	const runs = `/rest/workflows/${workflow.id}/test-runs`;
	await n8n.post(`${runs}/new`, {});
	let run: { status: string } | undefined;
	await until('the evaluation to end', async () => {
		[run] = await n8n.get<{ status: string }[]>(runs);
		return run !== undefined && !['new', 'running'].includes(run.status);
	});
	expect(run).toMatchObject({ status: 'completed' });
	expect(accepted().sort()).toEqual(IDS);
	// Each row is an execution of its own.
	expect((await executionsEnded(n8n, workflow)).map(({ status }) => status)).toEqual(
		IDS.map(() => 'success'),
	);
});

testOnN8n2("the MCP server's 'test_workflow' sends unless its caller pins the node", async () => {
	await n8n.request('PATCH', '/rest/mcp/settings', { mcpAccessEnabled: true });
	const { apiKey } = await n8n.get<{ apiKey: string }>('/rest/mcp/api-key');
	const workflow = await actionWorkflow(n8n, credentials, CUSTOMERS, FROM_ITEM);
	await n8n.updateWorkflow(workflow, { settings: { availableInMCP: true } });
	/** What the node put out, by its customers' IDs. */
	const testIt = async (pinData: Record<string, unknown>) => {
		const args = { workflowId: workflow.id, pinData };
		const { executionId, status } = await callTool(n8n.url, apiKey, 'test_workflow', args);
		const execution = await n8n.execution(executionId);
		return { status, output: outputOf(execution, 'Sobot').map(({ json }) => json.contactId) };
	};

	const pinned = [{ json: { contactId: 'pinned' } }];
	expect(await testIt({ Sobot: pinned })).toEqual({ status: 'success', output: ['pinned'] });
	expect(accepted()).toEqual([]);
	expect(await testIt({})).toEqual({ status: 'success', output: IDS });
	expect(accepted()).toEqual(IDS);
});

/** Calls a tool of n8n's MCP server. Returns its structured answer. */
async function callTool(url: string, key: string, name: string, args: Record<string, unknown>) {
	const answer = await fetch(`${url}/mcp-server/http`, {
		method: 'POST',
		headers: {
			'content-type': 'application/json',
			accept: 'application/json, text/event-stream',
			authorization: `Bearer ${key}`,
		},
		body: JSON.stringify({
			jsonrpc: '2.0',
			id: 1,
			method: 'tools/call',
			params: { name, arguments: args },
		}),
	});
	const text = await answer.text();
	if (!answer.ok) throw new Error(`${answer.status} ${text}`);
	// One event of a stream.
	const { result } = JSON.parse(text.replace(/^[^{]*/, '')) as {
		result: { structuredContent: { executionId: string; status: string } };
	};
	return result.structuredContent;
}
