// The record of a run, kept in n8n's node context: n8n stores it with an execution that failed or was stopped, and hands it
// to the next try and to the execution that Retry makes. It holds digests only, since any expression of the workflow can
// read it. docs/architecture.md defines execution, run, try and batch.
import { createHash, randomBytes } from 'crypto';
import type { Found } from '../../sobot/batchRecord';
import { isSent, type Result } from '../../sobot/delivery';
import { LOOK_FIRST, MAY_OR_MAY_NOT, withCode } from '../../sobot/returnCodes';

/** 96 bits in base64url: for a million customers, two alike are as likely as 1 in 10^17. */
const DIGEST_LENGTH = 16;

/** The ledger's record of a batch without idempotency keys. */
export interface BatchOfRun {
	readonly name: string;
	/** how many entries the store has room for */
	readonly room: number;
	/** whether only this execution and its Retries can find it, so that it never has to be closed */
	readonly isKept: boolean;
	/** what it said before this run */
	readonly found: Found;
	/** `beginning`: it may be open, and holds nobody */
	readonly state: 'read' | 'beginning' | 'begun';
}

/** The record of one run, as n8n stores it. */
interface RunRecord {
	/** identifies the run, and those that continue it after Retry */
	id: string;
	/** digests of the customers on the canvas, one after the other */
	accepted: string;
	/** return codes of calls whose outcome is unknown, by digest */
	unknown: Record<string, string | null>;
	/** the items of both, as ranges: the first, the last, ... */
	items: number[];
	/** whether only the ledger knows whom an earlier execution or try has sent */
	mayFollowCrash: boolean;
	/** whether Retry has begun with nothing but the ledger, here or in an execution before */
	isOrphan: boolean;
	/** the record in the ledger that this run has found or begun */
	batch?: BatchOfRun;
	/** how many tries the run has had in this execution */
	tries: { execution: string; count: number };
}

/** A customer's digest, and what became of them if anything did. */
export interface CustomerState {
	/** index of the item */
	readonly index: number;
	/** undefined if the item could not be read */
	readonly digest?: string;
	readonly result?: Result;
	readonly isInDoubt?: boolean;
}

/**
 * Identifies a customer on a canvas without naming them.
 *
 * @param occurrence how often the same customer came before in this batch
 */
export function digestOf(canvas: string, contactId: string, occurrence: number): string {
	return createHash('sha256')
		.update(JSON.stringify([canvas, contactId, occurrence]))
		.digest('base64url')
		.slice(0, DIGEST_LENGTH);
}

/** Where the node context holds the index of the node's first run. */
const FIRST_RUN = 'firstRun';
/** Where it holds the digests of all customers, if Retry has begun without a context, as after a crash. */
const MET = 'met';

/** The record of this run. Its earlier tries include, after Retry, those of the runs that it continues. */
export class RetryMemory {
	private readonly key: string;
	/** which run of the node this is, from 0; the same after Retry */
	readonly run: number;
	private readonly id: string;
	/** identifies the failed run that this one continues, if n8n has stored one */
	readonly failedRun: string | undefined;
	private readonly accepted: ReadonlySet<string>;
	private readonly unknown: ReadonlyMap<string, string | null>;
	private readonly items: ReadonlySet<number>;
	/** how many tries the run has had in this execution, including this one */
	readonly tries: number;
	/** whether only the ledger knows whom an earlier execution or try has sent */
	mayFollowCrash: boolean;
	/**
	 * whether Retry has begun with nothing but the ledger, here or in an execution before: the first one crashed, another node
	 * failed, or this one could not read the ledger
	 */
	readonly isOrphan: boolean;
	/** the record in the ledger that this run has found or begun in this execution */
	batch?: BatchOfRun;
	/** the same of the execution before Retry, if it has left its own open */
	readonly inherited?: BatchOfRun;

	/**
	 * @param context the node context, an object that n8n stores with the execution
	 * @param runIndex n8n's `$runIndex`: tells this run from the others of its execution, in a loop. After a crash n8n can begin
	 *   with 1, since it also counts a run that it knows from its log only
	 * @param executionId tells the tries of Retry On Fail from those of an execution before Retry
	 * @param isRetry whether this is n8n's Retry of an execution, which may have crashed
	 */
	constructor(
		private readonly context: Record<string, unknown>,
		runIndex: number,
		private readonly executionId: string,
		isRetry: boolean,
	) {
		this.key = `run${runIndex}`;
		if (isRetry && context[FIRST_RUN] === undefined) context[MET] = '';
		context[FIRST_RUN] ??= runIndex;
		this.run = runIndex - Number(context[FIRST_RUN]);
		const stored = context[this.key] as Partial<RunRecord> | undefined;
		this.failedRun = typeof stored?.id === 'string' ? stored.id : undefined;
		this.id = this.failedRun ?? randomBytes(12).toString('base64url');
		const accepted = typeof stored?.accepted === 'string' ? stored.accepted : '';
		this.accepted = new Set(digestsIn(accepted));
		this.unknown = new Map(Object.entries(stored?.unknown ?? {}));
		this.items = new Set(inRanges(stored?.items));
		const { execution, count = 0 } = stored?.tries ?? {};
		this.tries = execution === executionId ? count + 1 : 1;
		// Once the ledger alone knows, the run keeps that record.
		const isUnread = isRetry && this.tries === 1 && stored?.mayFollowCrash === true;
		this.isOrphan = stored ? stored.isOrphan === true || isUnread : isRetry;
		this.mayFollowCrash = stored?.mayFollowCrash === true || (this.tries === 1 && this.isOrphan);
		if (this.tries > 1) this.batch = stored?.batch;
		else this.inherited = stored?.batch;
	}

