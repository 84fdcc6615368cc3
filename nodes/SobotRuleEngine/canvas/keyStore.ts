// Opens the ledger of a batch. Its store is n8n's deduplication table of the node.
import { createHash } from 'crypto';
import type { ICheckProcessedOptions, IExecuteFunctions } from 'n8n-workflow';
import { systemClock } from '../../sobot/clock';
import { LateLedger } from '../../sobot/lateLedger';
import { Ledger, sentEntry, type EntryStore, type SendLedger } from '../../sobot/ledger';
import { claimsOf } from '../../sobot/shared';
import type { Options } from './options';
import type { Plan } from './plan';
import type { RetryMemory } from './retryMemory';

/** Tells a user's idempotency keys from those of a batch without them. */
export const USER_KEY = 'key ';

/** Entries beside those of the keys to remember: for calls in flight, and for keys that are only looked at. */
const SPARE_ENTRIES = 1000;
/** How many keys one write removes. */
const REMOVED_AT_ONCE = 500;

/** How often a write is attempted that must not fail. */
const WRITE_ATTEMPTS = 5;
/** Pause between two attempts, in ms. */
const WRITE_PAUSE_MS = 300;

/**
 * Entries for which a batch without keys leaves room, one for each customer. Beyond them n8n drops the node's oldest, which
 * may be those of a larger batch that crashed. Not more, since each write costs the length of the list.
 */
const ROOM_WITHOUT_KEYS = 50_000;

