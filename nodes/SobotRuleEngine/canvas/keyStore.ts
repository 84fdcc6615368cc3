// n8n's deduplication table for this node, as the ledger's store, and who is in the ledger.
import { createHash } from 'crypto';
import type { ICheckProcessedOptions, IExecuteFunctions } from 'n8n-workflow';
import { systemClock } from '../../sobot/clock';
import { LateLedger } from '../../sobot/lateLedger';
import { Ledger, sentEntry, type EntryStore, type SendLedger } from '../../sobot/ledger';
import { claimsOf } from '../../sobot/shared';
import type { Options } from './options';
import type { SendPlan } from './plan';
import type { RetryMemory } from './retryMemory';

/** Tells a user's idempotency keys from those of a batch without them. */
export const USER_KEY = 'key ';

/** Entries beside those of the keys to remember: for calls in flight, and for keys that are only looked at. */
const SPARE_ENTRIES = 1000;
const REMOVED_AT_ONCE = 500;

/**
 * Room that a batch without keys leaves, in entries, one for each customer: n8n drops the oldest ones of the node, which may
 * be those of a larger batch that crashed. Each write costs the length of the list.
 */
const ROOM_WITHOUT_KEYS = 50_000;

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
	readonly ledger: SendLedger;
	/** Stores the last outcomes. */
	close(): Promise<void>;
	/** Whether anything was stored. */
	isOpen(): boolean;
}

/**
 * The ledger of a batch: with the user's keys, or else one that only Retry and a second run of the same execution consult.
 * Undefined if the batch needs none. Rejects if n8n cannot store it.
 *
 * @param plans all customers of the batch, also those of whom an earlier try has settled: they give the batch its name
 * @param memory learns whether the run continues one that crashed
 */
export async function openLedger(
	node: IExecuteFunctions,
	plans: readonly SendPlan[],
	options: Options,
	memory: RetryMemory,
): Promise<OpenLedger | undefined> {
	if (!hasTable(node)) return undefined;
	let isOpen = false;
	const open = async () => {
		const ledger = await openNow(node, plans, options, memory);
		isOpen = true;
		return ledger;
	};
	const isAtOnce = hasKeys(plans) || node.getMode() === 'retry' || isLong(plans, options);
	const ledger = isAtOnce ? await open() : new LateLedger(open, systemClock);
	return { ledger, close: async () => await ledger.close(), isOpen: () => isOpen };
}

/** Lets the account of a batch without keys no longer count: a run that has ended is no crash. */
export async function closeAccount(
	node: IExecuteFunctions,
	plans: readonly SendPlan[],
	options: Options,
): Promise<void> {
	if (hasKeys(plans) || !hasTable(node)) return;
	const { store, claims } = tableOf(node, plans, options, true);
	await claims.inTurn(async () => await store.remove([validEntry(nameOf(plans))]));
}

/** Whether the user gives the keys. A batch without them gets keys of its own in `nameBatch`. */
const hasKeys = (plans: readonly SendPlan[]) =>
	plans.some(({ customer }) => customer.key?.startsWith(USER_KEY) === true);

async function openNow(
	node: IExecuteFunctions,
	plans: readonly SendPlan[],
	options: Options,
	memory: RetryMemory,
): Promise<Ledger> {
	const isForBatch = !hasKeys(plans);
	const { store, claims } = tableOf(node, plans, options, isForBatch);
	const isRetry = node.getMode() === 'retry';
	// The node context of a failed run holds all that it has sent, so that one needs no account but its own.
	const { failedRun } = memory;
	const isFailedRun = isRetry && failedRun !== undefined && !memory.isAfterCrash;
	const batch = isFailedRun ? `batch ${failedRun}` : nameOf(plans);
	if (isForBatch) nameBatch(plans, batch);
	const run = `${batch} run ${node.getExecutionId()} ${node.getWorkflowDataProxy(0).$runIndex}`;
	const isConsulted =
		!isForBatch ||
		isFailedRun ||
		(await claims.inTurn(async () => await isSecondRun(batch, run, isRetry, plans, store)));
	// A second try of the same execution finds the account of the first one.
	if (memory.tries === 1) memory.isAfterCrash = isForBatch && !isFailedRun && isConsulted;
	return new Ledger({
		store,
		claims,
		clock: systemClock,
		isConsulted,
		isForBatch,
		sendsDoubtful: options.unknownOutcome === 'sendAgain',
	});
}

/** A batch that is expected to be sent within a second needs no ledger, unless it takes longer. */
function isLong(plans: readonly SendPlan[], { requestsPerSecond }: Options): boolean {
	return plans.length >= requestsPerSecond;
}

function tableOf(
	node: IExecuteFunctions,
	plans: readonly SendPlan[],
	{ idempotencyHistory }: Options,
	isForBatch: boolean,
) {
	// Two entries for each key or customer.
	const needed = 2 * Math.max(idempotencyHistory, plans.length);
	const most = isForBatch ? Math.max(needed, ROOM_WITHOUT_KEYS) : needed;
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

/** Gives each customer a key that holds for this batch only. */
function nameBatch(plans: readonly SendPlan[], batch: string): void {
	for (const { customer, digest } of plans) customer.key = `${batch} ${digest}`;
}

/**
 * Whether this run goes on with one that was killed: n8n 1 in queue mode runs a killed worker's execution again under the
 * same ID, also if this node had ended by then, and Retry runs it under a new one. Otherwise what an earlier run with the
 * same customers has left is removed.
 */
async function isSecondRun(
	batch: string,
	run: string,
	isRetry: boolean,
	plans: readonly SendPlan[],
	store: EntryStore,
): Promise<boolean> {
	const valid = [validEntry(batch), validEntry(run)];
	const hasRun = (await store.add([run])).has(run);
	const before = hasRun ? validEntry(run) : validEntry(batch);
	if ((hasRun || isRetry) && (await store.add(valid)).has(before)) return true;
	// Until the leftovers are gone, nothing is valid: a kill in between must not make them count.
	await store.remove(valid);
	for (let from = 0; from < plans.length; from += REMOVED_AT_ONCE) {
		const keys = plans.slice(from, from + REMOVED_AT_ONCE).map(({ customer }) => customer.key ?? '');
		await store.remove(keys.map(sentEntry));
	}
	await store.add(valid);
	return false;
}
