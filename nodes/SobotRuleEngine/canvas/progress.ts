// Tells how far a batch has come: in n8n's log while it is sent, and in the list of executions if it ends early.
import type { IExecuteFunctions } from 'n8n-workflow';
import type { Clock } from '../../sobot/clock';
import type { Plan } from './plan';
import { accountOf, groupByOutcome } from './report';

/** How often the log gets a line, in seconds. */
const LOG_EVERY_SECONDS = 30;

/** The longest value of an execution's highlighted data, in characters. Source: n8n, execution metadata. */
const LONGEST_VALUE = 512;

/** Writes to n8n's log how far a batch has come, until it has ended. Never rejects. */
export async function logProgress(
	node: IExecuteFunctions,
	plans: readonly Plan[],
	clock: Clock,
	hasEnded: () => boolean,
): Promise<void> {
	for (let seconds = 1; ; seconds++) {
		// Short, since n8n's `sleep` cannot be ended, and keeps the batch in memory.
		await clock.sleep(1000);
		if (hasEnded()) return;
		if (seconds % LOG_EVERY_SECONDS > 0) continue;
		const accepted = groupByOutcome(plans).accepted.length;
		const line = `${node.getNode().name} is sending: ${accepted} of ${plans.length} customers accepted`;
		try {
			node.logger.info(line);
		} catch {
			// A log that fails ends neither n8n nor the batch.
		}
	}
}

/** Shows in n8n's log and in the list of executions what became of whom in a batch that ends early. Never throws. */
export function showEarlyEnd(node: IExecuteFunctions, plans: readonly Plan[]): void {
	const text = `${node.getNode().name.slice(0, 80)} ended early. ${accountOf(plans)}`;
	try {
		node.logger.warn(text);
		const { customData } = node.getWorkflowDataProxy(0).$execution as {
			customData?: { set(key: string, value: string): void };
		};
		const counts = text.replace(/ \(items? [\d, -]+\)/g, '');
		customData?.set('sobot', text.length > LONGEST_VALUE ? counts : text);
	} catch {
		// The memory in the node context is complete without it.
	}
}
