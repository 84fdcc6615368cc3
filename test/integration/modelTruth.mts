// Knows whom Sobot has accepted in the model, and finds what must not happen: whoever is sent twice, and whatever the node says
// that is not true. What one-key.md and docs/promise.md do not promise is named here, each in one function.
import { systemClock } from '../../nodes/sobot/clock';
import { claimEntry, pendingEntry } from '../../nodes/sobot/ledger/entries';
import { keyOf, textFor, type Call, type Item, type ModelTable, type Try } from './modelNode.mts';

/** What the node's output says about one item. */
export interface Told {
	readonly item: Item;
	readonly key?: string;
	readonly outcome: string;
	readonly reason: unknown;
	/** whether n8n sends the item to the error output, if there is one */
	readonly isOnErrorOutput: boolean;
}

/** What the list of executions shows. */
type CustomData = Readonly<Record<string, string>>;

/** How the node has ended in one iteration. */
export type NodeEnd =
	| { readonly kind: 'output'; readonly told: readonly Told[] }
	| { readonly kind: 'thrown'; readonly text: string; readonly customData: CustomData }
	| { readonly kind: 'stopped'; readonly customData: CustomData };

/** What the node says of one item. */
type Says = 'sent' | 'notSent' | 'unknown';

const OUTCOMES: Readonly<Record<string, Says>> = {
	accepted: 'sent',
	alreadySent: 'sent',
	unknown: 'unknown',
	notSent: 'notSent',
	refused: 'notSent',
	unreachable: 'notSent',
	overLimit: 'notSent',
};
const LISTS: Readonly<Record<string, Says>> = {
	Accepted: 'sent',
	Failed: 'notSent',
	Unknown: 'unknown',
};

/** How often each fault has struck, and each situation has come up, in all chains of this test file. */
export const struck = new Map<string, number>();

export class ModelTruth {
	/** what went wrong */
	readonly faults: string[] = [];
	table?: ModelTable;
	/** whether two executions have run at the same time */
	hasOverlapped = false;
	private hasSentAgain = false;
	/** whether a kill, a fault of the table or two workers may have left keys in doubt that no call of theirs has */
	private isShaken = false;

	/** whether the option 'Send Once Per' is added or removed between executions */
	hasTwoTexts = false;

	readonly calledKeys = new Set<string>();
	private readonly customersOf = new Map<string, Set<string>>();
	private readonly timesAccepted = new Map<string, number>();
	/** keys, and customers of a lineage, with a call that had no clear answer */
	private readonly unclear = new Set<string>();
	/** the same, and those who were sent again and accepted: another Retry may not know that */
	private readonly wasUnclear = new Set<string>();
	/** keys of which the node has said that they are in doubt */
	private readonly toldUnknown = new Set<string>();
	private readonly lineageOf = new Map<string, string>();
	/** keys that were called in the first second of a lineage and are in neither store after a kill or a stop */
	private readonly forgotten = new Set<string>();
	private readonly unstored = new Map<string, Set<string>>();
	private readonly firstCallMs = new Map<string, number>();
	private readonly lateUnstored = new Map<string, number>();
	/** how often each customer of a lineage or text may be put on the canvas, and was */
	private readonly wanted = new Map<string, number>();
	private readonly onCanvas = new Map<string, number>();

	/** Counts that something has come up that the chains must not miss. */
	strikes(what: string): void {
		struck.set(what, (struck.get(what) ?? 0) + 1);
		if (/^killed|^table/.test(what)) this.isShaken = true;
	}

	/** An execution begins, or begins again, with this list. @param isAnew whether it counts apart from what came before */
	wants(lineage: string, items: readonly Item[], isAnew = false): void {
		for (const [name, times] of countBy(items, nameOf)) {
			const known = this.wanted.get(`${lineage} ${name}`) ?? 0;
			this.wanted.set(`${lineage} ${name}`, isAnew ? known + times : Math.max(known, times));
		}
	}

