// The ledger of one run: with the user's idempotency keys, or else with a record of the batch for Retry after a crash.
import { createHash } from 'crypto';
import type { IExecuteFunctions } from 'n8n-workflow';
import { BatchRecord, type Found } from '../../sobot/batchRecord';
import { systemClock } from '../../sobot/clock';
import type { Customer } from '../../sobot/delivery';
import { LateLedger } from '../../sobot/lateLedger';
import { Ledger, type SendLedger } from '../../sobot/ledger';
import { claimsOf } from '../../sobot/shared';
import { deduplicationTable, hasTable, USER_KEY } from './deduplicationTable';
import type { Options } from './options';
import type { Plan, SendPlan } from './plan';
import type { BatchOfRun, RetryMemory } from './retryMemory';

/**
 * Entries for which a batch without keys leaves room: two for each customer, or one before n8n 2.14. Beyond them n8n drops the node's oldest, which
 * may be those of a larger batch that crashed. Not more, since each write costs the length of the list.
 */
const ROOM_WITHOUT_KEYS = 50_000;

/** A ledger, and how to store its last outcomes. */
export type OpenLedger = SendLedger & Pick<LateLedger, 'close'>;

/** What the ledger holds of a batch, and the ledger that it is sent with. */
export class RunLedger {
	private readonly hasTable: boolean;
	private readonly hasUserKeys: boolean;
	private readonly room: number;
	private readonly record: BatchRecord;
	/** whether the record belongs to a failed run and its Retries alone */
	readonly isOwn: boolean;
	/** identifies an execution and its Retries, if n8n tells: the record is theirs alone */
	private readonly lineage?: string;
	private found: Found = 'nothing';
	private failure?: { cause: unknown };
	/** whether the ledger may hold customers of this batch whom nobody has looked up */
	mayHoldSome: boolean;

	/**
	 * @param plans the whole batch, also customers of whom an earlier try has settled: before n8n 2.14, they give it its name
	 * @param memory learns what has to be known in the next try, and after Retry
	 */
	constructor(
		private readonly node: IExecuteFunctions,
		private readonly plans: readonly Plan[],
		private readonly options: Options,
		private readonly memory: RetryMemory,
	) {
		this.hasTable = hasTable(node);
		this.hasUserKeys = plans.some(
			(plan) => plan.kind === 'send' && plan.customer.key?.startsWith(USER_KEY) === true,
		);
		// Two entries for each key or customer.
		const needed = 2 * Math.max(options.idempotencyHistory, plans.length);
		this.room = this.hasUserKeys ? needed : Math.max(needed, ROOM_WITHOUT_KEYS);
		const { failedRun, mayFollowCrash, isOrphan } = memory;
		this.isOwn = this.isRetry && failedRun !== undefined && !isOrphan && !mayFollowCrash;
		this.mayHoldSome = mayFollowCrash || this.isOwn;
		this.lineage = lineageOf(node);
		const name = this.isOwn ? failedRun : digestOf([memory.run, this.lineage ?? contactIdsOf(plans)]);
		this.record = recordOf(node, memory, { name: `batch ${name}`, room: this.room }, this.lineage);
	}

	/**
	 * Finds out, before anything is sent or refused, whether only the ledger knows whom an earlier try or execution has sent. If
	 * n8n cannot tell, `open` rejects.
	 */
	async read(): Promise<void> {
		if (!this.hasTable || this.hasUserKeys) {
			this.memory.mayFollowCrash = this.mayHoldSome = false;
			return;
		}
		const { memory } = this;
		if (memory.batch && !memory.mayFollowCrash) return;
		if (!this.isRetry && this.isShort && this.plans.every(({ kind }) => kind === 'send')) return;
		await this.readNow().catch((cause: unknown) => (this.failure = { cause }));
	}

	private async readNow(): Promise<void> {
		const { memory } = this;
		// As long as it is unread.
		if (!this.isOwn) memory.mayFollowCrash = true;
		const { record, room, lineage } = this;
		const found = await record.read(this.isRetry);
		this.found = found === 'elsewhere' && !memory.met ? 'nothing' : found;
		this.mayHoldSome = this.found !== 'nothing';
		if (found === 'nothing') memory.forgetMet();
		if (this.isOwn) return;
		memory.mayFollowCrash = this.found !== 'nothing';
		memory.batch = {
			name: record.name,
			room,
			isKept: lineage !== undefined,
			found: this.found,
			state: 'read',
		};
	}

	/**
	 * Opens the ledger for the customers without a result. Settles those whom it holds already. Rejects if n8n cannot store
	 * it: then nothing may be sent.
	 */
	async open(): Promise<OpenLedger | undefined> {
		if (!this.hasTable) return undefined;
		if (this.hasUserKeys) return this.newLedger();
		if (this.unsettled.length === 0) return void this.nobodyIsLeft();
		if (this.failure) throw this.failure.cause;
		for (const { customer, digest } of this.sendPlans) {
			customer.key = this.record.keyOf(digest);
			customer.identity = this.lineage === undefined ? undefined : `${this.lineage} ${digest}`;
		}
		if (this.isRetry || !this.isShort) return await this.openNow();
		// Whom an earlier try has sent need not be in the ledger yet.
		const isLaterTry = this.memory.tries > 1;
		const early = isLaterTry ? this.customers.filter(({ result }) => result) : [];
		const openLate = async () => {
			if (!this.memory.batch) await this.readNow();
			return await this.openNow();
		};
		return new LateLedger(openLate, systemClock, early, isLaterTry || this.memory.batch !== undefined);
	}

