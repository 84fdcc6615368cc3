// Whom this node has put on a canvas before, so that nobody is sent twice. It has two stores: n8n's node context lives as long as
// the execution and its Retries, and n8n's deduplication table survives a crash. docs/ledger.md and decision 08 tell the
// design; docs/architecture.md defines execution, run, try and batch.
import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';
import { systemClock } from '../../sobot/clock';
import { digest, DIGEST_LENGTH } from '../../sobot/ledger/digest';
import { campaignOf, ENTRIES_OF_CAMPAIGN } from '../../sobot/ledger/entries';
import { Ledger, NOT_LOOKED_UP, type EarlierKey } from '../../sobot/ledger/ledger';
import { countsAsSent, isDoubtful, isSent, resultOf, type Result } from '../../sobot/outcome/customer';
import { LOOK_FIRST, MAY_OR_MAY_NOT, withCode } from '../../sobot/outcome/returnCodes';
import { ACCEPTED } from '../../sobot/outcome/verdict';
import { claimsOf } from '../../sobot/shared';
import { DeduplicationTable, hasTable, type Older } from '../n8n/deduplicationTable';
import { contextOf, isToken, lineageOf } from '../n8n/nodeContext';
import type { Options } from './options';
import type { Identity, Plan } from './plan';

/** Nothing is written ahead of the calls of an execution's first second, in ms. */
const SHORT_MS = 1000;
/** The property of the node context in which this node keeps its history. */
const CONTEXT_KEY = 'sent';
/** How many customers one write looks up. */
const ASKED_AT_ONCE = 30;
const ANYBODY: Older = { left: Infinity };
const NOBODY: Older = { left: 0 };

/** What the node context holds: digests only, since any expression of the workflow can read it. */
interface Stored {
	/** what the execution and its Retries have in common, behind its kind */
	readonly lineage: string;
	/** when the first call of all left, in epoch ms */
	firstCallMs?: number;
	/** the scope of the keys under which the ledger has all customers of the execution */
	inLedger?: string;
	/** the customers who were sent, or left in doubt, before the ledger had that scope */
	before?: string;
	/** the campaigns that the execution has begun, one after the other, and what is older than they are */
	begun?: { campaigns: string; readonly older: Older };
	/** the run that has written last: its index, or 'tool' */
	run: string;
	/** the customers that this run has put on a canvas, one digest after the other */
	accepted: string;
	/** those of them whom its last try has not met: they belong to the next run that meets them */
	unmet?: string;
	/** those that other runs have */
	others: string;
	/** those whom any run has left in doubt */
	readonly unknown: Record<string, Doubt>;
}

/** Sobot's code, the run, and what tells the key. */
type Doubt = readonly [code: string, run: string, scope: string, key: string];

/** The scope of keys without 'Send Once Per'. */
const LINEAGE = 'lineage';

/** The history of one run of the node. */
export class SendHistory {
	private readonly stored: Stored;
	private readonly isRetry: boolean;
	private readonly isTool: boolean;
	/** the option 'Send Once Per' as it is entered; undefined without it */
	private readonly entered: unknown;
	/** the scope of this run's keys */
	private readonly scope: string;
	private readonly accepted: ReadonlySet<string>;
	private readonly others: ReadonlySet<string>;
	/** the next number of each customer on a canvas */
	private readonly next = new Map<string, number>();
	/** the digests of customers with a text of 'Send Once Per', by their keys */
	private readonly withText = new Map<string, string>();
	/** the latest of them for each customer on a canvas */
	private readonly latestWithText = new Map<string, string>();
	/** those of customers with several texts: only the ledger tells for which of them they were sent */
	private readonly severalTexts = new Set<string>();
	private readonly texts = new Set<string>();
	private table?: DeduplicationTable;

