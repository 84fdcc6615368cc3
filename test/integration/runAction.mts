// Runs the action node, or a request with its credential, in a workflow that n8n-core executes, and n8n's Retry of it.
import { ExecuteContext, WorkflowExecute } from 'n8n-core';
import {
	createEmptyRunExecutionData,
	createRunExecutionData,
	Workflow,
	type GenericValue,
	type IExecuteFunctions,
	type INode,
	type INodeExecutionData,
	type INodeParameters,
	type INodeType,
	type IRun,
} from 'n8n-workflow';
import { ACTION } from '../support/nodeTypes.mts';
import { chain, node } from '../support/workflows.mts';
import { SobotRuleEngine } from '../../nodes/SobotRuleEngine/SobotRuleEngine.node';
import './deduplicationTable.mts';
import { additionalData, details, ItemsNode, nodeTypes } from './n8nCore.mts';
import type { StoredCredentials } from './storedCredentials.mts';

export interface ActionRun {
	items: INodeExecutionData[];
	parameters?: INodeParameters;
	credentials: StoredCredentials;
	/** more of the node: onError, retryOnFail, ... */
	node?: Partial<INode>;
	/** cancels the execution when it resolves */
	stopWhen?: Promise<unknown>;
	/** of an execution that n8n 1 runs a second time: it has no resume token */
	executionId?: string;
	/** what an execution has in common with its Retries; empty as before n8n 2.14 */
	resumeToken?: string;
	/** whether the node before the action fails: then n8n stores nothing of the action, as after a crash */
	failsBefore?: boolean;
}

/** Runs the action node on some items, in a workflow that n8n-core executes. */
export async function runAction(action: ActionRun): Promise<IRun> {
	const { workflow, startNode } = workflowOf(action);
	const { executionId, resumeToken = executionId === undefined ? undefined : '' } = action;
	const data = additionalData(action.credentials, executionId);
	const started = createRunExecutionData({ resumeToken });
	const run = new WorkflowExecute(data, 'manual', started).run({ workflow, startNode });
	void action.stopWhen?.then(() => run.cancel());
	return await run;
}

/**
 * Runs the action node as a tool of n8n's Agents: for one item, and without an execution or a saved workflow.
 * Source: n8n 2.41, EphemeralNodeExecutor.
 */
export async function runForAgent(action: ActionRun): Promise<INodeExecutionData[][]> {
	const data = { ...additionalData(action.credentials), executionId: undefined };
	const context = contextOf({ ...action, node: { type: `${ACTION.type}Tool` } }, '', data);
	return await new SobotRuleEngine().execute.call(context);
}

/** What n8n-core hands to the action node for some items. */
export function contextOf(
	action: ActionRun,
	workflowId?: string,
	data = additionalData(action.credentials),
): ExecuteContext {
	const { workflow, action: node } = workflowOf(action, workflowId);
	const { items } = action;
	const input = { main: [items] };
	return new ExecuteContext(
		workflow,
		node,
		data,
		'internal',
		createEmptyRunExecutionData(),
		0,
		items,
		input,
		{ node, data: input, source: null },
		[],
	);
}

/** n8n's Retry of an execution that has failed: what it was stored with, and the workflow of `action`. */
export async function retry(failed: IRun, action: ActionRun): Promise<IRun> {
	// n8n stores an execution's data as JSON. Source: n8n, ExecutionService.retry.
	const data = structuredClone(failed.data);
	const { lastNodeExecuted = '', runData } = data.resultData;
	delete data.resultData.error;
	if (runData[lastNodeExecuted]?.at(-1)?.error) runData[lastNodeExecuted].pop();
	const { workflow } = workflowOf(action);
	for (const { node } of data.executionData?.nodeExecutionStack ?? []) {
		Object.assign(node, workflow.getNode(node.name));
	}
	const execution = new WorkflowExecute(additionalData(action.credentials), 'retry', data);
	return await execution.processRunExecutionData(workflow);
}

/** A workflow: the items, the action on them. */
function workflowOf({ items, parameters = {}, node: more, failsBefore }: ActionRun, id = 'saved') {
	const action: INode = {
		...node('Sobot', ACTION.type, ACTION.typeVersion, parameters),
		credentials: { sobotApi: details('sobotApi') },
		...more,
	};
	const startNode: INode = node('Items', 'items', 1, {});
	const workflow = new Workflow({
		id,
		nodes: [startNode, action],
		connections: chain('Items', 'Sobot'),
		active: false,
		nodeTypes: nodeTypes({ items: new ItemsNode(items, failsBefore) }),
	});
	return { workflow, startNode, action };
}

/** Runs `work` for each item in a node with the Sobot API credential, like n8n's HTTP Request node. */
export async function runWithCredential(
	credentials: StoredCredentials,
	items: INodeExecutionData[],
	work: (node: IExecuteFunctions, itemIndex: number) => Promise<unknown>,
): Promise<IRun> {
	const worker: INode = {
		...node('Sobot', 'work', 1, {}),
		credentials: { sobotApi: details('sobotApi') },
	};
	const start: INode = node('Items', 'items', 1, {});
	const workflow = new Workflow({
		nodes: [start, worker],
		connections: chain('Items', 'Sobot'),
		active: false,
		nodeTypes: nodeTypes({ items: new ItemsNode(items), work: new WorkNode(work) }),
	});
	return await new WorkflowExecute(additionalData(credentials), 'manual').run({ workflow, startNode: start });
}

class WorkNode implements INodeType {
	constructor(work: (node: IExecuteFunctions, itemIndex: number) => Promise<unknown>) {
		// n8n calls it with the node's context as `this`.
		this.execute = async function (this: IExecuteFunctions) {
			const output: INodeExecutionData[] = [];
			for (const index of this.getInputData().keys()) {
				output.push({ json: { result: (await work(this, index)) as GenericValue } });
			}
			return [output];
		};
	}

	description = {
		...new ItemsNode([]).description,
		name: 'work',
		credentials: [{ name: 'sobotApi', required: true }],
	};

	execute: NonNullable<INodeType['execute']>;
}

/** The action's output, or its error. */
export function outcomeOf(run: IRun) {
	const [task] = run.data.resultData.runData.Sobot ?? [];
	return {
		output: task?.data?.main?.[0] ?? [],
		errorOutput: task?.data?.main?.[1] ?? [],
		error: run.data.resultData.error,
		hints: task?.hints ?? [],
	};
}