	/** A call leaves for Sobot. */
	leaves(call: Call): void {
		const { key, item, attempt } = call;
		const what = `${attempt.executionId}, ${item.id}, key ${key}`;
		const text = textFor(item, attempt.settings);
		const lineage = this.lineageOf.get(key) ?? attempt.lineage;
		if (text === undefined && lineage !== attempt.lineage) this.faults.push(`${what}: the key of ${lineage}`);
		this.lineageOf.set(key, lineage);
		this.calledKeys.add(key);
		this.checkTable([key]);
		this.checkStored(call, what);
		this.hasSentAgain ||= attempt.settings.options?.unknownOutcome === 'sendAgain';
		const isExcused = this.isForgotten(key) || this.isRaced(key) || this.isWantedAgain(call);
		if (isExcused) return void this.allowOnceMore(call);
		if (this.timesAccepted.has(key)) this.faults.push(`${what}: called again, although accepted`);
		else if (this.unclear.has(key)) this.faults.push(`${what}: called again, although in doubt`);
		else if (this.toldUnknown.has(key)) this.faults.push(`${what}: called, although told unknown`);
	}

	/** Nothing is sent that is not stored, but for the calls of an execution's first second. */
	private checkStored({ key, item, attempt }: Call, what: string): void {
		const { lineage } = attempt;
		const nowMs = systemClock.nowMs();
		const firstMs = this.firstCallMs.get(lineage) ?? nowMs;
		this.firstCallMs.set(lineage, firstMs);
		if (this.table?.holds(key) === true || this.isRaced(key)) return;
		if (this.hasSentAgain && this.hasOverlapped) return;
		if (attempt.isAlwaysStored) return void this.faults.push(`${what}: called without being stored`);
		this.unstored.set(lineage, (this.unstored.get(lineage) ?? new Set()).add(key));
		if (nowMs - firstMs <= 1000) return;
		// One that has waited for its slot.
		const late = `${lineage} ${item.canvas}`;
		this.lateUnstored.set(late, (this.lateUnstored.get(late) ?? 0) + 1);
		if ((this.lateUnstored.get(late) ?? 0) > 1)
			this.faults.push(`${what}: called ${nowMs - firstMs} ms after the first one without being stored`);
	}

	/** Sobot puts a customer on the canvas. */
	accepts({ key, item, attempt }: Call): void {
		this.timesAccepted.set(key, (this.timesAccepted.get(key) ?? 0) + 1);
		this.onCanvas.set(nameOf(item), 1);
		for (const scope of scopesOf(item, attempt)) {
			const name = `${scope} ${nameOf(item)}`;
			const times = (this.onCanvas.get(name) ?? 0) + 1;
			this.onCanvas.set(name, times);
			if (times > (this.wanted.get(name) ?? 1))
				this.faults.push(`${attempt.executionId}: ${name} sent ${times} times`);
		}
	}

	isInDoubt(key: string): boolean {
		return this.unclear.has(key);
	}

	/** A call ends with a clear answer, after which nobody is in doubt. */
	isClear({ key, item, attempt }: Call): void {
		this.unclear.delete(key);
		this.unclear.delete(`${attempt.lineage} ${nameOf(item)}`);
	}

	/** A call ends without a clear answer. */
	isUnclear({ key, item, attempt }: Call): void {
		for (const unclear of [this.unclear, this.wasUnclear])
			unclear.add(key).add(`${attempt.lineage} ${nameOf(item)}`);
	}

	/** An execution has ended, and nothing of it is left but the table and these keys. */
	losesContext(lineage: string, stored: readonly string[] = []): void {
		for (const key of this.unstored.get(lineage) ?? [])
			if (this.table?.holds(key) !== true && !stored.includes(key)) this.forgotten.add(key);
	}

	/** A claim without what is pending means that Sobot has accepted. @param keys those that may have changed */
	checkTable(keys: Iterable<string> = this.calledKeys): void {
		for (const key of keys)
			if (this.calledKeys.has(key) && this.table?.showsAccepted(key) === true && !this.isAccepted(key))
				this.faults.push(`stored as accepted: ${key}`);
	}

	/** Once everything has come to rest, the table knows what became of each key. */
	checkRest(entries: readonly string[]): void {
		this.checkTable();
		if (this.isShaken || this.hasOverlapped) return;
		for (const entry of entries) {
			const key = keyOf(entry);
			const isUnclear = [key, ...(this.customersOf.get(key) ?? [])].some((one) => this.wasUnclear.has(one));
			if (entry === pendingEntry(key) && !isUnclear) this.faults.push(`left in doubt: ${key}`);
		}
	}

