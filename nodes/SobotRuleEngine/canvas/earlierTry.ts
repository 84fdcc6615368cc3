// n8n's Retry On Fail runs the whole node again, with all its items. Those that Sobot has accepted, or may have, must
// not be sent again: what became of them is kept here until n8n lets go of the items.
import type { INodeExecutionData } from 'n8n-workflow';
import type { Delivered } from '../../sobot/delivery';

const tries = new WeakMap<INodeExecutionData, { run: string; delivered: Delivered }>();

/**
 * What an earlier try of the same run has said of an item that must not be sent again.
 *
 * @param run tells this run of the node from others that get the same items: another node, another loop
 */
export function earlierTry(run: string, item: INodeExecutionData): Delivered | undefined {
	const earlier = tries.get(item);
	return earlier?.run === run ? earlier.delivered : undefined;
}

/** Keeps what became of an item, if a retry must know it. */
export function rememberTry(run: string, item: INodeExecutionData, delivered: Delivered): void {
	const outcome = delivered.verdict?.outcome;
	if (outcome === 'accepted' || outcome === 'unknown') tries.set(item, { run, delivered });
}