	constructor(private readonly node: IExecuteFunctions) {
		const context = contextOf(node);
		this.isRetry = node.getMode() === 'retry';
		this.isTool = node.getNode().type.endsWith('Tool');
		this.entered = (node.getNode().parameters.options as IDataObject | undefined)?.sendOncePer;
		this.scope = this.entered === undefined ? LINEAGE : digest(String(this.entered));
		const runIndex = Number(node.getWorkflowDataProxy(0).$runIndex);
		// Calls of a tool do not have indexes of their own.
		const run = this.isTool ? 'tool' : String(runIndex);
		// Where a context does not outlive a run, the run tells this lineage from that of the next iteration.
		const lineage = lineageOf(node, !this.isRetry && runIndex > 0 ? run : '');
		const found = context[CONTEXT_KEY] as Stored | undefined;
		this.stored = found ?? { lineage, run, accepted: '', others: '', unknown: {} };
		context[CONTEXT_KEY] = this.stored;
		if (this.isRetry && isToken(lineage) && isToken(this.stored.lineage) && lineage !== this.stored.lineage)
			// A later n8n could do so: then Retry after a crash would send everyone again.
			node.logger.warn('n8n has given this Retry another resume token than its execution.');
		if (this.stored.run !== run) this.beginRun(run);
		this.accepted = new Set(digestsIn(this.stored.accepted));
		this.others = othersOf(this.stored);
	}

	/** The run that has written last becomes one of the others. */
	private beginRun(run: string): void {
		const unmet = new Set(digestsIn(this.stored.unmet ?? ''));
		const accepted = digestsIn(this.stored.accepted);
		this.stored.others += accepted.filter((inner) => !unmet.has(inner)).join('');
		this.stored.accepted = accepted.filter((inner) => unmet.has(inner)).join('');
		this.stored.run = run;
	}

	/**
	 * Names the customer of the next item. The number is the smallest that no other run has put on the canvas and that no
	 * earlier item has taken.
	 *
	 * @param text the value of 'Send Once Per', with which the customer has one key however often they come
	 */
	identify(triggerId: string, contactId: string, text?: string): Identity {
		if (text === undefined) {
			const inner = this.number(triggerId, contactId);
			return { inner, key: this.keyInLineage(inner) };
		}
		this.texts.add(text);
		const key = digest('text', text, digest(triggerId, contactId, 0));
		const inner = this.withText.get(key) ?? this.numberWithText(triggerId, contactId, key);
		this.withText.set(key, inner);
		return { inner, key };
	}

	private numberWithText(triggerId: string, contactId: string, key: string): string {
		const inner = this.number(triggerId, contactId, key);
		const name = digest(triggerId, contactId);
		const earlier = this.latestWithText.get(name);
		this.latestWithText.set(name, inner);
		if (earlier !== undefined) this.severalTexts.add(earlier).add(inner);
		return inner;
	}

	private number(triggerId: string, contactId: string, key?: string): string {
		const name = `${triggerId}\n${contactId}`;
		for (let n = this.next.get(name) ?? 0; ; n++) {
			const inner = digest(triggerId, contactId, n);
			if (this.others.has(inner) || this.isInDoubtWithAnother(inner, key)) continue;
			this.next.set(name, n + 1);
			return inner;
		}
	}

	/** Whether another run has left a customer in doubt with another text of the same expression, such as an order number. */
	private isInDoubtWithAnother(inner: string, key?: string): boolean {
		const [, run, scope, other] = this.stored.unknown[inner] ?? [];
		return key !== undefined && run !== this.stored.run && scope === this.scope && other !== key;
	}

	private keyInLineage(inner: string): string {
		return digest(LINEAGE, this.stored.lineage, inner);
	}

	/** Whether the batch has the option 'Send Once Per'. */
	get hasText(): boolean {
		return this.scope !== LINEAGE;
	}

	/** Whether the ledger may hold customers of this batch whom the node context does not. */
	get mayHoldEarlier(): boolean {
		// Without a token, n8n's own second run (docs/n8n-behavior.md, X12) looks like a first. An agent's calls can overlap.
		const isFirstRun = isToken(this.stored.lineage) && !this.isRetry && !this.isTool;
		return hasTable(this.node) && (this.hasText || !isFirstRun);
	}

	/** Whether other runs of this execution, such as iterations of a loop, have put customers on a canvas. */
	get hasEarlierRuns(): boolean {
		return this.others.size > 0;
	}

	/** How many customers earlier tries have put on a canvas and left in doubt, and whether there may be others. */
	get earlier(): { accepted: number; unknown: number; isRetry: boolean } {
		const { isRetry, stored } = this;
		const unknown = Object.keys(stored.unknown);
		// Under 'Treat as Sent', those in doubt are among them.
		const accepted = this.accepted.size - unknown.filter((inner) => this.accepted.has(inner)).length;
		return { accepted, unknown: unknown.length, isRetry };
	}