	/** The node has ended. @param sentBefore keys that earlier runs of the execution have told as sent */
	checkEnd(end: NodeEnd, attempt: Try, sentBefore: Set<string>): void {
		const { settings, isTool, executionId } = attempt;
		const statements = statementsOf(end, attempt);
		for (const { item, key, says } of statements) {
			const what = `${executionId}, ${item.id}, key ${key} told ${says}`;
			if (key === undefined || this.isForgotten(key) || this.isRaced(key)) continue;
			// Of items with one text, the second can be sent after the first was refused.
			if (says === 'notSent' && statements.some((one) => one.key === key && one.says === 'sent')) continue;
			if (says === 'sent' && !this.isAccepted(key)) this.faults.push(`${what}: is not on the canvas`);
			// Another run can have sent them since.
			if (says === 'notSent' && this.timesAccepted.has(key) && !this.hasOverlapped)
				this.faults.push(`${what}: is on the canvas`);
		}
		if (end.kind === 'thrown' && (settings.onError !== undefined || isTool))
			this.faults.push(`${executionId} has thrown: ${end.text}`);
		if (end.kind !== 'output') return;
		this.checkKeys(end.told, attempt);
		for (const told of end.told) {
			const wrong = this.wrongIn(told, attempt) ?? this.skipped(told, attempt, sentBefore);
			if (wrong !== undefined) this.faults.push(`${executionId}, ${told.item.id} ${told.outcome}: ${wrong}`);
			if (told.outcome === 'unknown' && told.key !== undefined && !couldNotTell(told) && !this.hasOverlapped)
				this.toldUnknown.add(told.key);
		}
	}

	/** Items of one batch never share a key, but for those with one text. */
	private checkKeys(told: readonly Told[], { settings, executionId }: Try): void {
		const named = told.filter(({ key }) => key !== undefined);
		const keys = new Set(
			named.map(({ key, item }) => `${key} ${textFor(item, settings) === undefined ? '' : nameOf(item)}`),
		);
		const names = new Set(named.map(({ item }) => `${nameOf(item)} ${textFor(item, settings)}`));
		const count = settings.sendOncePer === undefined ? named.length : names.size;
		if (keys.size !== count) this.faults.push(`${executionId}: ${count} customers with ${keys.size} keys`);
	}

	/** What is wrong with an output item, whether or not its outcome is true. */
	private wrongIn(told: Told, { settings, isTool, lineage }: Try): string | undefined {
		const { item, key, outcome, reason, isOnErrorOutput } = told;
		const isTreatedAsSent = outcome === 'unknown' && settings.options?.unknownOutcome === 'treatAsSent';
		const isAsWanted = OUTCOMES[outcome] === 'sent' || isTreatedAsSent;
		// If the options cannot be read, their defaults hold.
		if ((reason === '') !== isAsWanted && !(isTreatedAsSent && couldNotTell(told)))
			return `reason '${String(reason)}'`;
		if (reason !== '' && settings.onError === undefined && !isTool) return 'not thrown';
		if (isOnErrorOutput !== (reason !== '' && settings.onError === 'continueErrorOutput'))
			return 'wrong output';
		const isUnclear = this.wasUnclear.has(String(key)) || this.wasUnclear.has(`${lineage} ${nameOf(item)}`);
		const mayBeUnknown = isUnclear || this.isShaken || this.hasOverlapped || couldNotTell(told);
		return outcome === 'unknown' && !mayBeUnknown ? 'nothing has made it unknown' : undefined;
	}

	/** A customer who comes once more is not taken for the one who was sent before, but with a text, and as a tool. */
	private skipped({ item, key = '', outcome }: Told, { settings, isTool }: Try, sentBefore: Set<string>) {
		if (isTool || textFor(item, settings) !== undefined || OUTCOMES[outcome] !== 'sent') return undefined;
		const isSkipped = sentBefore.has(key);
		sentBefore.add(key);
		return isSkipped ? 'told as sent in two runs, with one key' : undefined;
	}

