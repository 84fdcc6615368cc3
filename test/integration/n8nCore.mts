// What n8n-core needs to execute this package's nodes outside of an n8n: settings, node types and the data that n8n adds to an
// execution.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ExecutionLifecycleHooks } from 'n8n-core';
import type {
	ICredentialsHelper,
	INodeCredentialsDetails,
	INodeExecutionData,
	INodeType,
	INodeTypes,
	IWorkflowExecuteAdditionalData,
} from 'n8n-workflow';
import { SobotRuleEngine } from '../../nodes/SobotRuleEngine/SobotRuleEngine.node';
import { SobotWebhookAppTrigger } from '../../nodes/SobotWebhookApp/SobotWebhookAppTrigger.node';
import { ACTION, TRIGGER } from '../support/nodeTypes.mts';

// n8n-core reads its settings and its encryption key from here, and not from the user's own folder.
process.env.N8N_USER_FOLDER = mkdtempSync(join(tmpdir(), 'n8n-core-'));
process.env.N8N_ENCRYPTION_KEY = 'a key for tests only';
// Tests provoke errors, which n8n-core would print.
process.env.N8N_LOG_LEVEL = 'silent';

/** A node that outputs the items of a test. */
export class ItemsNode implements INodeType {
	constructor(
		private readonly items: INodeExecutionData[],
		private readonly fails = false,
	) {}

	description = {
		displayName: 'Items',
		name: 'items',
		group: ['trigger' as const],
		version: 1,
		description: '',
		defaults: {},
		inputs: ['main' as const],
		outputs: ['main' as const],
		properties: [],
	};

	// An arrow function, since n8n calls it with another `this`.
	execute = async (): Promise<INodeExecutionData[][]> => {
		if (this.fails) throw new Error('The sheet cannot be read.');
		return [this.items];
	};
}

/** How a node refers to the stored credential of a type. */
export function details(type: string): INodeCredentialsDetails {
	return { id: type, name: `My ${type}` };
}

/** This package's nodes, and more. */
export function nodeTypes(more: Record<string, INodeType>): INodeTypes {
	const types: Record<string, INodeType> = {
		[ACTION.type]: new SobotRuleEngine(),
		[`${ACTION.type}Tool`]: new SobotRuleEngine(),
		[TRIGGER.type]: new SobotWebhookAppTrigger(),
		...more,
	};
	const get = (name: string): INodeType => {
		const type = types[name];
		if (!type) throw new Error(`There is no node type ${name}.`);
		return type;
	};
	return { getByName: get, getByNameAndVersion: get, getKnownTypes: () => ({}) };
}

/** The next execution ID: n8n gives each execution another one. */
let executions = 1;

/** What n8n adds to an execution. */
export function additionalData(
	credentialsHelper: ICredentialsHelper,
	executionId = `${executions++}`,
): IWorkflowExecuteAdditionalData {
	return {
		credentialsHelper,
		executionId,
		currentNodeExecutionIndex: 0,
		restApiUrl: '',
		instanceBaseUrl: '',
		formWaitingBaseUrl: 'http://n8n/form-waiting',
		webhookBaseUrl: '',
		webhookWaitingBaseUrl: 'http://n8n/webhook-waiting',
		webhookTestBaseUrl: '',
		variables: {},
		hooks: new ExecutionLifecycleHooks('manual', '1', {
			id: 'w',
			name: '',
			active: false,
			nodes: [],
			connections: {},
		} as never),
	} as unknown as IWorkflowExecuteAdditionalData;
}
