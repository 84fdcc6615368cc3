// What became of a batch, kept in n8n's node context: n8n stores it with an execution that failed or was stopped, and hands
// it back to Retry and to Retry On Fail. It holds digests only, since any expression of the workflow can read it.
import { createHash, randomBytes } from 'crypto';
import type { Result } from '../../sobot/delivery';
import { LOOK_FIRST, MAY_OR_MAY_NOT } from '../../sobot/returnCodes';

/** 96 bits in base64url: for a million customers, two alike are as likely as 1 in 10^17. */
const DIGEST_LENGTH = 16;

/** The account of one run of the node. */
interface Account {
	/** tells this run from every other */
	id: string;
	/** digests of the customers on the canvas, one after the other */
	accepted: string;
	/** return codes of calls whose outcome is unknown, by digest */
	unknown: Record<string, string | null>;
}

/** A customer's digest, and what became of them if anything did. */
export interface Entry {
	readonly digest: string;
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

/** The account of this run of the node, shared by all its tries. */
export class RetryMemory {
	private readonly key: string;
	private readonly id: string;
	/** names the failed run that this one goes on with, if n8n has stored one */
	readonly failedRun: string | undefined;
	private readonly accepted: ReadonlySet<string>;
	private readonly unknown: ReadonlyMap<string, string | null>;

	/**
	 * @param context the node context, an object that n8n stores with the execution
	 * @param runIndex tells this run of the node from those of other loops
	 */
	constructor(
		private readonly context: Record<string, unknown>,
		runIndex: number,
	) {
		this.key = `run${runIndex}`;
		const stored = context[this.key] as Partial<Account> | undefined;
		this.failedRun = typeof stored?.id === 'string' ? stored.id : undefined;
		this.id = this.failedRun ?? randomBytes(12).toString('base64url');
		const accepted = typeof stored?.accepted === 'string' ? stored.accepted : '';
		this.accepted = new Set(accepted.match(new RegExp(`.{${DIGEST_LENGTH}}`, 'g')));
		this.unknown = new Map(Object.entries(stored?.unknown ?? {}));
	}

	/** What an earlier try has found out about a customer who must not be sent again. */
	resultOf(digest: string): Result | undefined {
		if (this.accepted.has(digest)) {
			return { outcome: 'accepted', retCode: '000000', message: 'Accepted', advice: '' };
		}
		const retCode = this.unknown.get(digest);
		if (retCode === undefined) return undefined;
		const code = retCode === null ? '' : ` (${retCode})`;
		return {
			outcome: 'unknown',
			retCode,
			message: `An earlier try ended without a clear answer. ${MAY_OR_MAY_NOT}${code}.`,
			advice: LOOK_FIRST,
		};
	}

	/** Writes down who must not be sent again. Synchronous: n8n stores what is written while it ends an execution. */
	remember(entries: Iterable<Entry>): void {
		const account: Account = { id: this.id, accepted: '', unknown: {} };
		for (const { digest, result, isInDoubt } of entries) {
			if (result?.outcome === 'accepted' || result?.outcome === 'alreadySent') account.accepted += digest;
			else if (result?.outcome === 'unknown') account.unknown[digest] = result.retCode;
			else if (isInDoubt) account.unknown[digest] = null;
		}
		this.context[this.key] = account;
	}

	/** Forgets a run that needs no other try. */
	forget(): void {
		delete this.context[this.key];
	}
}
