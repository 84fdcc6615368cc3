// Room `n8n`: what the action takes from n8n beyond its items, in the form that the rest of the node needs: parameters,
// credentials, requests, turns of the event loop, and the three stores in which something outlives a run. This file has the
// first store, the node context, and what tells that executions belong together.
import { randomBytes } from 'crypto';
import type { IExecuteFunctions } from 'n8n-workflow';
import { digest } from '../../sobot/ledger/digest';

/** Begins the name of an execution and its Retries that n8n itself has given. */
const TOKEN = 'token ';

/** The node context. n8n's Agents run a tool without one, and make no other try that would need it. */
export function contextOf(node: IExecuteFunctions): Record<string, unknown> {
	try {
		return node.getContext('node');
	} catch {
		return {};
	}
}

/**
 * What an execution and all its Retries have in common (docs/n8n-behavior.md, X6): a digest of its token, which is a secret.
 * Before n8n 2.14, its ID, which a Retry does not share.
 *
 * @param run tells runs apart whose node context does not outlive them
 */
export function lineageOf(node: IExecuteFunctions, run: string): string {
	const { resumeUrl } = node.getWorkflowDataProxy(0).$execution as { resumeUrl?: string };
	const token = /[?&]signature=([^&#]+)/.exec(resumeUrl ?? '')?.[1];
	if (token !== undefined) return `${TOKEN}${digest(token, run)}`;
	if (!isOfAgents(node)) return `execution ${digest(node.getExecutionId(), run)}`;
	return `random ${randomBytes(12).toString('base64url')}`;
}

/** Whether one of n8n's Agents calls the node: it has no execution. */
export function isOfAgents(node: IExecuteFunctions): boolean {
	const id = node.getExecutionId() as string | undefined;
	return id === undefined || id === '' || id === '__UNKNOWN__';
}

/** Whether n8n itself has named a lineage. */
export const isToken = (lineage: string) => lineage.startsWith(TOKEN);
