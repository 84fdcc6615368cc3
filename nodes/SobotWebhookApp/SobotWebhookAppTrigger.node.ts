// The trigger node: passes n8n's request to `receivePush`, and carries out its decision.
import {
	NodeConnectionTypes,
	type ICredentialsDecrypted,
	type ICredentialTestFunctions,
	type IDataObject,
	type IHookFunctions,
	type INodeCredentialTestResult,
	type INodeType,
	type INodeTypeDescription,
	type IWebhookFunctions,
	type IWebhookResponseData,
} from 'n8n-workflow';
import { pushAnswer } from '../sobot/push/pushAnswers';
import { pushMemoryOf } from '../sobot/shared';
import { checkActivation } from './activation';
import { ACTIVATION_MESSAGE, BUILDER_HINT, HINTS, PROPERTIES, TRIGGER_PANEL, WEBHOOKS } from './description';
import { reasonAgainstSecret } from './pushSecret';
import { receivePush, type TriggerSettings } from './receivePush';
import { acknowledgeOnceStored, drop, refuse } from './respond';
import { readRequest, readSettings } from './settings';

/** Starts a workflow when a Sobot canvas pushes a customer to its webhook app. */
export class SobotWebhookAppTrigger implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Sobot Webhook App Trigger',
		name: 'sobotWebhookAppTrigger',
		icon: { light: 'file:../sobot/sobot.svg', dark: 'file:../sobot/sobot.dark.svg' },
		group: ['trigger'],
		version: 1,
		subtitle: 'Customer pushed by a canvas',
		description: 'Starts the workflow when a Sobot canvas pushes a customer to its webhook app',
		// n8n adds parameters to the codex file's link, behind the anchor.
		documentationUrl: 'https://github.com/n8n-nodes-sobot/n8n-nodes-sobot#sobot-webhook-app-trigger',
		defaults: { name: 'Sobot Webhook App Trigger' },
		eventTriggerDescription: 'Let your Sobot canvas push a customer to the Test URL',
		activationMessage: ACTIVATION_MESSAGE,
		triggerPanel: TRIGGER_PANEL,
		hints: HINTS,
		inputs: [],
		outputs: [NodeConnectionTypes.Main],
		credentials: [
			{
				name: 'sobotWebhookAppApi',
				required: true,
				testedBy: 'checkSecretForm',
				displayOptions: { show: { authentication: ['sobotWebhookAppApi'] } },
			},
		],
		webhooks: WEBHOOKS,
		builderHint: BUILDER_HINT,
		properties: PROPERTIES,
	};

	methods = { credentialTest: { checkSecretForm } };

	// Nothing is registered at Sobot, which has no API for it: the builder enters the URL there.
	webhookMethods = {
		default: {
			async checkExists(this: IHookFunctions): Promise<boolean> {
				return false;
			},
			async create(this: IHookFunctions): Promise<boolean> {
				checkActivation(this);
				return true;
			},
			async delete(this: IHookFunctions): Promise<boolean> {
				return true;
			},
		},
	};

	async webhook(this: IWebhookFunctions): Promise<IWebhookResponseData> {
		let settings: TriggerSettings;
		try {
			settings = await readSettings(this);
		} catch (error) {
			// Nothing may be thrown here: docs/n8n-behavior.md, W6.
			const reason = `the trigger's settings cannot be read: ${(error as Error).message.replace(/\.$/, '')}`;
			return refuse(this, { status: 500, reason });
		}
		const reception = receivePush(readRequest(this), settings);
		if (reception.kind === 'refused') return refuse(this, reception);
		if (reception.kind === 'dropped') return drop(this, reception.reason);
		const { json, deliveryKey } = reception;
		const workflowData = [[{ json: json as IDataObject }]];
		if (settings.isAnsweredByWorkflow) return { workflowData };
		if (settings.redeliveryWindowMs === 0) return { workflowData, webhookResponse: pushAnswer(0) };
		const onAnswer = await pushMemoryOf(`${this.getWorkflow().id} ${this.getNode().id}`).letThrough(
			deliveryKey,
			this.getWorkflowStaticData('node'),
			settings.redeliveryWindowMs,
		);
		if (!onAnswer) return drop(this, 'it is a redelivery');
		return acknowledgeOnceStored(this, workflowData, onAnswer);
	}
}

/** Checks the format of a Sobot Webhook App credential: there is nothing to test it against. */
async function checkSecretForm(
	this: ICredentialTestFunctions,
	credential: ICredentialsDecrypted,
): Promise<INodeCredentialTestResult> {
	const message = reasonAgainstSecret(credential.data ?? {});
	if (message) return { status: 'Error', message };
	return { status: 'OK', message: 'The format is valid. Only a push from Sobot can confirm the secret.' };
}
