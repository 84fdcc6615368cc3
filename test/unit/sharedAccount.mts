// An account at Sobot that several programs use, in simulated time: each new token ends the one before.
import type { Token } from '../../nodes/sobot/account';
import { TokenError } from '../../nodes/sobot/tokenApi';
import { TokenSession, type TokenStore } from '../../nodes/sobot/tokenSession';
import { SimulatedClock } from './clock.mts';

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
	/** moments of the token requests of the package, without those of neighbours */
	readonly requestsMs: number[] = [];
	readonly accepted: string[] = [];
	/** calls that arrived with a dead token */
	wasted = 0;
	/** a proxy strips the header: Sobot never sees a token */
	stripsHeader = false;
	isNeighbourActive = true;
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

	async call(token: string, customer: string): Promise<boolean> {
		await this.clock.sleep(this.oneWayMs);
		const isAlive = token === this.alive && !this.stripsHeader;
		if (isAlive) this.accepted.push(customer);
		else this.wasted++;
		await this.clock.sleep(this.oneWayMs);
		return isAlive;
	}

	/** Another program that fetches a token for each of its own calls. */
	async neighbour(callsPerSecond: number): Promise<void> {
		while (this.isNeighbourActive) {
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
	accepted: number;
	failures: TokenError[];
	seconds: number;
}

/**
 * A batch as the node sends it: 50 a second at most, calls overlap, and a customer whose call was refused for its
 * token goes to the front of the queue until `giveUpMs` after its first call.
 */
export async function sendBatch(
	account: SharedAccount,
	session: TokenSession,
	store: TokenStore,
	customers: readonly string[],
	giveUpMs = 300_000,
): Promise<BatchResult> {
	const { clock } = account;
	const startedMs = clock.nowMs();
	const queue = customers.map((name) => ({ name, firstMs: undefined as number | undefined }));
	const failures: TokenError[] = [];
	let accepted = 0;
	let nextSlotMs = clock.nowMs();
	let end: TokenError | undefined;
	let pauseMs = 0;
	let pauseEndMs = 0;

	const failed = (customer: (typeof queue)[number], error: unknown) => {
		if (!(error instanceof TokenError)) throw error;
		if (!error.transient) end = error;
		// As the node does in any outage.
		if (clock.nowMs() >= pauseEndMs) {
			pauseMs = Math.min(pauseMs * 2 || 500, 10_000);
			pauseEndMs = clock.nowMs() + pauseMs;
		}
		if (error.transient && clock.nowMs() - (customer.firstMs ?? clock.nowMs()) < giveUpMs)
			queue.unshift(customer);
		else failures.push(error);
	};
	const attempt = async (customer: (typeof queue)[number], token: Token) => {
		customer.firstMs ??= clock.nowMs();
		if (await account.call(token.value, customer.name)) {
			session.confirm(token);
			accepted++;
			pauseMs = 0;
			return;
		}
		try {
			if (clock.nowMs() - customer.firstMs >= giveUpMs) {
				throw session.contention ?? new TokenError('gave up', '', '900002', true);
			}
			await session.replace(token, store);
			queue.unshift(customer);
		} catch (error) {
			failed(customer, error);
		}
	};
	while (accepted + failures.length < customers.length) {
		const customer = queue.shift();
		if (!customer) {
			await clock.sleep(5);
			continue;
		}
		if (end) {
			failures.push(end);
			continue;
		}
		while (clock.nowMs() < pauseEndMs) await clock.sleep(pauseEndMs - clock.nowMs());
		let token: Token;
		try {
			token = session.ready(store) ?? (await session.token(store));
		} catch (error) {
			failed(customer, error);
			continue;
		}
		await clock.sleep(Math.max(0, nextSlotMs - clock.nowMs()));
		if (!session.isCurrent(token)) {
			queue.unshift(customer);
			continue;
		}
		nextSlotMs = Math.max(nextSlotMs, clock.nowMs() - SLOT_MS) + SLOT_MS;
		void attempt(customer, token);
	}
	return { accepted, failures, seconds: (clock.nowMs() - startedMs) / 1000 };
}