	private async openNow(): Promise<Ledger> {
		const { memory, record, found, isOwn } = this;
		if (found !== 'nothing') {
			const { met } = memory;
			const metPlans = this.sendPlans.filter(({ digest }) => met?.has(digest) ?? true);
			const metCustomers = new Set(metPlans.map(({ customer }) => customer));
			const isMet = (customer: Customer) => metCustomers.has(customer);
			await record.lookUp(this.unsettled, found, this.options.unknownOutcome === 'sendAgain', isMet);
			this.nobodyIsLeft();
		}
		memory.meet(this.sendPlans.map(({ digest }) => digest));
		const isNew = !isOwn && memory.batch?.found === 'nothing' && memory.batch.state !== 'begun';
		if (isNew && memory.batch) memory.batch = { ...memory.batch, state: 'beginning' };
		const digests = this.plans.flatMap(({ digest }) => (digest === undefined ? [] : [digest]));
		const mayHaveLeftovers = isNew && this.lineage === undefined;
		await record.begin(mayHaveLeftovers ? digests.map((digest) => record.keyOf(digest)) : []);
		if (memory.batch) memory.batch = { ...memory.batch, state: 'begun' };
		return this.newLedger();
	}

	/** All customers are settled, or known not to be in the ledger. If no item could be read, that says nothing. */
	private nobodyIsLeft(): void {
		this.mayHoldSome = false;
		if (!this.isOwn) this.memory.mayFollowCrash = this.found !== 'nothing' && this.customers.length === 0;
	}

	private newLedger(): Ledger {
		return new Ledger({
			store: deduplicationTable(this.node, this.room),
			claims: claimsFor(this.node),
			clock: systemClock,
			// Another Retry of the same execution may run at the same time, or that execution itself: n8n can take it for crashed
			// while it sends.
			isConsulted: this.hasUserKeys || this.isRetry || this.lineage !== undefined,
			isForBatch: !this.hasUserKeys,
			marker: this.hasUserKeys ? [] : this.record.marker,
			sendsDoubtful: this.options.unknownOutcome === 'sendAgain',
		});
	}

	/** Whether the batch is expected to be sent within a second: it needs no ledger, unless it takes longer. */
	private get isShort(): boolean {
		return this.plans.length < this.options.requestsPerSecond;
	}

	private get isRetry(): boolean {
		return this.node.getMode() === 'retry';
	}

	private get unsettled() {
		return this.customers.filter(({ result, isAdmitted }) => !result && !isAdmitted);
	}

	private get customers() {
		return this.sendPlans.map(({ customer }) => customer);
	}

	private get sendPlans() {
		return this.plans.filter((plan): plan is SendPlan => plan.kind === 'send');
	}
}

/**
 * Ends the record that a run has begun, as far as another execution could find it. Never rejects.
 *
 * @param hasSucceeded whether the run has neither failed nor been stopped
 */
export async function endRecord(
	node: IExecuteFunctions,
	memory: RetryMemory,
	hasSucceeded: boolean,
): Promise<void> {
	// As long as nobody has looked up what a crash has left, it stays.
	if (memory.mayFollowCrash) return;
	const records = hasSucceeded ? [memory.batch, memory.inherited] : [memory.batch];
	for (const batch of records) {
		if (!batch || batch.isKept || (batch.state === 'read' && batch.found === 'nothing')) continue;
		const record = recordOf(node, memory, batch);
		// If n8n's database stays away, a Retry of another execution can take this record for that of a crash.
		if (!memory.isOrphan) await record.close().catch(() => undefined);
		// The first execution can be retried once more, and knows nothing of this one.
		else if (hasSucceeded || batch.found !== 'sent') await record.leave().catch(() => undefined);
	}
}

function recordOf(
	node: IExecuteFunctions,
	{ run }: RetryMemory,
	{ name, room }: Pick<BatchOfRun, 'name' | 'room'>,
	lineage?: string,
): BatchRecord {
	const runId = `${node.getExecutionId()} ${run}`;
	const store = deduplicationTable(node, room);
	return new BatchRecord(name, runId, { store, claims: claimsFor(node), clock: systemClock }, lineage);
}

const claimsFor = (node: IExecuteFunctions) => claimsOf(`${node.getWorkflow().id}\n${node.getNode().id}`);

/**
 * What an execution and all its Retries have in common, also after a crash: a digest of the token in the address that resumes
 * it, which is a secret. n8n stores it with the execution before that begins. Undefined before n8n 2.14.
 */
function lineageOf(node: IExecuteFunctions): string | undefined {
	const { resumeUrl } = node.getWorkflowDataProxy(0).$execution as { resumeUrl?: string };
	const token = /[?&]signature=([^&#]+)/.exec(resumeUrl ?? '')?.[1];
	return token === undefined ? undefined : digestOf(token);
}

/** In any order: the node before this one can read its list in another one after Retry. */
const contactIdsOf = (plans: readonly Plan[]) => plans.map(({ contactId = '' }) => contactId).sort();

function digestOf(identity: unknown): string {
	return createHash('sha256').update(JSON.stringify(identity)).digest('base64url').slice(0, 16);
}
