// What n8n hands to the action node in the model: its parameters, credential, deduplication table and HTTP client. Each of
// them fails as a test says.
import type { IExecuteFunctions, IGetNodeParameterOptions, IHttpRequestOptions } from 'n8n-workflow';
import { SendHistory } from '../../nodes/SobotRuleEngine/canvas/sendHistory';
import { accountKey } from '../../nodes/sobot/account/account';
import { systemClock } from '../../nodes/sobot/clock';
import { claimEntry, pendingEntry } from '../../nodes/sobot/ledger/entries';
import { SimulatedTable } from '../support/simulatedTable.mts';
import type { ModelProcess } from './modelProcess.mts';
import type { ModelTruth } from './modelTruth.mts';

/** The trigger IDs of the account's two canvases. */
export const CANVASES = ['1111111111111111111', '2222222222222222222'] as const;

/** An item of the node's input: a customer for a canvas. */
export interface Item {
	readonly id: string;
	readonly canvas: string;
	/** their order number, for a 'Send Once Per' that is `BY_ORDER` */
	readonly order?: string;
}

/** An expression for 'Send Once Per'. */
export const BY_ORDER = '={{ $json.order }}';

/** The node's settings, as on screen. */
export interface Settings {
	readonly onError?: 'continueRegularOutput' | 'continueErrorOutput';
	readonly retryOnFail?: boolean;
	readonly maxTries?: number;
	readonly waitBetweenTries?: number;
	/** the option 'Send Once Per': a text, or `BY_ORDER` */
	readonly sendOncePer?: string;
	readonly options?: Readonly<Record<string, unknown>>;
}

/** `rejected`: not carried out. `lost`: carried out, but its answer is lost. */
export type TableFate = 'stored' | 'rejected' | 'lost';

/** A call of the deduplication table. */
export interface TableCall {
	/** how many calls this execution has made before */
	readonly index: number;
	readonly kind: 'add' | 'remove' | 'count';
	readonly entries: readonly string[];
}

/**
 * What becomes of a call to Sobot.
 *
 * - a return code: Sobot answers with it
 * - `unreachable`: the call does not leave
 * - `lost`: it arrives, but its answer does not
 * - `lostBefore`: neither does
 */
export type CallFate = 'accepted' | '910024' | '910026' | 'unreachable' | 'lost' | 'lostBefore';

/** What goes wrong in one execution. */
export interface Faults {
	readonly table?: (call: TableCall) => TableFate;
	readonly sobot?: (item: Item) => CallFate;
	/** @param read how often this try has read the credential before */
	readonly isCredentialAway?: (read: number) => boolean;
	readonly areOptionsUnreadable?: () => boolean;
	readonly nick?: (item: Item) => 'empty' | 'unreadable' | undefined;
	/** whether the account has no token, and none can be fetched */
	readonly hasNoToken?: boolean;
	/** @param step how many steps of the process came before: pauses, and reads and writes that begin or end */
	readonly isKilled?: (step: number) => boolean;
	readonly isStopped?: (step: number) => boolean;
}

/** One try of the node. */
export interface Try {
	readonly items: readonly Item[];
	readonly settings: Settings;
	readonly faults: Faults;
	readonly process: ModelProcess;
	readonly mode: 'trigger' | 'retry';
	readonly executionId: string;
	/** names what the node can know to belong together: an execution and its Retries, or one step of Engine 2.0 */
	readonly lineage: string;
	/** `$execution.resumeUrl` */
	readonly resumeUrl: string;
	readonly $runIndex: number;
	readonly isTool: boolean;
	/** whether nothing may be sent before it is stored, not even in the execution's first second */
	readonly isAlwaysStored: boolean;
	/** the node context */
	readonly context: Record<string, unknown>;
	/** the execution's custom data */
	readonly customData: Record<string, string>;
	/** how often this execution has called the table */
	readonly tableCalls: { count: number };
	/** undefined on Engine 2.0 */
	readonly signal?: AbortSignal;
	/** the ledger's key of each item that tells which customer it is; filled by the node */
	readonly keys: Array<string | undefined>;
}

/** n8n's deduplication table of the node, whose calls take time and can fail. */
export class ModelTable extends SimulatedTable {
	constructor(
		private readonly log: (line: string) => void,
		private readonly truth: ModelTruth,
		/** the longest time of a read or write, in ms */
		mostMs: number,
	) {
		super(async () => await systemClock.sleep(1 + Math.floor(systemClock.random() * mostMs)));
	}

	/** Whether a key's claim is stored without a pending entry. */
	showsAccepted(key: string): boolean {
		return this.holds(key) && !this.has(pendingEntry(key));
	}

	/** Whether a key's claim is stored. */
	holds(key: string): boolean {
		return this.has(claimEntry(key));
	}

