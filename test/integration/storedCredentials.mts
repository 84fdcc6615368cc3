// Credentials that are stored and read as in n8n: merged with the result of `preAuthentication`, and read again at every call.
import { getAdditionalKeys } from 'n8n-core';
import {
	ICredentialsHelper,
	isExpression,
	NodeHelpers,
	Workflow,
	type ICredentialDataDecryptedObject,
	type ICredentialsExpressionResolveValues,
	type ICredentialType,
	type IExecuteData,
	type IHttpRequestHelper,
	type IHttpRequestOptions,
	type INode,
	type INodeCredentialsDetails,
	type INodeParameters,
	type INodeProperties,
	type IWorkflowExecuteAdditionalData,
	type WorkflowExecuteMode,
} from 'n8n-workflow';
import { SobotApi } from '../../credentials/SobotApi.credentials';
import { SobotWebhookAppApi } from '../../credentials/SobotWebhookAppApi.credentials';
import { ACTION } from '../support/nodeTypes.mts';
import { node } from '../support/workflows.mts';
import { details, nodeTypes } from './n8nCore.mts';

const CREDENTIAL_TYPES: Record<string, ICredentialType> = {
	sobotApi: new SobotApi(),
	sobotWebhookAppApi: new SobotWebhookAppApi(),
};

/** n8n resolves what belongs to no node as if it were one's. */
const NO_NODE: INode = { ...node('', ACTION.type, ACTION.typeVersion, {}), id: 'none' };

/** How the two supported major versions of n8n differ in handling a credential. */
export interface N8nBehaviour {
	/**
	 * n8n 1.123 stores all fields with a new token, resolved, and its `$self` has them as they were typed; n8n 2.41 stores only
	 * what `preAuthentication` returns, and its `$self` has them resolved
	 */
	storesAllFields: boolean;
	/** Engine 2.0 never calls `preAuthentication`. Source: n8n 2.41, RemoteCredentialsHelper */
	refusesExpirable?: boolean;
}

/** n8n 2.41 in a workflow on its Engine 2.0. */
export const ENGINE_2: N8nBehaviour = { storesAllFields: false, refusesExpirable: true };

/** Why Engine 2.0 does not renew a token. */
export const ENGINE_2_REASON =
	'Engine 2.0 does not support credentials with an expirable property yet (credential type "sobotApi")';

export const BEHAVIOURS: Readonly<Record<string, N8nBehaviour>> = {
	'n8n 1.123': { storesAllFields: true },
	'n8n 2.41': { storesAllFields: false },
};

/** n8n's database of credentials, and what n8n's own helper does with it. */
export class StoredCredentials extends ICredentialsHelper {
	/** as JSON, by type */
	private readonly stored = new Map<string, string>();
	reads = 0;
	/** the database can be read, but not written */
	isReadOnly = false;

	constructor(public behaviour: N8nBehaviour = { storesAllFields: false }) {
		super();
	}

	add(type: string, data: ICredentialDataDecryptedObject): INodeCredentialsDetails {
		this.stored.set(type, JSON.stringify(data));
		return details(type);
	}

	data(type: string): ICredentialDataDecryptedObject {
		const data = this.stored.get(type);
		if (data === undefined) throw new Error(`There is no credential of type ${type}.`);
		return JSON.parse(data) as ICredentialDataDecryptedObject;
	}

	isCredentialUsableByNode(): boolean {
		return true;
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
		if (this.behaviour.refusesExpirable) throw new Error(ENGINE_2_REASON);
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

	// n8n-core asks for these two only where a credential is of OAuth.
	async runPreAuthentication(): Promise<never> {
		throw new Error('This is not OAuth.');
	}

	async getCredentials(): Promise<never> {
		throw new Error('This is not OAuth.');
	}

	/** The declared fields with their defaults, and expressions as what they give for an item. */
	async getDecrypted(
		additionalData: IWorkflowExecuteAdditionalData,
		_details: INodeCredentialsDetails,
		type: string,
		mode: WorkflowExecuteMode,
		executeData?: IExecuteData,
		raw?: boolean,
		resolve?: ICredentialsExpressionResolveValues,
	): Promise<ICredentialDataDecryptedObject> {
		this.reads++;
		const stored = this.data(type);
		if (raw) return stored;
		const fields = NodeHelpers.getNodeParameters(
			typeOf(type).properties,
			stored as INodeParameters,
			true,
			false,
			null,
			null,
		) as ICredentialDataDecryptedObject;
		const keys = getAdditionalKeys(additionalData, mode, null);
		// n8n has no item then. Source: n8n, CredentialsHelper.applyDefaultsAndOverwrites.
		if (!resolve) {
			const nodes = [NO_NODE];
			const { expression } = new Workflow({
				nodes,
				connections: {},
				active: false,
				nodeTypes: nodeTypes({}),
			});
			const own = this.selfData(fields);
			return expression.getComplexParameterValue(
				NO_NODE,
				fields as INodeParameters,
				mode,
				keys,
				undefined,
				undefined,
				own,
			) as ICredentialDataDecryptedObject;
		}
		return resolve.workflow.expression.getParameterValue(
			fields as INodeParameters,
			resolve.runExecutionData,
			resolve.runIndex,
			resolve.itemIndex,
			resolve.node.name,
			resolve.connectionInputData,
			mode,
			keys,
			executeData,
			false,
			this.selfData(fields),
		) as ICredentialDataDecryptedObject;
	}

	private selfData(fields: ICredentialDataDecryptedObject): INodeParameters {
		if (!this.behaviour.storesAllFields) return fields as INodeParameters;
		// n8n-core resolves texts alone, and not a String object.
		const typed = Object.entries(fields).map(([name, value]) => [
			name,
			typeof value === 'string' ? (Object(value) as unknown) : value,
		]);
		return Object.fromEntries(typed) as INodeParameters;
	}

	async updateCredentials(
		_details: INodeCredentialsDetails,
		type: string,
		data: ICredentialDataDecryptedObject,
	): Promise<void> {
		if (this.isReadOnly) throw new Error('The database is read-only.');
		this.stored.set(type, JSON.stringify(data));
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
