// Tells how far a batch has come: in n8n's log while it is sent, and in the list of executions if it ends early.
import type { IExecuteFunctions } from 'n8n-workflow';
import type { Clock } from '../../sobot/clock';
import { isSent } from '../../sobot/outcome/customer';
import type { Plan } from './plan';
import { ACCOUNTS, accountsOf, resultOfPlan } from './report';

/** How often the log gets a line, in ms. */
const LOG_EVERY_MS = 30_000;
/** How long after its end a batch may still be in memory, in ms: n8n's `sleep` cannot be ended. */
const CHECK_EVERY_MS = 1000;

/** The progress of one batch. */
export class Progress {
	private readonly sinceMs: number;
	private loggedMs: number;
	private readonly acceptedBefore: number;
	private hasEnded = false;

	constructor(
		private readonly node: IExecuteFunctions,
		private readonly plans: readonly Plan[],
		private readonly clock: Clock,
	) {
		this.sinceMs = this.loggedMs = clock.nowMs();
		this.acceptedBefore = this.counts().accepted;
		void this.watch();
	}

	/** By the clock: Sobot may answer nothing for a while. */
	private async watch(): Promise<void> {
		for (;;) {
			await this.clock.sleep(CHECK_EVERY_MS);
			if (this.hasEnded) return;
			if (this.clock.nowMs() - this.loggedMs >= LOG_EVERY_MS) this.log('is sending');
		}
	}

	/** Called at the end of the batch. */
	end(): void {
		this.hasEnded = true;
		if (this.loggedMs > this.sinceMs) this.log('has ended');
	}

	/** Shows in the list of executions and in the log what became of whom in a batch that ends early. */
	showEarlyEnd(): void {
		const { name } = this.node.getNode();
		const accounts = accountsOf(this.plans);
		try {
			this.node.logger.warn(`${name} ended early. ${accounts.map((one) => one.join(': ')).join('. ')}.`);
			const { customData } = this.node.getWorkflowDataProxy(0).$execution as {
				customData?: { get(key: string): string | undefined; set(key: string, value: string): void };
			};
			for (const [key, account] of accounts) customData?.set(key, `${name.slice(0, 80)}: ${account}`);
			// An earlier try of Retry On Fail may have shown others.
			for (const key of ACCOUNTS)
				if (!accounts.some(([shown]) => shown === key) && customData?.get(key) !== undefined)
					customData.set(key, `${name.slice(0, 80)}: no customers`);
		} catch {
			// The memory in the node context is complete without it.
		}
	}

	private log(what: string): void {
		const { sent, accepted, left } = this.counts();
		this.loggedMs = this.clock.nowMs();
		const perSecond = (accepted - this.acceptedBefore) / ((this.loggedMs - this.sinceMs) / 1000);
		const line = `${this.node.getNode().name} ${what}: ${sent} of ${this.plans.length} customers accepted, ${left} left, ${perSecond.toFixed(1)} a second`;
		try {
			this.node.logger.info(line);
		} catch {
			// A log that fails ends neither n8n nor the batch.
		}
	}

	/** How many customers are on their canvas, how many of them were not before, and how many have no result yet. */
	private counts() {
		const results = this.plans.map(resultOfPlan);
		const outcomes = results.map((result) => result?.outcome);
		return {
			sent: outcomes.filter(isSent).length,
			accepted: outcomes.filter((outcome) => outcome === 'accepted').length,
			left: results.filter((result) => !result || result.isUntold).length,
		};
	}
}
