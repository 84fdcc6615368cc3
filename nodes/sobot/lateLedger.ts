// A ledger for a batch that should end within a second: it opens only if the batch takes longer.
import type { Clock } from './clock';
import { isSent, type Customer } from './delivery';
import type { Ledger, SendLedger } from './ledger';

/** The ledger opens after this many ms. */
const OPENS_AFTER_MS = 1000;

/**
 * Until the ledger is open, it only notes who is sent: a crash within the first second leaves no record of the batch.
 */
export class LateLedger implements SendLedger {
	readonly hasUserKeys = false;
	private ledger?: Ledger;
	/** the same ledger, once it has stored the early customers */
	private opened?: Ledger;
	private opening?: Promise<Ledger>;
	private isClosed = false;

	/**
	 * @param open opens the ledger; rejects if n8n cannot store it
	 * @param early customers sent before the ledger is open; more are added here
	 * @param isDue whether the ledger opens before another customer is sent
	 */
	constructor(
		private readonly open: () => Promise<Ledger>,
		clock: Clock,
		private early: Customer[] = [],
		private isDue = false,
	) {
		void clock
			.sleep(OPENS_AFTER_MS)
			.then(async () => {
				this.isDue = true;
				if (!this.isClosed) await this.openOnce();
			}, ignore)
			.catch(ignore);
	}

	blockedUntil(customer: Customer): Promise<void> | undefined {
		return this.opened?.blockedUntil(customer);
	}

	/** Admits the first customer, which is sent next. Rejects if the ledger is due and cannot be opened. */
	async admit(customers: readonly Customer[]): Promise<void> {
		if (this.isDue) return await (await this.openOnce()).admit(customers);
		const [next] = customers;
		if (!next) return;
		next.isAdmitted = true;
		this.early.push(next);
	}

	record(customer: Customer): void {
		this.opened?.record(customer);
	}

	/**
	 * Closes the ledger. Resolves once everything is stored. Never rejects.
	 *
	 * @param isTriedAgain whether the batch goes on in another try; otherwise a ledger that has not opened stores nothing
	 */
	async close(isTriedAgain = false): Promise<void> {
		if (isTriedAgain) {
			// Nobody is sent any more: whoever has waited for that needs no entry.
			this.early = this.early.filter(({ result, firstSentMs }) => result || firstSentMs !== undefined);
			await this.openOnce().catch(ignore);
		}
		this.isClosed = true;
		await this.opening?.catch(ignore);
		await this.ledger?.close();
	}

	private async openOnce(): Promise<Ledger> {
		if (this.opened) return this.opened;
		this.opening ??= this.openAndAdopt();
		return await this.opening;
	}

	private async openAndAdopt(): Promise<Ledger> {
		try {
			this.ledger ??= await this.open();
			await this.ledger.adopt(this.early.filter(mayBeOnCanvas));
			this.opened = this.ledger;
			return this.opened;
		} finally {
			if (!this.opened) this.opening = undefined;
		}
	}
}

/** Whoever is certainly not on the canvas needs no entry. */
const mayBeOnCanvas = ({ result }: Customer) =>
	!result || isSent(result.outcome) || result.outcome === 'unknown';

const ignore = () => undefined;
