// n8n-core's own execution of our nodes, with credentials that are stored and read as in n8n: encrypted, merged with the
// result of `preAuthentication`, and read again at every call.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
	Credentials,
	DataDeduplicationService,
	ExecutionLifecycleHooks,
	getAdditionalKeys,
	HookContext,
	WebhookContext,
	WorkflowExecute,
} from 'n8n-core';
import {
	createEmptyRunExecutionData,
	createRunExecutionData,
	ICredentialsHelper,
	isExpression,
	NodeHelpers,
	Workflow,
	type GenericValue,
	type ICredentialDataDecryptedObject,
	type ICredentialsExpressionResolveValues,
	type ICredentialType,
	type IExecuteData,
	type IExecuteFunctions,
	type IHttpRequestHelper,
	type IHttpRequestOptions,
	type INode,
	type INodeCredentialsDetails,
	type INodeExecutionData,
	type INodeParameters,
	type INodeProperties,
	type INodeType,
	type INodeTypes,
	type IRun,
	type IWebhookData,
	type IWebhookResponseData,
	type IWorkflowExecuteAdditionalData,
	type NodeOperationError,
	type WorkflowActivateMode,
	type WorkflowExecuteMode,
} from 'n8n-workflow';
import { SobotApi } from '../../credentials/SobotApi.credentials';
import { SobotWebhookAppApi } from '../../credentials/SobotWebhookAppApi.credentials';
import { SobotRuleEngine } from '../../nodes/SobotRuleEngine/SobotRuleEngine.node';
import { SobotWebhookAppTrigger } from '../../nodes/SobotWebhookApp/SobotWebhookAppTrigger.node';
import { ACTION, TRIGGER } from '../support/nodeTypes.mts';
import { acknowledge, chain, connectionTo, node } from '../support/workflows.mts';

// n8n-core reads its settings and its encryption key from here, and not from the user's own folder.
process.env.N8N_USER_FOLDER = mkdtempSync(join(tmpdir(), 'n8n-core-'));
process.env.N8N_ENCRYPTION_KEY = 'a key for tests only';

const CREDENTIAL_TYPES: Record<string, ICredentialType> = {
	sobotApi: new SobotApi(),
	sobotWebhookAppApi: new SobotWebhookAppApi(),
};

/** n8n's deduplication table, in memory. Source: n8n, DeduplicationHelper. */
const table = new Map<string, string[]>();
/** A test may make n8n's database unavailable. */
export const database = {
	isAway: false,
	leastRoom: Infinity,
	/** makes adding some entries fail, but not their removal */
	refuses: undefined as ((entries: readonly string[]) => boolean) | undefined,
};
/** Sets the table back to what it was: what comes after a kill is never stored. */
export const restoreEntries = (nodeId: string, entries: string[]) => table.set(nodeId, entries);
/** The table's entries for a node, the oldest first. */
export const entriesOf = (nodeId = '') => table.get(nodeId) ?? [];
void DataDeduplicationService.init({
	async checkProcessedAndRecord(items, _scope, { node }, { maxEntries = Infinity }) {
		if (database.isAway || database.refuses?.(items.map(String)) === true)
			throw new Error('the database is away');
		database.leastRoom = Math.min(database.leastRoom, maxEntries);
		const entries = entriesOf(node?.id);
		const known = new Set(entries);
		const fresh = items.filter((item) => !known.has(String(item)));
		table.set(node?.id ?? '', [...entries, ...fresh.map(String)].slice(-maxEntries));
		return { new: fresh, processed: items.filter((item) => known.has(String(item))) };
	},
	async removeProcessed(items, _scope, { node }) {
		const gone = new Set(items.map(String));
		table.set(
			node?.id ?? '',
			entriesOf(node?.id).filter((entry) => !gone.has(entry)),
		);
	},
	async clearAllProcessedItems(_scope, { node }) {
		table.delete(node?.id ?? '');
	},
	async getProcessedDataCount(_scope, { node }) {
		return entriesOf(node?.id).length;
	},
});