	/** The node names an item. */
	names(key: string, item: Item, { lineage }: Try): void {
		const names = this.customersOf.get(key) ?? new Set();
		this.customersOf.set(key, names.add(`${lineage} ${nameOf(item)}`).add(nameOf(item)));
	}

	/** A customer who was sent with one text has been sent with the other, which was added or removed. */
	isAccepted(key: string): boolean {
		if ((this.timesAccepted.get(key) ?? 0) > 0) return true;
		return this.hasTwoTexts && [...(this.customersOf.get(key) ?? [])].some((name) => this.onCanvas.has(name));
	}

	private allowOnceMore({ item, attempt }: Call): void {
		for (const scope of scopesOf(item, attempt)) {
			const name = `${scope} ${nameOf(item)}`;
			this.wanted.set(name, (this.wanted.get(name) ?? 1) + 1);
		}
	}

	// What is not promised.

	/** The calls of an execution's first second are not stored, but in a Retry, with a text, as a tool, or before n8n 2.14. */
	private isForgotten(key: string): boolean {
		return this.forgotten.has(key);
	}

	/** The table has no lock: of what two workers store at the same moment, one can overwrite the other. */
	private isRaced(key: string): boolean {
		return (
			this.table?.raced.has(claimEntry(key)) === true || this.table?.raced.has(pendingEntry(key)) === true
		);
	}

	/**
	 * With 'Send Again', someone in doubt may be sent twice. In doubt is also who is asked for while n8n is killed, and who is
	 * about to be sent by another run: which takes its claim back if it does not send them.
	 */
	private isWantedAgain({ key, item, attempt }: Call): boolean {
		if (this.hasSentAgain && this.hasOverlapped) return true;
		if (attempt.settings.options?.unknownOutcome !== 'sendAgain') return false;
		return this.isShaken || this.unclear.has(key) || this.unclear.has(`${attempt.lineage} ${nameOf(item)}`);
	}
}

/** An item of whom the node says that it could not look them up: that does not keep them from being sent later. */
function couldNotTell({ reason }: Told): boolean {
	return reason === '' || /could not tell|credential|options of this node/.test(String(reason));
}

/** Within what a customer is sent once. */
function scopesOf(item: Item, { lineage, settings }: Pick<Try, 'lineage' | 'settings'>): string[] {
	const text = textFor(item, settings);
	return text === undefined ? [lineage] : [lineage, `text ${text}`];
}

interface Statement {
	readonly item: Item;
	readonly key?: string;
	readonly says: Says;
}

function statementsOf(end: NodeEnd, { items, keys }: Try): Statement[] {
	const listed = (text: string): Statement[] =>
		Object.entries(LISTS).flatMap(([list, says]) =>
			itemsIn(text.split(`${list}: `)[1] ?? '').map((index) => ({
				item: items[index] as Item,
				key: keys[index],
				says,
			})),
		);
	switch (end.kind) {
		case 'output':
			return end.told.map(({ item, key, outcome }) => ({ item, key, says: OUTCOMES[outcome] ?? 'notSent' }));
		case 'stopped':
			return listed(end.customData.sobot ?? '');
		case 'thrown':
			if (end.text.includes('Nobody was put on the canvas'))
				return items.map((item, index) => ({ item, key: keys[index], says: 'notSent' }));
			return listed(end.text);
	}
}

/** The item numbers of the first list in a text: `3 customers (items 0-1, 4)`. */
export function itemsIn(text: string): number[] {
	const [, numbers = ''] = /^[^.]*?\d+ customers? \(items? ([^)]*)\)/.exec(text) ?? [];
	return numbers
		.split(', ')
		.filter(Boolean)
		.flatMap((range) => {
			const [from = 0, to = from] = range.split('-').map(Number);
			return Array.from({ length: to - from + 1 }, (_, index) => from + index);
		});
}

/** A customer on a canvas, as text. */
export const nameOf = ({ canvas, id }: Item) => `${canvas} ${id}`;

/** How many values have each name. */
export function countBy<Value>(values: Iterable<Value>, name: (value: Value) => string): Map<string, number> {
	const counts = new Map<string, number>();
	for (const value of values) counts.set(name(value), (counts.get(name(value)) ?? 0) + 1);
	return counts;
}
