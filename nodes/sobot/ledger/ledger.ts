// Room `ledger`: a write-ahead intent log. Each customer is stored before the call leaves and after its answer, so that
// nobody is sent twice after a crash at any moment. The store is n8n's deduplication table: written at once and shared by all
// processes, but without a lock.
//
// The phases of a ledger: `new` until the first customer is about to leave; `early` while nothing need be stored; `due` until
// those who have left early are stored; `open`; at last `ended`, or `unused` if it never opened.
import type { Clock } from '../clock';
import { isDoubtful, isSent, resultOf, type Customer, type Result } from '../outcome/customer';
import { LOOK_FIRST, MAY_OR_MAY_NOT } from '../outcome/returnCodes';
import { claimEntry, entriesOf, pendingEntry, type Campaign, type EntryStore } from './entries';
import type { KeyClaims } from './keyClaims';

/** How long the customers of one write take to be sent, in s: after a crash those are in doubt. */
const SECONDS_OF_A_WRITE = 0.5;
/** If writing is slow, it takes at most this share of the time. */
const SHARE_OF_WRITING = 0.1;
/** But one write stores at most this many customers. */
const MOST_AT_ONCE = 30;
/** How often storing the last outcomes of a batch is tried: for a minute. */
const LAST_ATTEMPTS = 120;
/** Pause between two attempts, in ms. */
const PAUSE_MS = 500;

/** What the store says of a key. `claimed`: somebody was about to send the customer, and no outcome is stored. */
export type KeyState = 'new' | 'claimed' | 'accepted';

/** A key whose customer an earlier run or call has sent, or may have. */
export interface EarlierKey {
	readonly key: string;
	readonly isAccepted: boolean;
}

/** The ledger's parts, and what it needs to know. */
export interface LedgerOptions {
	readonly store: EntryStore;
	readonly claims: KeyClaims;
	readonly clock: Clock;
	/** whether an earlier execution or run may have stored customers of this batch */
	readonly mayHoldEarlier: boolean;
	/** whether later executions ask it for their customers */
	readonly outlivesExecution: boolean;
	/** the markers of the campaign that all customers belong to */
	readonly campaign?: Campaign;
	/** whether a customer in doubt may be sent again */
	readonly sendsDoubtful: boolean;
	/** For how many ms nothing need be stored. Called when the first customer is about to leave. */
	msUntilDue(): number;
	/** Customers who were sent without this ledger, to be stored when it opens. */
	earlierKeys(): readonly EarlierKey[];
	/** Called once they are stored. */
	onOpen(): void;
	/** Called when a new campaign is about to store its first customers. */
	onBegin(): void;
}

/** The store has forgotten the first customers of a campaign: sending the others could send those again. */
export class ForgottenCampaign extends Error {}

/** Stores the calls of one batch: those about to leave, and their outcomes. */
export class Ledger {
	private phase: 'new' | 'early' | 'due' | 'open' | 'ended' | 'unused' = 'new';
	/** the customers who may leave, and have not been recorded */
	private held = new Set<Customer>();
	/** customers whom another run was about to send */
	private readonly doubtful: Customer[] = [];
	/** how many pairs of the campaign's markers have been asked for */
	private pairsTold = 0;
	/** the last markers of the campaign that are to be added behind the latest customers, and those to be removed then */
	private lastToAdd: readonly string[] = [];
	private lastToRemove: readonly string[] = [];
	private lastWriteMs = 0;
	private opening?: Promise<void>;
	private storing?: Promise<void>;

	constructor(private readonly options: LedgerOptions) {}

	/** Whether customers who are not sent any more should be asked for. */
	get mayHoldEarlier(): boolean {
		return this.options.mayHoldEarlier;
	}

	/** Whether this customer may leave. */
	holds(customer: Customer): boolean {
		return this.phase !== 'due' && this.held.has(customer);
	}

	/** Resolves once another customer with the same key is settled; undefined if there is nobody to wait for. */
	blockedUntil(customer: Customer): Promise<void> | undefined {
		const { key } = customer;
		return key === undefined || this.held.has(customer) ? undefined : this.options.claims.settled(key);
	}

	/** How many customers to store with one write, and how many are sent while one is stored. */
	writeSize(requestsPerSecond: number): { customers: number; meanwhile: number } {
		const writeSeconds = this.lastWriteMs / 1000;
		const seconds = Math.max(SECONDS_OF_A_WRITE, writeSeconds / SHARE_OF_WRITING);
		return {
			customers: Math.min(MOST_AT_ONCE, Math.ceil(requestsPerSecond * seconds)),
			meanwhile: Math.ceil(requestsPerSecond * writeSeconds),
		};
	}

