// A ledger for a batch that should end within a second: it opens only if the batch takes longer.
import type { Clock } from './clock';
import type { Customer } from './delivery';
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
	private isDue = false;
	private isClosed = false;

	/**
	 * @param open opens the ledger; rejects if n8n cannot store it
	 * @param early customers sent before the ledger is open; more are added here
	 */
	constructor(
		private readonly open: () => Promise<Ledger>,
		clock: Clock,
		private readonly early: Customer[] = [],
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

	/** Closes the ledger if it has opened. Resolves once everything is stored. */
	async close(): Promise<void> {
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
			await this.ledger.adopt(this.early);
			this.opened = this.ledger;
			return this.opened;
		} finally {
			if (!this.opened) this.opening = undefined;
		}
	}
}

const ignore = () => undefined;