/** A node that outputs the items of a test. */
class ItemsNode implements INodeType {
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

/** How the two supported major versions of n8n differ in handling a credential. */
export interface N8nBehaviour {
	/** n8n 1.123 stores all fields with a new token, resolved; n8n 2.41 only what `preAuthentication` returns */
	storesAllFields: boolean;
}

export const BEHAVIOURS: Readonly<Record<string, N8nBehaviour>> = {
	'n8n 1.123': { storesAllFields: true },
	'n8n 2.41': { storesAllFields: false },
};

/** n8n's database of credentials, and what n8n's own helper does with it. */
export class StoredCredentials extends ICredentialsHelper {
	private readonly stored = new Map<string, Credentials>();
	reads = 0;
	/** the database can be read, but not written */
	isReadOnly = false;

	constructor(private readonly behaviour: N8nBehaviour = { storesAllFields: false }) {
		super();
	}

	add(type: string, data: ICredentialDataDecryptedObject): INodeCredentialsDetails {
		const credential = new Credentials({ id: type, name: `My ${type}` }, type);
		credential.setData(data);
		this.stored.set(type, credential);
		return { id: type, name: `My ${type}` };
	}

	data(type: string): ICredentialDataDecryptedObject {
		return this.stored.get(type)?.getData() ?? {};
	}

	/** The credential as stored in the database, to show that no secret is readable there. */
	encrypted(type: string): string {
		return this.stored.get(type)?.getDataToSave().data ?? '';
	}

	getParentTypes(): string[] {
		return [];
	}

	async authenticate(
		credentials: ICredentialDataDecryptedObject,
		type: string,
		request: IHttpRequestOptions,
	): Promise<IHttpRequestOptions> {
		const { authenticate } = typeOf(type);
		return typeof authenticate === 'function' ? await authenticate(credentials, request) : request;
	}

	async preAuthentication(
		helpers: IHttpRequestHelper,
		credentials: ICredentialDataDecryptedObject,
		type: string,
		node: INode,
		credentialsExpired: boolean,
	): Promise<ICredentialDataDecryptedObject | undefined> {
		const { preAuthentication, properties } = typeOf(type);
		const expirable = properties.find(({ typeOptions }) => typeOptions?.expirable === true)?.name;
		if (!expirable || !preAuthentication) return undefined;
		if (credentials[expirable] !== '' && !credentialsExpired) return undefined;
		const output = (await preAuthentication.call(helpers, credentials)) as ICredentialDataDecryptedObject;
		if (output[expirable] === undefined) return undefined;
		const details = node.credentials?.[type];
		if (details) await this.store(details, type, credentials, output, expirable);
		return Object.assign(credentials, output);
	}

	private async store(
		details: INodeCredentialsDetails,
		type: string,
		credentials: ICredentialDataDecryptedObject,
		output: ICredentialDataDecryptedObject,
		expirable: string,
	): Promise<void> {
		if (this.behaviour.storesAllFields) {
			return await this.updateCredentials(details, type, Object.assign(credentials, output));
		}
		const stored = this.data(type);
		const kept = Object.entries(output).filter(([key]) => key === expirable || !isExpression(stored[key]));
		await this.updateCredentials(details, type, { ...stored, ...Object.fromEntries(kept) });
	}

	async getCredentials(_details: INodeCredentialsDetails, type: string): Promise<Credentials> {
		const credential = this.stored.get(type);
		if (!credential) throw new Error(`There is no credential of type ${type}.`);
		return credential;
	}