	/**
	 * Stores that calls for these customers are about to leave. Those who must not be sent get their result. Rejects if
	 * nothing could be stored: then nothing may be sent. Rejects with `ForgottenCampaign` however often it is tried.
	 */
	async admit(customers: readonly Customer[]): Promise<void> {
		if (this.phase === 'new') this.begin(this.options.msUntilDue());
		if (this.phase === 'early') {
			for (const customer of customers) if (!resultOf(customer)) this.held.add(customer);
			return;
		}
		await this.open();
		const byKey = this.unclaimed(customers);
		if (byKey.size === 0) return;
		const { claims, sendsDoubtful } = this.options;
		for (const key of byKey.keys()) claims.claim(key);
		try {
			const states = await this.inTurn(async () => await this.claim([...byKey.keys()]));
			for (const [key, customer] of byKey) {
				const state = states.get(key);
				const isSentAgain = state === 'claimed' && sendsDoubtful;
				if (isSentAgain) customer.known = 'inDoubt';
				if (isSentAgain || state === 'new') this.held.add(customer);
				else this.settleEarlier(customer, state);
			}
		} finally {
			for (const [key, customer] of byKey) if (!this.held.has(customer)) claims.release(key);
		}
	}

	private begin(ms: number): void {
		this.phase = ms > 0 ? 'early' : 'due';
		if (ms <= 0) return;
		const open = async () => {
			if (this.phase === 'early') this.phase = 'due';
			await this.open();
		};
		// If that fails, it is tried again before the next customer leaves.
		void this.options.clock.sleep(ms).then(open).catch(ignore);
	}

	private async open(): Promise<void> {
		if (this.phase !== 'due') return;
		this.opening ??= this.storeEarlier().finally(() => (this.opening = undefined));
		await this.opening;
	}

	/** Stores everyone who was sent before. Rejects if nothing could be stored. */
	private async storeEarlier(): Promise<void> {
		const { claims, earlierKeys, onOpen } = this.options;
		// Whoever is certainly not on the canvas needs no entry.
		const early = [...this.held].filter(
			(customer) => !resultOf(customer) || isSent(resultOf(customer)?.outcome) || isDoubtful(customer),
		);
		const earlyKeys = early.map((one) => ({
			key: one.key ?? '',
			isAccepted: isSent(resultOf(one)?.outcome),
		}));
		await this.inTurn(async () => {
			await this.storeOutcomes();
			await this.addEarlier([...earlyKeys, ...earlierKeys()]);
		});
		for (const { key } of earlyKeys) claims.claim(key);
		this.held = new Set(early);
		this.phase = 'open';
		for (const customer of early) if (resultOf(customer)) this.record(customer);
		onOpen();
	}

	private async addEarlier(keys: readonly EarlierKey[]): Promise<void> {
		if (keys.length === 0) return;
		const inDoubt = keys.filter(({ isAccepted }) => !isAccepted).map(({ key }) => key);
		const entries = [...keys.map(({ key }) => claimEntry(key)), ...inDoubt.map(pendingEntry)];
		const known = await this.addInCampaign(entries);
		for (const { key, isAccepted } of keys)
			if (isAccepted && known.has(claimEntry(key))) this.options.claims.record(key, 'accepted');
		// Another run may have sent them meanwhile.
		await this.removeRead(inDoubt.filter((key) => stateOf(key, known) === 'accepted').map(pendingEntry));
	}

	/** Settles customers by what is stored, and changes nothing in the store. Rejects if n8n cannot tell. */
	async ask(customers: readonly Customer[]): Promise<void> {
		for (const customer of customers)
			if (this.blockedUntil(customer)) this.settleEarlier(customer, 'claimed');
		const byKey = this.unclaimed(customers);
		if (byKey.size === 0) return;
		const states = await this.inTurn(async () => await this.read([...byKey.keys()]));
		// Several items can have one key.
		for (const customer of customers)
			if (!resultOf(customer)) this.settleEarlier(customer, states.get(customer.key ?? ''));
	}

	/** Records what has become of a customer. It is stored with the next write. */
	record(customer: Customer): void {
		const { key, known } = customer;
		if (key === undefined || (this.phase !== 'open' && this.phase !== 'ended')) return;
		const { claims } = this.options;
		const isHeld = this.held.delete(customer);
		if (isHeld) claims.release(key);
		const outcome = typeof known === 'string' ? known : known.outcome;
		// An acceptance counts whenever it comes. A refusal that comes after the end leaves the key in doubt.
		if (outcome === 'accepted') claims.record(key, 'accepted');
		else if (isHeld && outcome !== 'unknown' && outcome !== 'inDoubt') claims.record(key, 'notSent');
		if (this.phase === 'ended') void this.storeAll();
	}