	/** Settles the customers whom earlier tries and runs of this execution have sent. */
	settleEarlier(plans: readonly Plan[], { unknownOutcome }: Options): void {
		// Calls of a tool share the numbers of a customer, so only the ledger tells for which text they were sent.
		const isInLedger = this.isTool && this.hasText && this.stored.inLedger === this.scope;
		const known = isInLedger ? new Set(digestsIn(this.stored.before ?? '')) : undefined;
		for (const { kind, customer, inner } of plans) {
			if (inner === undefined || this.severalTexts.has(inner) || known?.has(inner) === false) continue;
			const [code] = this.stored.unknown[inner] ?? [];
			const isSentAgain = kind === 'send' && unknownOutcome === 'sendAgain';
			if (code !== undefined) customer.known = isSentAgain ? 'inDoubt' : unknownEarlier(code || null);
			else if (this.accepted.has(inner)) customer.known = ACCEPTED;
		}
	}

	/** Settles items that cannot be sent, if an earlier run may have sent their customers. Never rejects. */
	async settleRejected(plans: readonly Plan[], ledger?: Ledger): Promise<void> {
		const rejected = plans.filter(({ kind, customer }) => kind === 'rejected' && !resultOf(customer));
		if (!ledger?.mayHoldEarlier || rejected.length === 0) return;
		const asked = rejected.map(({ customer }) => customer).filter(({ key }) => key !== undefined);
		for (let from = 0; from < asked.length; from += ASKED_AT_ONCE) {
			const some = asked.slice(from, from + ASKED_AT_ONCE);
			await ledger.ask(some).catch(() => some.forEach((customer) => (customer.known = NOT_LOOKED_UP)));
		}
		if (!this.isRetry) return;
		for (const { customer } of rejected) if (customer.key === undefined) customer.known = NOT_IDENTIFIED;
	}

	/** The ledger for the customers that have no result yet; undefined in a workflow that is not saved. */
	open(plans: readonly Plan[], options: Options): Ledger | undefined {
		if (!hasTable(this.node)) return undefined;
		const { historySize, requestsPerSecond, unknownOutcome } = options;
		const { others, accepted } = this.stored;
		const toSend = plans.filter(({ kind, inner }) => kind === 'send' && !this.accepted.has(inner ?? ''));
		const campaign = this.campaign;
		const table = new DeduplicationTable(this.node, {
			customers: (others + accepted).length / DIGEST_LENGTH + toSend.length,
			history: this.hasText ? historySize * this.entriesOfCustomer : 0,
			older: () => this.olderThan(campaign),
			isRetry: this.isRetry,
		});
		this.table = table;
		return new Ledger({
			store: table,
			claims: claimsOf(`${this.node.getWorkflow().id}\n${this.node.getNode().id}`),
			clock: systemClock,
			mayHoldEarlier: this.mayHoldEarlier,
			outlivesExecution: this.hasText,
			campaign: campaign === undefined ? undefined : campaignOf(campaign),
			sendsDoubtful: unknownOutcome === 'sendAgain',
			// A batch that takes longer than the first second is stored from the start.
			msUntilDue: () => (plans.length < requestsPerSecond ? this.msUntilDue() : 0),
			earlierKeys: () => this.earlierKeys(plans),
			onBegin: () => {
				this.stored.begun ??= { campaigns: '', older: { left: table.countBefore } };
				this.stored.begun.campaigns += campaign;
			},
			onOpen: () => {
				if (this.stored.inLedger === this.scope) return;
				this.stored.inLedger = this.scope;
				const { others, accepted, unknown } = this.stored;
				this.stored.before = others + accepted + Object.keys(unknown).join('');
			},
		});
	}

	/** A campaign must not push out its own first customers. Only the execution that has begun it knows what is older. */
	private olderThan(campaign: string | undefined): Older {
		if (campaign === undefined) return ANYBODY;
		const { campaigns = '', older = NOBODY } = this.stored.begun ?? {};
		return digestsIn(campaigns).includes(campaign) ? older : NOBODY;
	}

	private get isTyped(): boolean {
		return !String(this.entered).startsWith('=');
	}