	/** The declared fields with their defaults, and expressions as what they give for an item. */
	async getDecrypted(
		additionalData: IWorkflowExecuteAdditionalData,
		details: INodeCredentialsDetails,
		type: string,
		mode: WorkflowExecuteMode,
		executeData?: IExecuteData,
		raw?: boolean,
		resolve?: ICredentialsExpressionResolveValues,
	): Promise<ICredentialDataDecryptedObject> {
		this.reads++;
		const stored = (await this.getCredentials(details, type)).getData();
		if (raw) return stored;
		const fields = NodeHelpers.getNodeParameters(
			typeOf(type).properties,
			stored as INodeParameters,
			true,
			false,
			null,
			null,
		) as ICredentialDataDecryptedObject;
		if (!resolve) return fields;
		return resolve.workflow.expression.getParameterValue(
			fields as INodeParameters,
			resolve.runExecutionData,
			resolve.runIndex,
			resolve.itemIndex,
			resolve.node.name,
			resolve.connectionInputData,
			mode,
			getAdditionalKeys(additionalData, mode, null),
			executeData,
			false,
			fields as INodeParameters,
		) as ICredentialDataDecryptedObject;
	}

	async updateCredentials(
		details: INodeCredentialsDetails,
		type: string,
		data: ICredentialDataDecryptedObject,
	): Promise<void> {
		if (this.isReadOnly) throw new Error('The database is read-only.');
		(await this.getCredentials(details, type)).setData(data);
	}

	async updateCredentialsOauthTokenData(): Promise<void> {}