	/**
	 * Records everyone who has not been. Resolves once everything is stored. Never rejects.
	 *
	 * @param isStopped whether the execution was stopped: then also those of its first second are stored, for n8n's Retry of a
	 *   stopped execution begins anew
	 */
	async close(isStopped = false): Promise<void> {
		const { outlivesExecution, earlierKeys } = this.options;
		// Whom earlier tries have sent without this text must be known to later executions.
		const hasEarlier = outlivesExecution && earlierKeys().length > 0;
		// Customers have waited for the database already, in vain.
		const attempts = this.phase === 'due' && !isStopped && !hasEarlier ? 1 : LAST_ATTEMPTS;
		if (isStopped && this.phase === 'early') {
			// Nobody else leaves: a Retry may be sending them by now.
			for (const customer of this.held) if (customer.known === 'open') this.held.delete(customer);
			this.phase = 'due';
		}
		if (this.phase === 'new' && hasEarlier) this.phase = 'due';
		for (let attempt = 1; this.phase === 'due' && attempt <= attempts; attempt++)
			await this.open().catch(async (error: unknown) => {
				if (error instanceof ForgottenCampaign) attempt = attempts;
				else await this.options.clock.sleep(PAUSE_MS);
			});
		const isOpen = this.phase === 'open';
		if (isOpen) for (const customer of [...this.held]) this.record(customer);
		this.phase = isOpen ? 'ended' : 'unused';
		if (isOpen || this.options.claims.toRemove.length > 0) await this.storeAll();
		await this.askAgain();
	}

	/** Another run may have stored its outcome meanwhile. */
	private async askAgain(): Promise<void> {
		try {
			const keys = this.doubtful.map(({ key = '' }) => key);
			const states = await this.inTurn(async () => await this.read(keys));
			for (const customer of this.doubtful)
				if (states.get(customer.key ?? '') === 'accepted') customer.known = RESULTS.accepted;
		} catch {
			// They stay in doubt.
		}
	}

	/** Customers to look up, one for each key. What Sobot has lately accepted counts before the store has it. */
	private unclaimed(customers: readonly Customer[]): Map<string, Customer> {
		const { claims } = this.options;
		const byKey = new Map<string, Customer>();
		for (const customer of customers) {
			const { key } = customer;
			if (key === undefined || resultOf(customer) || this.held.has(customer)) continue;
			if (claims.isAccepted(key)) customer.known = RESULTS.accepted;
			else if (!claims.settled(key) && !byKey.has(key)) byKey.set(key, customer);
		}
		return byKey;
	}

	private settleEarlier(customer: Customer, state: KeyState | undefined): void {
		if (state === 'accepted') customer.known = RESULTS.accepted;
		if (state !== 'claimed') return;
		customer.known = RESULTS.claimed;
		this.doubtful.push(customer);
	}

	/** Stores claims, and tells from what was there before how the keys stand. */
	private async claim(keys: readonly string[]): Promise<Map<string, KeyState>> {
		const { claims } = this.options;
		await this.storeOutcomes();
		const latest = claims.latestAccepted.map(claimEntry);
		const known = await this.addInCampaign([...latest, ...keys.flatMap(entriesOf)]);
		const states = new Map(keys.map((key) => [key, stateOf(key, known)]));
		await this.removeRead(keys.filter((key) => states.get(key) === 'accepted').map(pendingEntry));
		return states;
	}

	/** Adds entries between the markers of the campaign. Rejects if the store has forgotten a part of it. */
	private async addInCampaign(entries: readonly string[]): Promise<ReadonlySet<string>> {
		const { store, campaign, claims } = this.options;
		const again = [...claims.toAddAgain];
		const all = [...again, ...entries];
		const added = this.lastToAdd;
		const known = await (campaign && this.pairsTold < 2
			? this.beginCampaign(campaign, all)
			: store.add([...all, ...added]));
		claims.toAddAgain.splice(0, again.length);
		if (campaign && added.length > 0)
			this.lastToRemove = campaign.last.flat().filter((entry) => !added.includes(entry));
		this.lastToAdd = [];
		return known;
	}

	/** The pairs are asked for one after the other, the second one with the first customers. */
	private async beginCampaign(campaign: Campaign, entries: string[]): Promise<ReadonlySet<string>> {
		if (this.pairsTold === 0) await this.askForPair(campaign, 0, []);
		return await this.askForPair(campaign, 1, entries);
	}

