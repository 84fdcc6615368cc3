// n8n's deduplication table for this node, as the ledger's store, and who is in the ledger.
import { createHash } from 'crypto';
import type { ICheckProcessedOptions, IExecuteFunctions } from 'n8n-workflow';
import { systemClock } from '../../sobot/clock';
import { Ledger, sentEntry, type EntryStore } from '../../sobot/ledger';
import { claimsOf } from '../../sobot/shared';
import type { Options } from './options';
import type { SendPlan } from './plan';

/** Entries beside those of the keys to remember: for calls in flight, and for keys that are only looked at. */
const SPARE_ENTRIES = 1000;
const REMOVED_AT_ONCE = 500;

/** The table of the node, with room for `history` keys. n8n writes it at once, and shares it among all its processes. */
export function deduplicationTable(node: IExecuteFunctions, history: number): EntryStore {
	const options: ICheckProcessedOptions = { mode: 'entries', maxEntries: history + SPARE_ENTRIES };
	return {
		async add(entries) {
			const { processed } = await node.helpers.checkProcessedAndRecord(entries, 'node', options);
			return new Set(processed.map(String));
		},
		async remove(entries) {
			await node.helpers.removeProcessed(entries, 'node', options);
		},
	};
}

/** Whether n8n has a table for this node: it belongs to a saved workflow. */
export function hasTable(node: IExecuteFunctions): boolean {
	const { id } = node.getWorkflow();
	return typeof id === 'string' && id !== '' && id !== '__EMPTY__';
}

/**
 * The ledger of a batch: with the user's keys, or else one that only Retry and a second run of the same execution consult.
 * Undefined if the batch needs none. Rejects if n8n cannot store it.
 *
 * @param plans all customers of the batch, also those of whom an earlier try has settled: they give the batch its name
 */
export async function openLedger(
	node: IExecuteFunctions,
	plans: readonly SendPlan[],
	options: Options,
): Promise<Ledger | undefined> {
	const hasKeys = plans.some(({ customer }) => customer.key !== undefined);
	const isNeeded = hasKeys || isLong(plans, options) || node.getMode() === 'retry';
	if (plans.length === 0 || !isNeeded || !hasTable(node)) return undefined;
	const { store, claims } = tableOf(node, plans, options, hasKeys);
	return new Ledger({
		store,
		claims,
		clock: systemClock,
		isConsulted: hasKeys || (await claims.inTurn(async () => await isSecondRun(node, plans, store))),
		isForBatch: !hasKeys,
		sendsDoubtful: options.unknownOutcome === 'sendAgain',
	});
}

/**
 * Before a batch that was too short for a ledger fails: makes sure that Retry, which has one, consults nothing that an
 * earlier run with the same customers has left.
 */
export async function prepareRetry(
	node: IExecuteFunctions,
	plans: readonly SendPlan[],
	options: Options,
): Promise<void> {
	if (plans.length === 0 || isLong(plans, options) || !hasTable(node)) return;
	if (node.getMode() === 'retry' || plans.some(({ customer }) => customer.key !== undefined)) return;
	const { store, claims } = tableOf(node, plans, options, false);
	await claims.inTurn(async () => await isSecondRun(node, plans, store));
}

/** A batch that is sent within a second: a ledger for it would cost more than it saves. */
function isLong(plans: readonly SendPlan[], { requestsPerSecond }: Options): boolean {
	return plans.length >= requestsPerSecond;
}

function tableOf(
	node: IExecuteFunctions,
	plans: readonly SendPlan[],
	{ idempotencyHistory }: Options,
	hasKeys: boolean,
) {
	// Two entries for each key, or for each customer of two batches.
	const most = 2 * (hasKeys ? idempotencyHistory : Math.max(idempotencyHistory, plans.length));
	return {
		store: deduplicationTable(node, most),
		claims: claimsOf(`${node.getWorkflow().id}\n${node.getNode().id}`),
	};
}

/** Gives each customer a key that holds for this batch only. Returns the batch's name. */
function nameByBatch(plans: readonly SendPlan[]): string {
	const hash = createHash('sha256');
	for (const { digest } of plans) hash.update(digest);
	const batch = `batch ${hash.digest('base64url').slice(0, 16)}`;
	for (const { customer, digest } of plans) customer.key = `${batch} ${digest}`;
	return batch;
}

/**
 * Whether this run goes on with one that was killed: n8n 1 in queue mode runs a killed worker's execution again under the
 * same ID, and Retry runs it under a new one. Otherwise what an earlier run with the same customers has left is removed.
 */
async function isSecondRun(
	node: IExecuteFunctions,
	plans: readonly SendPlan[],
	store: EntryStore,
): Promise<boolean> {
	const batch = nameByBatch(plans);
	const run = `${batch} run ${node.getExecutionId()} ${node.getWorkflowDataProxy(0).$runIndex}`;
	const valid = `${batch} valid`;
	const known = await store.add([run]);
	const goesOn = node.getMode() === 'retry' || known.has(run);
	// Until the leftovers are gone, the batch is not valid: a kill in between must not make them count.
	if (goesOn && (await store.add([valid])).has(valid)) return true;
	await store.remove([valid]);
	for (let from = 0; from < plans.length; from += REMOVED_AT_ONCE) {
		const keys = plans.slice(from, from + REMOVED_AT_ONCE).map(({ customer }) => customer.key ?? '');
		await store.remove(keys.map(sentEntry));
	}
	await store.add([valid]);
	return false;
}