	/** How many customers earlier tries have put on the canvas, and left in doubt. */
	get earlier(): { accepted: number; unknown: number } {
		return { accepted: this.accepted.size, unknown: this.unknown.size };
	}

	/**
	 * The digests of all customers that this Retry has had in earlier runs and tries. Undefined if it has begun where the
	 * execution before it had failed: then its runs are the same.
	 */
	get met(): ReadonlySet<string> | undefined {
		const met = this.context[MET];
		return typeof met === 'string' ? new Set(digestsIn(met)) : undefined;
	}

	/** Forgets them: no run before this Retry has sent anybody, so nobody need be looked up in other runs. */
	forgetMet(): void {
		delete this.context[MET];
	}

	/** Adds customers of this run to those met. */
	meet(digests: readonly string[]): void {
		const { met } = this;
		if (met) this.context[MET] = [...new Set([...met, ...digests])].join('');
	}

	/** Whether an earlier try has put the customer of this item on a canvas, or may have. */
	mayHaveSent(index: number): boolean {
		return this.items.has(index);
	}

	/** What an earlier try has found out about a customer who must not be sent again. */
	earlierResult(digest: string): Result | undefined {
		if (this.accepted.has(digest)) {
			return { outcome: 'accepted', retCode: '000000', message: 'Accepted', advice: '' };
		}
		const retCode = this.unknown.get(digest);
		if (retCode === undefined) return undefined;
		return {
			outcome: 'unknown',
			retCode,
			message: withCode(`An earlier try ended without a clear answer. ${MAY_OR_MAY_NOT}.`, retCode),
			advice: LOOK_FIRST,
		};
	}

	/**
	 * Adds the customers that must not be sent again to those of earlier tries. Called without customers before anything is
	 * sent, so that Retry can tell an execution that failed from one that crashed. Synchronous: n8n stores changes that are
	 * made while it ends an execution.
	 */
	remember(customers: Iterable<CustomerState> = []): void {
		const accepted = new Set(this.accepted);
		const unknown = new Map(this.unknown);
		const items = new Set(this.items);
		for (const { index, digest, result, isInDoubt } of customers) {
			const isAccepted = isSent(result?.outcome);
			const isUnknown = result?.outcome === 'unknown';
			if (!isAccepted && !isUnknown && !isInDoubt) continue;
			items.add(index);
			if (digest === undefined) continue;
			if (isAccepted) accepted.add(digest);
			else unknown.set(digest, isUnknown ? result.retCode : null);
			if (isAccepted) unknown.delete(digest);
		}
		this.context[this.key] = {
			id: this.id,
			accepted: [...accepted].join(''),
			unknown: Object.fromEntries(unknown),
			items: toRanges(items),
			mayFollowCrash: this.mayFollowCrash,
			isOrphan: this.isOrphan,
			batch: this.batch ?? this.inherited,
			tries: { execution: this.executionId, count: this.tries },
		} satisfies RunRecord;
	}

	/** Deletes the record of a run that needs no other try. */
	forget(): void {
		delete this.context[this.key];
	}
}

const digestsIn = (text: string): string[] => text.match(new RegExp(`.{${DIGEST_LENGTH}}`, 'g')) ?? [];

function toRanges(numbers: Iterable<number>): number[] {
	const ranges: number[] = [];
	for (const n of [...numbers].sort((a, b) => a - b)) {
		if (ranges.length > 0 && ranges.at(-1) === n - 1) ranges[ranges.length - 1] = n;
		else ranges.push(n, n);
	}
	return ranges;
}

function* inRanges(ranges: unknown): Generator<number> {
	if (!Array.isArray(ranges)) return;
	for (let i = 0; i + 1 < ranges.length; i += 2) {
		const [first, last] = [Number(ranges[i]), Number(ranges[i + 1])];
		for (let n = first; n <= last; n++) yield n;
	}
}
