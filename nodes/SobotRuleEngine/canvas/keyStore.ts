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

/** A batch's ledger, and what is to be done when the batch has ended. */
export interface OpenLedger {
	readonly ledger: Ledger;
	/** @param isRetried whether n8n may run the batch again */
	end(isRetried: boolean): Promise<void>;
}

/**
 * The ledger of a batch: with the user's keys, or else one that only Retry and a second run of the same execution consult.
 * Undefined if the batch needs none. Rejects if n8n cannot store it.
 *
 * @param plans all customers of the batch, also those of whom an earlier try has settled: they give the batch its name
 * @param failedRun names the failed run that n8n's Retry goes on with, if it has stored one
 */
export async function openLedger(
	node: IExecuteFunctions,
	plans: readonly SendPlan[],
	options: Options,
	failedRun: string | undefined,
): Promise<OpenLedger | undefined> {
	const hasKeys = plans.some(({ customer }) => customer.key !== undefined);
	const isRetry = node.getMode() === 'retry';
	const isNeeded = hasKeys || isLong(plans, options) || isRetry;
	if (plans.length === 0 || !isNeeded || !hasTable(node)) return undefined;
	const { store, claims } = tableOf(node, plans, options);
	const batch = hasKeys ? '' : nameBatch(plans, isRetry ? failedRun : undefined);
	const isCrashRun = !hasKeys && !(isRetry && failedRun !== undefined);
	const isConsulted =
		!isCrashRun || (await claims.inTurn(async () => await isSecondRun(node, batch, plans, store)));
	const ledger = new Ledger({
		store,
		claims,
		clock: systemClock,
		isConsulted,
		isForBatch: !hasKeys,
		sendsDoubtful: options.unknownOutcome === 'sendAgain',
	});
	return {
		ledger,
		async end(isRetried) {
			// A run that has ended is no crash. Only what n8n may run again under this name stays.
			const staysOpen = isRetried && (isRetry || node.getNode().retryOnFail === true);
			if (hasKeys || staysOpen) return;
			// Also the one that a Retry before this one may have left.
			const entries = [validEntry(batch), validEntry(nameOf(plans))];
			await claims.inTurn(async () => await store.remove(entries));
		},
	};
}

/** A batch that is sent within a second: a ledger for it would cost more than it saves. */
function isLong(plans: readonly SendPlan[], { requestsPerSecond }: Options): boolean {
	return plans.length >= requestsPerSecond;
}

function tableOf(node: IExecuteFunctions, plans: readonly SendPlan[], { idempotencyHistory }: Options) {
	// Two entries for each key, or for each customer of two batches.
	const most = 2 * Math.max(idempotencyHistory, plans.length);
	return {
		store: deduplicationTable(node, most),
		claims: claimsOf(`${node.getWorkflow().id}\n${node.getNode().id}`),
	};
}

const validEntry = (batch: string) => `${batch} valid`;

/** A digest of the customers in any order: all that a crash leaves to know a batch by. */
function nameOf(plans: readonly SendPlan[]): string {
	const hash = createHash('sha256');
	for (const digest of plans.map((plan) => plan.digest).sort()) hash.update(digest);
	return `batch ${hash.digest('base64url').slice(0, 16)}`;
}

/** Gives each customer a key that holds for this batch only. Returns the batch's name: that of the failed run, if known. */
function nameBatch(plans: readonly SendPlan[], failedRun: string | undefined): string {
	const batch = failedRun === undefined ? nameOf(plans) : `batch ${failedRun}`;
	for (const { customer, digest } of plans) customer.key = `${batch} ${digest}`;
	return batch;
}

/**
 * Whether this run goes on with one that was killed: n8n 1 in queue mode runs a killed worker's execution again under the
 * same ID, also if this node had ended by then, and Retry runs it under a new one. Otherwise what an earlier run with the
 * same customers has left is removed.
 */
async function isSecondRun(
	node: IExecuteFunctions,
	batch: string,
	plans: readonly SendPlan[],
	store: EntryStore,
): Promise<boolean> {
	const run = `${batch} run ${node.getExecutionId()} ${node.getWorkflowDataProxy(0).$runIndex}`;
	const valid = [validEntry(batch), validEntry(run)];
	const hasRun = (await store.add([run])).has(run);
	const before = hasRun ? validEntry(run) : validEntry(batch);
	if ((hasRun || node.getMode() === 'retry') && (await store.add(valid)).has(before)) return true;
	// Until the leftovers are gone, nothing is valid: a kill in between must not make them count.
	await store.remove(valid);
	for (let from = 0; from < plans.length; from += REMOVED_AT_ONCE) {
		const keys = plans.slice(from, from + REMOVED_AT_ONCE).map(({ customer }) => customer.key ?? '');
		await store.remove(keys.map(sentEntry));
	}
	await store.add(valid);
	return false;
}