/** The table of the node, with room for this many entries. n8n writes it at once and shares it among all its processes. */
function deduplicationTable(node: IExecuteFunctions, room: number): EntryStore {
	const options: ICheckProcessedOptions = { mode: 'entries', maxEntries: room + SPARE_ENTRIES };
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

/** Whether n8n has a table for this node: only those of saved workflows have one. */
export function hasTable(node: IExecuteFunctions): boolean {
	const { id } = node.getWorkflow();
	return typeof id === 'string' && id !== '' && id !== '__EMPTY__';
}

/** A batch's ledger, and how to close it. */
export interface OpenLedger {
	readonly ledger: SendLedger;
	/** Stores the last outcomes. */
	close(): Promise<void>;
	/** Whether anything was stored. */
	isOpen(): boolean;
}

/**
 * The ledger of a batch: with the user's keys, or else one that only Retry and another try after a crash consult. Undefined
 * if the batch needs none. Rejects if n8n cannot store it.
 *
 * @param plans all customers of the batch, also those of whom an earlier try has settled: they give the batch its name
 * @param memory learns whether this try follows one that crashed
 */
export async function openLedger(
	node: IExecuteFunctions,
	plans: readonly Plan[],
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
	// A batch that is expected to be sent within a second needs no ledger, unless it takes longer.
	const isLong = plans.length >= options.requestsPerSecond;
	const isAtOnce = hasKeys(plans) || node.getMode() === 'retry' || isLong;
	// Whom an earlier try has sent is not in the ledger yet, if that try was short.
	const early = memory.tries > 1 ? customersOf(plans).filter(({ result }) => result) : [];
	const ledger = isAtOnce ? await open() : new LateLedger(open, systemClock, early);
	return { ledger, close: async () => await ledger.close(), isOpen: () => isOpen };
}

const customersOf = (plans: readonly Plan[]) =>
	plans.flatMap((plan) => (plan.kind === 'send' ? [plan.customer] : []));

/** Makes the ledger's record of a batch without keys invalid: a run that has ended did not crash. */
export async function closeRecord(
	node: IExecuteFunctions,
	plans: readonly Plan[],
	options: Options,
): Promise<void> {
	if (hasKeys(plans) || !hasTable(node)) return;
	const { store, claims } = tableOf(node, plans, options, true);
	await claims.inTurn(async () => await insist(async () => await store.remove([validEntry(nameOf(plans))])));
}

/**
 * Notes that this run has had a try. Returns whether one was noted before that n8n no longer knows: n8n 1 runs an execution
 * again under the same ID if its worker was killed. Rejects if n8n cannot tell.
 */
export async function noteTry(
	node: IExecuteFunctions,
	plans: readonly Plan[],
	options: Options,
): Promise<boolean> {
	if (hasKeys(plans) || !hasTable(node)) return false;
	const { store, claims } = tableOf(node, plans, options, true);
	const run = runEntry(node, nameOf(plans));
	return await claims.inTurn(async () => (await store.add([run])).has(run));
}

/** Attempts a write several times: a record that could not be closed would be taken for that of a crash. */
async function insist(write: () => Promise<void>): Promise<void> {
	for (let attemptsLeft = WRITE_ATTEMPTS - 1; attemptsLeft > 0; attemptsLeft--) {
		try {
			return await write();
		} catch {
			await systemClock.sleep(WRITE_PAUSE_MS);
		}
	}
	await write();
}

/** Whether the user gives the keys. A batch without them gets keys of its own in `nameBatch`. */
const hasKeys = (plans: readonly Plan[]) =>
	plans.some((plan) => plan.kind === 'send' && plan.customer.key?.startsWith(USER_KEY) === true);

async function openNow(
	node: IExecuteFunctions,
	plans: readonly Plan[],
	options: Options,
	memory: RetryMemory,
): Promise<Ledger> {
	const isForBatch = !hasKeys(plans);
	const { store, claims } = tableOf(node, plans, options, isForBatch);
	// The node context of a failed run holds everyone it has sent: its record needs no name that is known after a crash.
	const { failedRun } = memory;
	const isFailedRun = node.getMode() === 'retry' && failedRun !== undefined && !memory.isAfterCrash;
	const batch = isFailedRun ? `batch ${failedRun}` : nameOf(plans);
	if (isForBatch) nameBatch(plans, batch);
	const isConsulted =
		!isForBatch ||
		isFailedRun ||
		(await claims.inTurn(async () => await beginRecord(node, batch, plans, memory, store)));
	return new Ledger({
		store,
		claims,
		clock: systemClock,
		isConsulted,
		isForBatch,
		sendsDoubtful: options.unknownOutcome === 'sendAgain',
	});
}

/** Begins the record of a batch that is named after its customers. Returns whether it continues that of a crash. */
async function beginRecord(
	node: IExecuteFunctions,
	batch: string,
	plans: readonly Plan[],
	memory: RetryMemory,
	store: EntryStore,
): Promise<boolean> {
	const run = runEntry(node, batch);
	// This try knows from the node context whom the earlier ones have sent. Another execution may have begun its own record.
	if (memory.tries > 1 && !memory.isAfterCrash) {
		await store.add([run, validEntry(batch), validEntry(run)]);
		return false;
	}
	const isRetry = node.getMode() === 'retry';
	const isContinued = await continueAfterCrash(batch, run, isRetry, plans, store);
	if (!isRetry) memory.isAfterCrash = isContinued;
	return isContinued;
}

const runEntry = (node: IExecuteFunctions, batch: string) =>
	`${batch} run ${node.getExecutionId()} ${node.getWorkflowDataProxy(0).$runIndex}`;

function tableOf(
	node: IExecuteFunctions,
	plans: readonly Plan[],
	{ idempotencyHistory }: Options,
	isForBatch: boolean,
) {
	// Two entries for each key or customer.
	const needed = 2 * Math.max(idempotencyHistory, plans.length);
	const maxEntries = isForBatch ? Math.max(needed, ROOM_WITHOUT_KEYS) : needed;
	return {
		store: deduplicationTable(node, maxEntries),
		claims: claimsOf(`${node.getWorkflow().id}\n${node.getNode().id}`),
	};
}

const validEntry = (batch: string) => `${batch} valid`;

/** A digest of all contact IDs in any order: a crash leaves nothing else by which a batch is known. */
function nameOf(plans: readonly Plan[]): string {
	const contactIds = plans.map(({ contactId = '' }) => contactId).sort();
	const digest = createHash('sha256').update(JSON.stringify(contactIds)).digest('base64url');
	return `batch ${digest.slice(0, 16)}`;
}

/** Gives each customer a key that holds for this batch only. */
function nameBatch(plans: readonly Plan[], batch: string): void {
	for (const plan of plans) if (plan.kind === 'send') plan.customer.key = `${batch} ${plan.digest}`;
}

/**
 * Continues the record of a try that was killed, and returns whether there is one: n8n 1 in queue mode runs a killed worker's
 * execution again under the same ID, also if this node had ended by then, and Retry makes a new execution. Otherwise removes
 * what an earlier batch with the same customers has left.
 */
async function continueAfterCrash(
	batch: string,
	run: string,
	isRetry: boolean,
	plans: readonly Plan[],
	store: EntryStore,
): Promise<boolean> {
	const valid = [validEntry(batch), validEntry(run)];
	const wasTried = (await store.add([run])).has(run);
	const before = wasTried ? validEntry(run) : validEntry(batch);
	if ((wasTried || isRetry) && (await store.add(valid)).has(before)) return true;
	// Until the leftovers are gone, nothing is valid: a kill in between must not make them count.
	await insist(async () => await store.remove(valid));
	const customers = customersOf(plans);
	for (let from = 0; from < customers.length; from += REMOVED_AT_ONCE) {
		const keys = customers.slice(from, from + REMOVED_AT_ONCE).map(({ key = '' }) => sentEntry(key));
		await insist(async () => await store.remove(keys));
	}
	await store.add(valid);
	return false;
}