	/** Carries out a call. */
	async call<Result>(
		kind: TableCall['kind'],
		entries: readonly string[],
		{ faults, process, tableCalls }: Try,
		work: () => Promise<Result>,
	): Promise<Result> {
		await process.step();
		const index = tableCalls.count++;
		const fate = faults.table?.({ index, kind, entries }) ?? 'stored';
		this.log(`${process.name} table call ${index}: ${kind}, ${fate}: ${shortened(entries)}`);
		if (fate !== 'stored') this.truth.strikes(`table ${fate}`);
		if (fate === 'rejected') throw new Error('the database is away');
		if (kind === 'add' && new Set(entries).size < entries.length)
			this.truth.faults.push(`an entry twice in one add: ${entries.join()}`);
		const forget = process.atDeath(() => this.truth.strikes(`killed in ${this.what(kind, entries)}`));
		const { races } = this;
		const result = await work();
		// Others than these change only where two processes overwrite each other.
		this.truth.checkTable(this.races === races ? entries.map(keyOf) : undefined);
		await systemClock.sleep(Math.floor(systemClock.random() * 2));
		forget();
		if (fate !== 'lost') return result;
		// The removal is repeated, and can hit what another worker has stored meanwhile.
		if (kind === 'remove' && this.truth.hasOverlapped) for (const entry of entries) this.raced.add(entry);
		throw new Error('the answer of the database was lost');
	}

	private what(kind: TableCall['kind'], entries: readonly string[]): string {
		const isCalled = ([...this.truth.calledKeys] as string[]).some((key) =>
			entries.includes(pendingEntry(key)),
		);
		return kind === 'add' && isCalled ? 'an add of keys called before' : kind;
	}
}

/** The key of a claim or of what is pending. */
export const keyOf = (entry: string) => entry.split(' ')[1] ?? '';

/** A call to Sobot for an item. */
export interface Call {
	readonly item: Item;
	readonly key: string;
	readonly attempt: Try;
}

/** Sobot, on a machine of its own: a call that has left arrives, whatever happens to n8n. */
export class ModelSobot {
	readonly accepted: Call[] = [];

	constructor(
		private readonly log: (line: string) => void,
		private readonly truth: ModelTruth,
	) {}

	async call(call: Call): Promise<unknown> {
		const { item, attempt } = call;
		await attempt.process.step();
		const fate = attempt.faults.sobot?.(item) ?? 'accepted';
		this.log(`call for ${item.id} on canvas ${item.canvas[0]}, key ${call.key}: ${fate}`);
		this.truth.leaves(call);
		const wasInDoubt = this.truth.isInDoubt(call.key);
		let isOnTheWay = fate === 'accepted' || fate === 'lost';
		const arrive = () => {
			if (isOnTheWay) this.accept(call);
			isOnTheWay = false;
		};
		const cutOff = () => this.truth.isUnclear(call);
		attempt.signal?.addEventListener('abort', cutOff);
		if (attempt.signal?.aborted === true) cutOff();
		const forget = attempt.process.atDeath(() => {
			cutOff();
			if (systemClock.random() < 0.5) arrive();
		});
		await systemClock.sleep(someMs());
		arrive();
		await systemClock.sleep(someMs());
		forget();
		attempt.signal?.removeEventListener('abort', cutOff);
		if (fate === 'unreachable') throw Object.assign(new Error('not reached'), { code: 'ECONNREFUSED' });
		if (fate.startsWith('lost')) {
			cutOff();
			throw Object.assign(new Error('no answer'), { code: 'ECONNRESET' });
		}
		// After a stop, the node may have ended before.
		if (fate === 'accepted' ? attempt.signal?.aborted !== true : !wasInDoubt) this.truth.isClear(call);
		return { statusCode: 200, body: JSON.stringify({ ret_code: fate === 'accepted' ? '000000' : fate }) };
	}

	private accept(call: Call): void {
		this.accepted.push(call);
		this.truth.accepts(call);
	}
}

/** The time of half a call. */
const someMs = () => 10 + Math.floor(systemClock.random() * 20);

/** The item whose parameters a try is reading. */
const readingOf = new WeakMap<IExecuteFunctions, { index: number; isNamed: (key: string) => void }>();

// The node names a customer while it reads the item.
const { identify } = SendHistory.prototype;
SendHistory.prototype.identify = function (this: SendHistory, ...of) {
	const identity = identify.apply(this, of);
	readingOf.get((this as unknown as { node: IExecuteFunctions }).node)?.isNamed(identity.key);
	return identity;
};

/** What an execution needs of the model. */
export interface Outside {
	readonly table: ModelTable;
	readonly sobot: ModelSobot;
	readonly truth: ModelTruth;
}