	/** The name of the campaign to which a text belongs that is the same for all customers. An order number is one for each. */
	private get campaign(): string | undefined {
		const [text] = this.texts;
		const isShared = this.texts.size === 1 && (this.withText.size > 1 || this.isTyped);
		return isShared ? digest(text ?? '') : undefined;
	}

	/** How many entries the store has for a customer, if each batch has as many as this one. */
	private get entriesOfCustomer(): number {
		const isOneOfMany = this.campaign !== undefined && !this.isTyped;
		return isOneOfMany ? 1 + ENTRIES_OF_CAMPAIGN / this.withText.size : 1;
	}

	/** How many ms of the execution's first second are left. If the wall clock was set back, none. */
	private msUntilDue(): number {
		if (this.mayHoldEarlier || this.stored.inLedger === this.scope) return 0;
		const nowMs = systemClock.epochMs();
		const sinceMs = nowMs - (this.stored.firstCallMs ??= nowMs);
		return sinceMs < 0 ? 0 : SHORT_MS - sinceMs;
	}

	/** Customers of earlier tries and runs of this execution, who are not in the ledger under keys of this scope. */
	private earlierKeys(plans: readonly Plan[]): EarlierKey[] {
		const { inLedger, accepted, others, unknown } = this.stored;
		if (inLedger === this.scope) return [];
		const isAccepted = (inner: string) => !Object.hasOwn(unknown, inner);
		if (!this.hasText)
			return Array.from(new Set([...digestsIn(others + accepted), ...Object.keys(unknown)]), (inner) => ({
				key: this.keyInLineage(inner),
				isAccepted: isAccepted(inner),
			}));
		return plans.flatMap(({ customer: { key }, inner }) =>
			key !== undefined && inner !== undefined && (this.accepted.has(inner) || !isAccepted(inner))
				? [{ key, isAccepted: isAccepted(inner) }]
				: [],
		);
	}

	/**
	 * Adds the customers who must not be sent again to those of earlier tries. Synchronous: docs/n8n-behavior.md, X9.
	 */
	remember(plans: readonly Plan[], { unknownOutcome }: Options): void {
		const { stored } = this;
		const accepted = new Set(digestsIn(stored.accepted));
		for (const { customer, inner } of plans) {
			const result = resultOf(customer);
			if (inner === undefined || result?.isUntold) continue;
			if (isSent(result?.outcome)) delete stored.unknown[inner];
			else if (isDoubtful(customer))
				stored.unknown[inner] = [result?.retCode ?? '', stored.run, this.scope, customer.key ?? ''];
			if (countsAsSent(result, unknownOutcome)) accepted.add(inner);
			else if (isDoubtful(customer)) accepted.delete(inner);
		}
		stored.accepted = [...accepted].join('');
		const met = new Set(plans.map(({ inner }) => inner));
		if (!this.isTool) stored.unmet = [...this.accepted].filter((inner) => !met.has(inner)).join('');
	}

	/** Whether this batch has made the node forget the oldest customers of 'Send Once Per'. */
	get hasForgotten(): boolean {
		return this.hasText && this.table?.hasForgotten === true;
	}
}

/** What has been read of `others`, which only grows: reading all of it in each iteration of a loop would take too long. */
const READ = new WeakMap<Stored, { length: number; digests: Set<string> }>();

function othersOf(stored: Stored): ReadonlySet<string> {
	const read = READ.get(stored) ?? { length: 0, digests: new Set() };
	for (const inner of digestsIn(stored.others.slice(read.length))) read.digests.add(inner);
	read.length = stored.others.length;
	READ.set(stored, read);
	return read.digests;
}

const digestsIn = (text: string): string[] => text.match(new RegExp(`.{${DIGEST_LENGTH}}`, 'g')) ?? [];

/** The result for an item of a Retry that does not tell which customer it is. */
const NOT_IDENTIFIED: Result = {
	outcome: 'unknown',
	isUntold: true,
	retCode: null,
	message: 'This Retry could not tell which customer it is, so it may have been sent before',
	advice: LOOK_FIRST,
};

function unknownEarlier(retCode: string | null): Result {
	return {
		outcome: 'unknown',
		retCode,
		message: withCode(`An earlier try ended without a clear answer. ${MAY_OR_MAY_NOT}.`, retCode),
		advice: `${LOOK_FIRST} Retry does not send them, unless you change 'Unknown Outcome'.`,
	};
}
