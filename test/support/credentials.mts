// The credentials of this package as the tests create them in an n8n. What a credential's fields are called stands here alone.
import { DEMO_CANVAS, type Sandbox } from '../sandbox/server.mts';
import type { N8n } from './n8n/n8n.mts';

/** Credential IDs by the name that a workflow gives them or by type, for a sandbox. */
export type Credentials = Record<string, { id: string; name: string }>;

export const PUSH_SECRET = 'push-secret';

/** One credential of each type, for a sandbox and its first canvas. */
export async function createCredentials(n8n: N8n, sandbox: Sandbox): Promise<Credentials> {
	const { appId, appKey } = sandbox.account.settings;
	return {
		sobotApi: await n8n.createCredential('sobotApi', 'Sobot sandbox', {
			region: 'custom',
			baseUrl: sandbox.url,
			appId,
			appKey,
		}),
		sobotCanvasApi: await n8n.createCredential('sobotCanvasApi', 'Sobot sandbox canvas', {
			triggerId: DEMO_CANVAS.triggerId,
			secret: DEMO_CANVAS.secret,
		}),
		sobotWebhookAppApi: await n8n.createCredential('sobotWebhookAppApi', 'Sobot sandbox webhook app', {
			method: 'query',
			parameterName: 'key',
			secret: PUSH_SECRET,
		}),
	};
}