	getCredentialsProperties(type: string): INodeProperties[] {
		return typeOf(type).properties;
	}
}

function typeOf(type: string): ICredentialType {
	const found = CREDENTIAL_TYPES[type];
	if (!found) throw new Error(`There is no credential type ${type}.`);
	return found;
}

export interface ActionRun {
	items: INodeExecutionData[];
	parameters?: INodeParameters;
	credentials: StoredCredentials;
	/** more of the node: onError, retryOnFail, ... */
	node?: Partial<INode>;
	/** cancels the execution when it resolves */
	stopWhen?: Promise<unknown>;
	/** of an execution that n8n runs a second time */
	executionId?: string;
	/** whether the node before the action fails: then n8n stores nothing of the action, as after a crash */
	failsBefore?: boolean;
}

/** Runs the action node on some items, in a workflow that n8n-core executes. */
export async function runAction(action: ActionRun): Promise<IRun> {
	const { workflow, startNode } = workflowOf(action);
	const data = additionalData(action.credentials, action.executionId);
	const run = new WorkflowExecute(data, 'manual').run({ workflow, startNode });
	void action.stopWhen?.then(() => run.cancel());
	return await run;
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
function workflowOf({ items, parameters = {}, node: more, failsBefore }: ActionRun) {
	const action: INode = {
		...node('Sobot', ACTION.type, ACTION.typeVersion, parameters),
		credentials: { sobotApi: details('sobotApi') },
		...more,
	};
	const startNode: INode = node('Items', 'items', 1, {});
	const workflow = new Workflow({
		id: 'saved',
		nodes: [startNode, action],
		connections: chain('Items', 'Sobot'),
		active: false,
		nodeTypes: nodeTypes({ items: new ItemsNode(items, failsBefore) }),
	});
	return { workflow, startNode };
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

export interface Request {
	method?: string;
	body?: unknown;
	rawBody?: Buffer;
	query?: Record<string, unknown>;
	headers?: Record<string, string>;
	rawHeaders?: string[];
	ip?: string;
}

/** A line that a node wrote to n8n's log. */
export type LogLine = [level: string, message: string];

/** Gives a push to the trigger's `webhook()` in n8n-core's own context. `shown`: what the editor shows while it listens. */
export async function push(
	request: Request,
	parameters: INodeParameters = {},
	credentials = new StoredCredentials(),
	mode: WorkflowExecuteMode = 'webhook',
	workflow = triggerWorkflow(parameters),
) {
	const headers = { 'content-type': 'application/json', ...request.headers };
	const answer = { status: 0, headers: {} as Record<string, string>, body: undefined as unknown };
	const response = {
		status(code: number) {
			answer.status = code;
			return response;
		},
		set(more: Record<string, string>) {
			Object.assign(answer.headers, more);
			return response;
		},
		json(body: unknown) {
			answer.body = body;
			return response;
		},
	};
	const context = new WebhookContext(
		workflow,
		triggerOf(workflow),
		{
			...additionalData(credentials),
			httpRequest: {
				method: request.method ?? 'POST',
				body: request.body,
				rawBody: request.rawBody,
				query: request.query ?? {},
				headers,
				rawHeaders: request.rawHeaders ?? Object.entries(headers).flat(),
				ip: request.ip ?? '203.0.113.7',
			},
			httpResponse: response,
		} as unknown as IWorkflowExecuteAdditionalData,
		mode,
		{ webhookDescription: {} } as IWebhookData,
		[],
		createEmptyRunExecutionData(),
	);
	const log = recordLog(context);
	let shown: NodeOperationError | undefined;
	const data = await new SobotWebhookAppTrigger().webhook.call(context).catch((error: NodeOperationError) => {
		if (mode !== 'manual') throw error;
		shown = error;
		return {} as IWebhookResponseData;
	});
	return { data, answer, log, shown };
}

/** A workflow that begins with the trigger; `after` follow it in a row. The same object stands for one saved workflow. */
export function triggerWorkflow(parameters: INodeParameters = {}, after: INode[] = []): Workflow {
	const trigger: INode = {
		...node('Trigger', TRIGGER.type, TRIGGER.typeVersion, withDefaults(parameters)),
		id: `trigger ${workflowCount++}`,
		credentials: { sobotWebhookAppApi: details('sobotWebhookAppApi') },
		webhookId: 'w-1',
	};
	const nodes = [trigger, ...after];
	const connections = chain(...nodes.map(({ name }) => name));
	return new Workflow({ id: 'w', nodes, connections, active: true, nodeTypes: nodeTypes({}) });
}

let workflowCount = 0;

function triggerOf(workflow: Workflow): INode {
	const trigger = workflow.getNode('Trigger');
	if (!trigger) throw new Error('This workflow has no trigger.');
	return trigger;
}

/** Switches a workflow on, as n8n does when it is published; `manual`: when the editor listens for a test event. */
export async function switchOn(
	workflow: Workflow,
	activation: WorkflowActivateMode = 'activate',
	webhookBaseUrl = 'https://n8n.example.com/webhook',
): Promise<LogLine[]> {
	const mode = activation === 'manual' ? 'manual' : 'trigger';
	const data = { ...additionalData(new StoredCredentials()), webhookBaseUrl };
	const context = new HookContext(workflow, triggerOf(workflow), data, mode, activation);
	const log = recordLog(context);
	await new SobotWebhookAppTrigger().webhookMethods.default.create.call(context);
	return log;
}

function recordLog(context: object): LogLine[] {
	const lines: LogLine[] = [];
	const level = (name: string) => (message: string) => void lines.push([name, message]);
	const logger = Object.fromEntries(['debug', 'info', 'warn', 'error'].map((name) => [name, level(name)]));
	Object.defineProperty(context, 'logger', { value: logger });
	return lines;
}

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

function withDefaults(parameters: INodeParameters): INodeParameters {
	return { authentication: 'none', responseMode: 'onReceived', simplify: true, options: {}, ...parameters };
}

function details(type: string): INodeCredentialsDetails {
	return { id: type, name: `My ${type}` };
}

function nodeTypes(more: Record<string, INodeType>): INodeTypes {
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

function additionalData(
	credentialsHelper: StoredCredentials,
	executionId = `${executions++}`,
): IWorkflowExecuteAdditionalData {
	return {
		credentialsHelper,
		executionId,
		currentNodeExecutionIndex: 0,
		restApiUrl: '',
		instanceBaseUrl: '',
		formWaitingBaseUrl: '',
		webhookBaseUrl: '',
		webhookWaitingBaseUrl: '',
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
