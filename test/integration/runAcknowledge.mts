// Runs a workflow that acknowledges a push, as n8n-core executes it.
import { WorkflowExecute } from 'n8n-core';
import {
	createRunExecutionData,
	Workflow,
	type INode,
	type INodeExecutionData,
	type WorkflowExecuteMode,
} from 'n8n-workflow';
import { TRIGGER } from '../support/nodeTypes.mts';
import { acknowledge, chain, connectionTo, node } from '../support/workflows.mts';
import { additionalData, ItemsNode, nodeTypes } from './n8nCore.mts';
import { withDefaults } from './pushToTrigger.mts';
import { StoredCredentials } from './storedCredentials.mts';

export interface PushRun {
	/** in the order in which they are connected before Acknowledge */
	triggers: Array<{ name: string; responseMode: string }>;
	/** the trigger that the push came to; none: the workflow starts elsewhere */
	startedBy?: string;
	/** the trigger's output */
	items?: INodeExecutionData[];
	/** the parameter 'Outcome' of each Acknowledge node, one behind the other */
	outcomes: string[];
	mode?: WorkflowExecuteMode;
	node?: Partial<INode>;
}

/** Runs a workflow that acknowledges a push. `sent` holds the answers for Sobot. */
export async function runAcknowledge({
	triggers,
	startedBy,
	items = [{ json: {} }],
	outcomes,
	mode = 'webhook',
	node: more,
}: PushRun) {
	const starts: INode[] = [
		node('Items', 'items', 1, {}),
		...triggers.map(({ name, responseMode }) =>
			node(name, TRIGGER.type, TRIGGER.typeVersion, withDefaults({ responseMode })),
		),
	];
	const answers = outcomes.map((outcome, index) => ({
		...acknowledge(outcome, `Answer ${index}`),
		...more,
	}));
	const workflow = new Workflow({
		id: 'w',
		nodes: [...starts, ...answers],
		connections: {
			...Object.fromEntries(starts.map(({ name }) => [name, connectionTo('Answer 0')])),
			...chain(...answers.map(({ name }) => name)),
		},
		active: true,
		nodeTypes: nodeTypes({ items: new ItemsNode(items) }),
	});
	const startNode = workflow.getNode(startedBy ?? 'Items');
	if (!startNode) throw new Error(`This workflow has no ${startedBy}.`);
	const sent: unknown[] = [];
	const data = additionalData(new StoredCredentials());
	data.hooks?.addHandler('sendResponse', (response) => void sent.push(response));
	const stack = [{ node: startNode, data: { main: [items] }, source: null }];
	const runData = createRunExecutionData({ executionData: { nodeExecutionStack: stack } });
	const run = await new WorkflowExecute(data, mode, runData).processRunExecutionData(workflow);
	const tasks = outcomes.map((_, index) => run.data.resultData.runData[`Answer ${index}`]?.[0]);
	return { sent, tasks, error: run.data.resultData.error };
}
