// Credentials that are stored and read as in n8n: encrypted, merged with the result of `preAuthentication`, and read again at
// every call.
import { Credentials, getAdditionalKeys } from 'n8n-core';
import {
	ICredentialsHelper,
	isExpression,
	NodeHelpers,
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
import { details } from './n8nCore.mts';

const CREDENTIAL_TYPES: Record<string, ICredentialType> = {
	sobotApi: new SobotApi(),
	sobotWebhookAppApi: new SobotWebhookAppApi(),
};

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
		return details(type);
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
