// Gives pushes to the trigger node, and activates its workflow, in n8n-core's own contexts.
import { HookContext, WebhookContext } from 'n8n-core';
import {
	createEmptyRunExecutionData,
	Workflow,
	type INode,
	type INodeParameters,
	type IWebhookData,
	type IWebhookResponseData,
	type IWorkflowExecuteAdditionalData,
	type NodeOperationError,
	type WorkflowActivateMode,
	type WorkflowExecuteMode,
} from 'n8n-workflow';
import { SobotWebhookAppTrigger } from '../../nodes/SobotWebhookApp/SobotWebhookAppTrigger.node';
import { TRIGGER } from '../support/nodeTypes.mts';
import { chain, node } from '../support/workflows.mts';
import { additionalData, details, nodeTypes } from './n8nCore.mts';
import { StoredCredentials } from './storedCredentials.mts';

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
			return response.end();
		},
		/** n8n answers: for the trigger's own answers, and where n8n could not store the execution */
		end: () => response,
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
	return { data, answer, log, shown, response };
}

/** A workflow that begins with the trigger; `after` follow it in a row. The same object stands for one saved workflow. */
export function triggerWorkflow(
	parameters: INodeParameters = {},
	after: INode[] = [],
	settings: object = {},
): Workflow {
	const trigger: INode = {
		...node('Trigger', TRIGGER.type, TRIGGER.typeVersion, withDefaults(parameters)),
		id: `trigger ${workflowCount++}`,
		credentials: { sobotWebhookAppApi: details('sobotWebhookAppApi') },
		webhookId: 'w-1',
	};
	const nodes = [trigger, ...after];
	const connections = chain(...nodes.map(({ name }) => name));
	return new Workflow({ id: 'w', nodes, connections, active: true, nodeTypes: nodeTypes({}), settings });
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
): Promise<LogLine[]> {
	const mode = activation === 'manual' ? 'manual' : 'trigger';
	const data = additionalData(new StoredCredentials());
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

/** The trigger's parameters, with n8n's defaults for those that are missing. */
export function withDefaults(parameters: INodeParameters): INodeParameters {
	return { authentication: 'none', responseMode: 'onReceived', simplify: true, options: {}, ...parameters };
}