	private async askForPair({ first, last }: Campaign, pair: 0 | 1, entries: string[]) {
		const { store, claims, onBegin } = this.options;
		const [begin, ends] = [first[pair], last[pair]];
		const added = [begin, ...entries, ...ends];
		const known = await store.add(added);
		const end = ends.find((entry) => known.has(entry));
		if (end !== undefined && !known.has(begin)) {
			await this.removeRead(added.filter((entry) => !known.has(entry)));
			throw new ForgottenCampaign();
		}
		this.pairsTold++;
		this.lastToRemove = [...this.lastToRemove, end ?? ends[0]];
		if (!known.has(begin)) {
			if (pair === 0) onBegin();
			else claims.toAddAgain.push(...first);
		}
		return known;
	}

	/** Reads how keys stand, and leaves them as they were. */
	private async read(keys: readonly string[]): Promise<Map<string, KeyState>> {
		if (keys.length === 0) return new Map();
		const { store, claims } = this.options;
		const entries = keys.flatMap(entriesOf);
		const stored = await store.add(entries);
		// What an earlier question has added may still be there, and whoever is not sent may still be stored.
		const known = new Set([...stored].filter((entry) => !claims.toRemove.includes(entry)));
		await this.removeRead(entries.filter((entry) => !known.has(entry)));
		const { toStore } = claims;
		const isNew = (key: string) => toStore.get(key) === 'notSent';
		return new Map(keys.map((key) => [key, isNew(key) ? 'new' : stateOf(key, known)]));
	}

	/** The states are known, even if the database goes away now. */
	private async removeRead(entries: readonly string[]): Promise<void> {
		if (entries.length === 0) return;
		const { store, claims } = this.options;
		await store.remove([...entries]).catch(() => void claims.toRemove.push(...entries));
	}

	/** Removes the entries of customers whose outcome is clear. */
	private async storeOutcomes(isLast = false): Promise<void> {
		const { store, claims } = this.options;
		const { toStore: outcomes, toRemove } = claims;
		if (outcomes.size + toRemove.length === 0) return;
		const remove = [...toRemove, ...claims.noLongerPending(isLast).map(pendingEntry)];
		for (const [key, outcome] of outcomes)
			remove.push(...(outcome === 'accepted' ? [] : [claimEntry(key)]), pendingEntry(key));
		if (this.pairsTold === 2) remove.push(...this.lastToRemove);
		await store.remove(remove);
		toRemove.length = 0;
		if (this.pairsTold === 2) this.lastToAdd = this.lastToRemove;
		claims.stored(outcomes);
	}

	/** Stores all outcomes; tries for a minute if the database is away. A key that cannot be stored stays in doubt. */
	private async storeAll(): Promise<void> {
		this.storing ??= this.insistOnStoring().finally(() => (this.storing = undefined));
		await this.storing;
	}

	private async insistOnStoring(): Promise<void> {
		const { claims, clock } = this.options;
		const isBehind = () => claims.toStore.size + claims.toRemove.length + this.lastToAdd.length > 0;
		const store = async () => {
			await this.storeOutcomes(true);
			// Another execution of the campaign may have removed the other form.
			if (this.lastToAdd.length > 0) await this.addInCampaign([]);
		};
		for (let attempt = 1; attempt <= LAST_ATTEMPTS && isBehind(); attempt++)
			await this.inTurn(store).catch(async () => await clock.sleep(PAUSE_MS));
		if (isBehind()) claims.forgetNotSent();
	}

	private async inTurn<T>(work: () => Promise<T>): Promise<T> {
		const { claims, clock } = this.options;
		return await claims.inTurn(async () => {
			const startedMs = clock.nowMs();
			const done = await work();
			this.lastWriteMs = clock.nowMs() - startedMs;
			return done;
		});
	}
}

const ignore = () => undefined;

function stateOf(key: string, known: ReadonlySet<string>): KeyState {
	// The store drops its oldest entries first, and the claim is older than what is pending.
	if (known.has(pendingEntry(key))) return 'claimed';
	return known.has(claimEntry(key)) ? 'accepted' : 'new';
}

/** The result for a customer whom the ledger may hold, if n8n's database does not answer. */
export const NOT_LOOKED_UP: Result = {
	outcome: 'unknown',
	retCode: null,
	isUntold: true,
	message: `n8n's database could not tell whether an earlier run has sent this customer. ${MAY_OR_MAY_NOT}.`,
	advice: LOOK_FIRST,
};

/** The result for a customer whom the ledger holds, by the state of the key. */
const RESULTS: Readonly<Record<Exclude<KeyState, 'new'>, Result>> = {
	accepted: { outcome: 'alreadySent', retCode: '000000', message: 'Sent before', advice: '' },
	claimed: {
		outcome: 'unknown',
		retCode: null,
		message: `Another run was about to send this customer, and has stored no outcome. ${MAY_OR_MAY_NOT}.`,
		advice: LOOK_FIRST,
	},
};
