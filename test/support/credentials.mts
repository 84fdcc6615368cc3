// The credentials of this package as the tests create them in an n8n. Only this file knows what a credential's fields are
// called, except where a test is about those fields.
import { DEMO_CANVAS, type Sandbox } from '../sandbox/server.mts';
import type { N8n } from './n8n/n8n.mts';

/** A credential as a node refers to it. */
export interface CredentialReference {
	id: string;
	name: string;
}

/** Credentials by type, or by the name that a workflow gives them. */
export type Credentials = Record<string, CredentialReference>;

export const PUSH_SECRET = 'push-secret';

/** One credential of each type, for a sandbox and its first canvas. */
export async function createCredentials(n8n: N8n, sandbox: Sandbox): Promise<Credentials> {
	return {
		sobotApi: await n8n.createCredential('sobotApi', 'Sobot sandbox', sobotApiFields(sandbox)),
		sobotCanvasApi: await createCanvasCredential(n8n, DEMO_CANVAS.triggerId),
		...(await createPushCredential(n8n)),
	};
}

/** The fields of a Sobot API credential for a sandbox. */
export function sobotApiFields(sandbox: Sandbox, more: Record<string, unknown> = {}) {
	const { appId, appKey } = sandbox.account.settings;
	return { region: 'custom', baseUrl: sandbox.url, appId, appKey, ...more };
}

/** The fields of a credential for one canvas of a sandbox. */
export function canvasFields(triggerId: string) {
	return { triggerId, secret: DEMO_CANVAS.secret };
}

/** The same account with another of its canvases. */
export async function forCanvas(n8n: N8n, credentials: Credentials, triggerId: string): Promise<Credentials> {
	return { ...credentials, sobotCanvasApi: await createCanvasCredential(n8n, triggerId) };
}

export async function createCanvasCredential(n8n: N8n, triggerId: string): Promise<CredentialReference> {
	return await n8n.createCredential('sobotCanvasApi', `Canvas ${triggerId}`, canvasFields(triggerId));
}

/** The credential with which the trigger checks its pushes; by default a secret in the query. */
export async function createPushCredential(
	n8n: N8n,
	fields: Record<string, unknown> = { method: 'query', parameterName: 'key', secret: PUSH_SECRET },
): Promise<Credentials> {
	return { sobotWebhookAppApi: await n8n.createCredential('sobotWebhookAppApi', 'Push secret', fields) };
}
