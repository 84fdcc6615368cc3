// Tells how far a batch has come: in n8n's log while it is sent, and in the list of executions if it ends early.
import type { IExecuteFunctions } from 'n8n-workflow';
import type { Clock } from '../../sobot/clock';
import type { Plan } from './plan';
import { accountOf, groupByOutcome, resultOfPlan } from './report';

/** How often the log gets a line, in ms. */
const LOG_EVERY_MS = 30_000;

/** How long after its end a batch may still be in memory, in ms: n8n's `sleep` cannot be ended. */
const CHECK_EVERY_MS = 1000;

/** Longer lists of items are cut: n8n cuts a value of an execution's highlighted data at 512 characters. */
const MOST_RANGES = 3;

/**
 * Writes to n8n's log how far a batch has come, by the clock, since Sobot may answer nothing for a while; and a last line if
 * there was one before. Never rejects.
 */
export async function logProgress(
	node: IExecuteFunctions,
	plans: readonly Plan[],
	clock: Clock,
	hasEnded: () => boolean,
): Promise<void> {
	// Whom earlier tries have put on the canvas does not count for the rate.
	const countNew = () => plans.filter((plan) => resultOfPlan(plan)?.outcome === 'accepted').length;
	const [sinceMs, newBefore] = [clock.nowMs(), countNew()];
	let loggedMs = sinceMs;
	for (let isOver = false; !isOver;) {
		await clock.sleep(CHECK_EVERY_MS);
		isOver = hasEnded();
		const nowMs = clock.nowMs();
		if (isOver ? loggedMs === sinceMs : nowMs - loggedMs < LOG_EVERY_MS) continue;
		loggedMs = nowMs;
		const { accepted } = groupByOutcome(plans);
		const left = plans.map(resultOfPlan).filter((result) => !result || result.isUntold).length;
		const rate = ((countNew() - newBefore) * 1000) / (nowMs - sinceMs);
		const what = isOver ? 'has ended' : 'is sending';
		const line = `${node.getNode().name} ${what}: ${accepted.length} of ${plans.length} customers accepted, ${left} left, ${rate.toFixed(1)} a second`;
		try {
			node.logger.info(line);
		} catch {
			// A log that fails ends neither n8n nor the batch.
		}
	}
}

/** Shows in n8n's log and in the list of executions what became of whom in a batch that ends early. Never throws. */
export function showEarlyEnd(node: IExecuteFunctions, plans: readonly Plan[]): void {
	const what = `${node.getNode().name.slice(0, 40)} ended early.`;
	try {
		node.logger.warn(`${what} ${accountOf(plans)}`);
		const { customData } = node.getWorkflowDataProxy(0).$execution as {
			customData?: { set(key: string, value: string): void };
		};
		customData?.set('sobot', `${what} ${accountOf(plans, MOST_RANGES)}`);
	} catch {
		// The memory in the node context is complete without it.
	}
}
