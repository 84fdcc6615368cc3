// Runs n8n's own nodes in n8n's own engine (n8n-core), without a server: for findings about what a node makes of its input.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chain, Outcome } from './helper.mjs';

process.env.N8N_USER_FOLDER = process.env.WORK;
process.env.N8N_ENCRYPTION_KEY = 'a key for findings only';
process.env.N8N_LOG_LEVEL = 'silent';

const require = createRequire(join(process.env.N8N, 'node_modules/n8n/package.json'));
const { ExecutionLifecycleHooks, WorkflowExecute } = require('n8n-core');
const { NodeHelpers, Workflow, createRunExecutionData } = require('n8n-workflow');

const PATHS = require('n8n-nodes-base/package.json').n8n.nodes;

/** A node that puts out the items of a finding, with files if they have any. */
class Items {
	description = {
		displayName: 'Items',
		name: 'items',
		group: ['trigger'],
		version: 1,
		description: '',
		defaults: {},
		inputs: ['main'],
		outputs: ['main'],
		properties: [],
	};

	constructor(items) {
		this.execute = async () => [items];
	}
}

function nodeTypes(items) {
	const found = { start: new Items([{ json: {} }]), ...items };
	const get = (type, version) => {
		const name = type.replace('n8n-nodes-base.', '');
		if (!found[name]) {
			const file = PATHS.find((path) => path.toLowerCase().endsWith(`/${name}.node.js`.toLowerCase()));
			const exported = require(`n8n-nodes-base/${file}`);
			const [Type] = Object.values(exported).filter((value) => typeof value === 'function');
			found[name] = new Type();
		}
		return NodeHelpers.getVersionedNodeType(found[name], version);
	};
	return { getByName: get, getByNameAndVersion: get, getKnownTypes: () => ({}) };
}

/**
 * Executes nodes behind given items.
 * @param items what each source puts out, by the source's name: whole items, or values that become their JSON
 * @param nodes each [name, type, parameters, further properties]
 */
export async function runInCore(items, nodes, { connections, settings = { executionOrder: 'v1' } } = {}) {
	const sources = Object.fromEntries(
		Object.entries(items).map(([name, values]) => [
			`items${name}`,
			new Items(values.map((value) => (value.json ? value : { json: value }))),
		]),
	);
	const all = [['Start', 'start'], ...Object.keys(items).map((name) => [name, `items${name}`]), ...nodes].map(
		([name, type, parameters = {}, more = {}], index) => ({
			id: `node-${index}`,
			name,
			type,
			typeVersion: 1,
			position: [index * 200, 0],
			parameters,
			...more,
		}),
	);
	const workflow = new Workflow({
		id: 'finding',
		nodes: all,
		connections: connections ?? chain(all.map(({ name }) => name)),
		active: false,
		nodeTypes: nodeTypes(sources),
		settings,
	});
	const additionalData = {
		executionId: '1',
		restApiUrl: 'http://localhost/rest',
		instanceBaseUrl: 'http://localhost/',
		formWaitingBaseUrl: 'http://localhost/form-waiting',
		webhookBaseUrl: 'http://localhost/webhook',
		webhookTestBaseUrl: 'http://localhost/webhook-test',
		webhookWaitingBaseUrl: 'http://localhost/webhook-waiting',
		currentNodeParameters: undefined,
		variables: {},
		userId: 'finding',
		hooks: new ExecutionLifecycleHooks('manual', '1', {
			id: 'finding',
			name: 'Finding',
			nodes: all,
			connections: {},
		}),
	};
	const run = await new WorkflowExecute(additionalData, 'manual', createRunExecutionData?.({})).run({
		workflow,
		startNode: workflow.getNode('Start'),
	});
	return new Outcome({ ...run, status: run.data.resultData.error ? 'error' : 'success' });
}
