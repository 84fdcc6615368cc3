// An account at Sobot that several programs use, in simulated time: each new token ends the one before.
import type { Token } from '../../nodes/sobot/account/account';
import { TokenError } from '../../nodes/sobot/token/tokenApi';
import { TokenSession, type TokenStore } from '../../nodes/sobot/token/tokenSession';
import { SimulatedClock } from '../support/clock.mts';

const LIMIT = 50;
const SLOT_MS = 1000 / LIMIT;

/** Simulated time with reproducible chance. */
export class SeededClock extends SimulatedClock {
	constructor(private seed: number) {
		super();
	}

	override random(): number {
		this.seed = (this.seed * 1_103_515_245 + 12_345) % 2_147_483_648;
		return this.seed / 2_147_483_648;
	}
}

export class SharedAccount {
	alive: string | undefined = 'token-0';
	/** moments of the token requests of the package, without those of neighbors */
	readonly requestsMs: number[] = [];
	readonly accepted: string[] = [];
	/** Sobot's answer to every call, whatever its token: for a proxy that strips or changes the header */
	answersAll: string | undefined;
	isNeighborActive = true;
	private issued = 0;

	constructor(
		readonly clock: SimulatedClock,
		readonly oneWayMs = 15,
	) {}

	issue(): string {
		this.alive = `token-${++this.issued}`;
		return this.alive;
	}

	async getToken(): Promise<Token> {
		await this.clock.sleep(this.oneWayMs);
		this.requestsMs.push(this.clock.nowMs());
		const value = this.issue();
		await this.clock.sleep(this.oneWayMs + 20);
		return { value, fetchedAtMs: this.clock.epochMs(), expiresAtMs: this.clock.epochMs() + 86_400_000 };
	}

	/** Sobot's code for a customer's call. */
	async call(token: string, customer: string): Promise<string> {
		await this.clock.sleep(this.oneWayMs);
		const code = this.answersAll ?? (token === this.alive ? '000000' : '900002');
		if (code === '000000') this.accepted.push(customer);
		await this.clock.sleep(this.oneWayMs);
		return code;
	}

	/** Another program that fetches a token for each of its own calls. */
	async neighbor(callsPerSecond: number): Promise<void> {
		while (this.isNeighborActive) {
			this.issue();
			await this.clock.sleep(1000 / callsPerSecond);
		}
	}
}

/** n8n's database: one credential of the account. */
export class CredentialStore implements TokenStore {
	stored: Token | undefined;

	constructor(private readonly account: SharedAccount) {}

	async read(): Promise<Token | undefined> {
		await this.account.clock.sleep(2);
		return this.stored;
	}

	async renew(): Promise<Token> {
		this.stored = await this.account.getToken();
		return this.stored;
	}
}

export interface BatchResult {
	failures: TokenError[];
	seconds: number;
}

interface Customer {
	name: string;
	firstTriedMs?: number;
}

/**
 * A batch as the node sends it: 50 a second at most, and calls overlap. Customers whose call was refused for its token
 * go to the front of the queue. The batch ends with a permanent TokenError, or when a customer has been tried for
 * `giveUpMs`.
 */
export class Batch {
	private readonly queue: Customer[];
	private readonly startedMs: number;
	private end: TokenError | undefined;
	private inFlight = 0;
	private pauseMs = 0;
	private pauseEndMs = 0;
	private nextSlotMs = 0;

	constructor(
		private readonly account: SharedAccount,
		private readonly session: TokenSession,
		private readonly store: TokenStore,
		private readonly customers: readonly string[],
		private readonly giveUpMs = 300_000,
	) {
		this.queue = customers.map((name) => ({ name }));
		this.startedMs = account.clock.nowMs();
	}

	async run(): Promise<BatchResult> {
		const { clock } = this.account;
		while (!this.end) {
			const customer = this.queue.shift();
			if (customer) await this.send(customer);
			else if (this.inFlight === 0) break;
			else await clock.sleep(5);
		}
		while (this.inFlight > 0) await clock.sleep(5);
		const accepted = new Set(this.account.accepted);
		const unsent = this.customers.filter((name) => !accepted.has(name));
		const failures = unsent.flatMap(() => (this.end ? [this.end] : []));
		return { failures, seconds: (clock.nowMs() - this.startedMs) / 1000 };
	}

	private async send(customer: Customer): Promise<void> {
		const { clock } = this.account;
		const { session, store } = this;
		await clock.sleep(Math.max(0, this.pauseEndMs - clock.nowMs()));
		try {
			const token = session.ready(store) ?? (await session.token(store));
			await clock.sleep(Math.max(0, this.nextSlotMs - clock.nowMs()));
			if (!session.isCurrent(token)) return void this.queue.unshift(customer);
			this.nextSlotMs = Math.max(this.nextSlotMs, clock.nowMs() - SLOT_MS) + SLOT_MS;
			this.inFlight++;
			void this.attempt(customer, token).finally(() => this.inFlight--);
		} catch (error) {
			this.onTokenError(customer, error);
		}
	}

	private async attempt(customer: Customer, token: Token): Promise<void> {
		const { session, store } = this;
		customer.firstTriedMs ??= this.account.clock.nowMs();
		const code = await this.account.call(token.value, customer.name);
		if (code === '000000') {
			this.pauseMs = 0;
			return session.confirm(token);
		}
		try {
			await session.replace(token, store, undefined, code);
			this.retry(customer, new TokenError('Sobot says that the token has expired.', '', code, true));
		} catch (error) {
			this.onTokenError(customer, error);
		}
	}

	/** Nothing is sent for a while, as in any outage. */
	private onTokenError(customer: Customer, error: unknown): void {
		const { clock } = this.account;
		if (!(error instanceof TokenError)) throw error;
		if (clock.nowMs() >= this.pauseEndMs) {
			this.pauseMs = Math.min(this.pauseMs * 2 || 500, 10_000);
			this.pauseEndMs = clock.nowMs() + this.pauseMs;
		}
		if (error.transient) this.retry(customer, error);
		else this.end = error;
	}

	private retry(customer: Customer, error: TokenError): void {
		const { clock } = this.account;
		const hasTime = clock.nowMs() - (customer.firstTriedMs ?? clock.nowMs()) < this.giveUpMs;
		if (hasTime) this.queue.unshift(customer);
		else this.end = this.session.contention ?? error;
	}
}
