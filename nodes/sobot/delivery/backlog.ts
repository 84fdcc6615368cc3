// The customers of a batch that still have to be sent, in order.
import type { Customer } from '../outcome/customer';

/** A queue: first the customers that were put back, then those that nobody has tried to send yet. */
export class Backlog {
	private readonly returned: Customer[] = [];
	private nextIndex = 0;
	private held = 0;

	constructor(private readonly customers: readonly Customer[]) {}

	/** Takes the next customer; undefined if only held customers are left, or none. */
	take(): Customer | undefined {
		return this.returned.shift() ?? this.customers[this.nextIndex++];
	}

	/** The next customers that nobody has tried to send yet, at most `count` of them. They stay in the queue. */
	untried(count: number): readonly Customer[] {
		return this.customers.slice(this.nextIndex, this.nextIndex + count);
	}

	/** Puts a customer back, to be taken next. */
	putFirst(customer: Customer): void {
		this.returned.unshift(customer);
	}

	/** Puts a customer back, to be taken after the others that were put back. */
	putLast(customer: Customer): void {
		this.returned.push(customer);
	}

	/** Puts a customer back once a promise has resolved; until then it cannot be taken. */
	async hold(customer: Customer, until: Promise<void>): Promise<void> {
		this.held++;
		await until;
		this.held--;
		this.putLast(customer);
	}

	/** How many customers were put back. */
	get returnedCount(): number {
		return this.returned.length;
	}

	/** Whether customers are held. */
	get isHolding(): boolean {
		return this.held > 0;
	}
}