/** The node's `this`. */
export function nodeOf(attempt: Try, { table, sobot, truth }: Outside): IExecuteFunctions {
	const { items, settings, faults, process, customData } = attempt;
	const isNamed = (key: string) => {
		attempt.keys[reading.index] = key;
		truth.names(key, items[reading.index] as Item, attempt);
	};
	const reading = { index: 0, isNamed };
	let reads = 0;
	const input = items.map(({ id }) => ({ json: { id } }));
	const node = {
		getNode: () => ({
			id: 'sobot',
			name: 'Sobot',
			type: attempt.isTool ? 'sobotRuleEngineTool' : 'sobotRuleEngine',
			parameters: { options: { sendOncePer: settings.sendOncePer } },
			...settings,
		}),
		continueOnFail: () => settings.onError !== undefined,
		getNodeParameter: (
			name: string,
			index: number,
			_: unknown,
			{ rawExpressions = false }: IGetNodeParameterOptions = {},
		) => {
			if (rawExpressions) return RAW[name];
			reading.index = index;
			return parameterOf(attempt, name, index);
		},
		getInputData: () => input,
		getMode: () => attempt.mode,
		getExecutionId: () => attempt.executionId,
		getContext: () => attempt.context,
		getWorkflowDataProxy: () => ({
			$runIndex: attempt.$runIndex,
			$execution: {
				resumeUrl: attempt.resumeUrl,
				customData: {
					set: (key: string, value: string) => (customData[key] = value),
				},
			},
		}),
		getCredentials: async () => {
			await process.step();
			if (faults.isCredentialAway?.(reads++) === true) throw new Error('the database is locked');
			return credentialOf(process, faults);
		},
		getWorkflow: () => ({ id: `workflow in ${process.name}` }),
		getExecutionCancelSignal: () => attempt.signal,
		addExecutionHints: () => undefined,
		logger: { info: () => undefined, warn: () => undefined },
		helpers: {
			checkProcessedAndRecord: async (
				entries: string[],
				_: string,
				{ maxEntries }: { maxEntries?: number },
			) => ({
				processed: await table.call(
					'add',
					entries,
					attempt,
					async () => await table.add(entries, maxEntries),
				),
			}),
			removeProcessed: async (entries: string[]) =>
				await table.call('remove', entries, attempt, async () => await table.remove(entries)),
			getProcessedDataCount: async () =>
				await table.call('count', [], attempt, async () => table.entries.length),
			httpRequest: async ({ body }: IHttpRequestOptions) => {
				const { nick } = JSON.parse(String(body)) as { nick: string };
				const index = Number(nick.slice(1));
				return await sobot.call({ item: items[index] as Item, key: attempt.keys[index] as string, attempt });
			},
			httpRequestWithAuthentication: async () => {
				await process.step();
				throw new Error('no token can be fetched');
			},
		},
	} as unknown as IExecuteFunctions;
	readingOf.set(node, reading);
	return node;
}

/** The value of 'Send Once Per' for an item. */
export function textFor({ order }: Item, { sendOncePer }: Settings): string | undefined {
	return sendOncePer === BY_ORDER ? order : sendOncePer;
}

/** The parameters as they are typed: what depends on the item is an expression that only n8n can resolve. */
const RAW: Readonly<Record<string, unknown>> = {
	options: { sendOncePer: '={{ f($json) }}' },
	dataMode: 'defineBelow',
	contactId: '={{ f($json) }}',
	nick: '={{ f($json) }}',
	canvas: '={{ f($json) }}',
	'additionalFields.field': [],
};

function parameterOf({ items, settings, faults }: Try, name: string, index: number): unknown {
	const item = items[index] as Item;
	switch (name) {
		case 'options': {
			if (faults.areOptionsUnreadable?.() === true) throw new Error('the expression failed');
			const sendOncePer = textFor(item, settings);
			return { ...settings.options, ...(sendOncePer === undefined ? {} : { sendOncePer }) };
		}
		case 'dataMode':
			return 'defineBelow';
		case 'contactId':
			return item.id;
		case 'nick': {
			const nick = faults.nick?.(item);
			if (nick === 'unreadable') throw new Error('the expression failed');
			return nick === 'empty' ? '' : `N${index}`;
		}
		case 'additionalFields.field':
			return [];
		case 'canvas':
			return item.canvas;
		default:
			return undefined;
	}
}

/** What the package keeps for an account and for a canvas is not shared between processes, so each one has its own address. */
function credentialOf({ name }: ModelProcess, { hasNoToken }: Faults) {
	const baseUrl = `https://${name}.example.com`;
	const dayMs = 86_400_000;
	return {
		region: 'custom',
		baseUrl,
		appId: 'a',
		appKey: 'k',
		token: hasNoToken ? '' : 't',
		tokenFetchedAt: String(systemClock.epochMs()),
		tokenExpiresAt: String(systemClock.epochMs() + dayMs),
		tokenAccount: accountKey({ baseUrl, appId: 'a', appKey: 'k' }),
		canvases: { canvas: CANVASES.map((triggerId) => ({ name: triggerId, triggerId, secret: 's' })) },
	};
}

function shortened(entries: readonly string[]): string {
	const more = entries.length > 6 ? `, ... (${entries.length})` : '';
	return `${entries.slice(0, 6).join(', ')}${more}`;
}
