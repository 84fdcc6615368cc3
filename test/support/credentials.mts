// Creates this package's credentials in an n8n. Only this file knows the names of their fields, except for tests that are
// about those fields.
import type { Sandbox } from '../sandbox/server.mts';
import type { N8n } from './n8n/n8n.mts';

/** A credential as a node refers to it. */
export interface CredentialReference {
	id: string;
	name: string;
}

/** Credentials by type, or by the name that a workflow gives them. */
export type Credentials = Record<string, CredentialReference>;

export const PUSH_SECRET = 'push-secret-of-the-tests';

/** One credential of each type, for a sandbox with all its canvases. */
export async function createCredentials(n8n: N8n, sandbox: Sandbox): Promise<Credentials> {
	return {
		sobotApi: await n8n.createCredential('sobotApi', 'Sobot sandbox', sobotApiFields(sandbox)),
		...(await createPushCredential(n8n)),
	};
}

/** The fields of a Sobot API credential for a sandbox, with a row for each of its canvases. */
export function sobotApiFields(sandbox: Sandbox, more: Record<string, unknown> = {}) {
	const { appId, appKey, canvases } = sandbox.account.settings;
	const rows = canvases.map(({ name, triggerId, secret }) => ({ name, triggerId, secret }));
	return { region: 'custom', baseUrl: sandbox.url, appId, appKey, canvases: { canvas: rows }, ...more };
}

/** The credential with which the trigger checks its pushes; by default a secret in the query. */
export async function createPushCredential(
	n8n: N8n,
	fields: Record<string, unknown> = { method: 'query', parameterName: 'key', secret: PUSH_SECRET },
): Promise<Credentials> {
	return { sobotWebhookAppApi: await n8n.createCredential('sobotWebhookAppApi', 'Push secret', fields) };
}
