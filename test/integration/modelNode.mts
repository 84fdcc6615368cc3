// What n8n hands to the action node in the model: its parameters, credential, deduplication table and HTTP client. Each of
// them fails as a test says.
import type { IExecuteFunctions, IHttpRequestOptions } from 'n8n-workflow';
import { accountKey } from '../../nodes/sobot/account';
import { systemClock } from '../../nodes/sobot/clock';
import type { ModelProcess } from './modelProcess.mts';

/** The trigger IDs of the account's two canvases. */
export const CANVASES = ['1111111111111111111', '2222222222222222222'] as const;

/** An item of the node's input: a customer for a canvas. */
export interface Item {
	readonly id: string;
	readonly canvas: string;
	/** what is wrong with the item's nickname */
	readonly nick?: 'empty' | 'unreadable';
}

/** The node's settings, as on screen. */
export interface Settings {
	readonly onError?: 'continueRegularOutput' | 'continueErrorOutput';
	readonly retryOnFail?: boolean;
	readonly maxTries?: number;
	readonly waitBetweenTries?: number;
	/** whether the node is an agent's tool */
	readonly isTool?: boolean;
	/** whether there is an idempotency key, which names the canvas and the customer */
	readonly hasKeys?: boolean;
	readonly options?: Readonly<Record<string, unknown>>;
}

/** `rejected`: not carried out. `lost`: carried out, but its answer is lost. */
export type TableFate = 'stored' | 'rejected' | 'lost';

/** A call of the deduplication table. */
export interface TableCall {
	/** how many calls came before, in all executions */
	readonly index: number;
	readonly kind: 'add' | 'remove';
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
	/** @param call how many calls to Sobot there have been, in all executions */
	readonly sobot?: (item: Item, call: number) => CallFate;
	/** @param read how often this try has read the credential before */
	readonly isCredentialAway?: (read: number) => boolean;
	readonly areOptionsUnreadable?: () => boolean;
	/** whether the account has no token, and none can be fetched */
	readonly hasNoToken?: boolean;
	readonly killedAfterMs?: number;
	readonly stoppedAfterMs?: number;
}

/** n8n's deduplication table of the node. */
export class ModelTable {
	entries: string[] = [];
	calls = 0;

	constructor(private readonly log: (line: string) => void) {}

	/** Carries out a call, and returns the entries that were there before. */
	async call(
		kind: TableCall['kind'],
		entries: readonly string[],
		faults: Faults,
		process: ModelProcess,
		maxEntries = Infinity,
	): Promise<string[]> {
		await process.alive();
		const index = this.calls++;
		const fate = faults.table?.({ index, kind, entries }) ?? 'stored';
		const onTheWayMs = systemClock.random() < 0.5 ? 1 : 3;
		await systemClock.sleep(onTheWayMs);
		this.log(`table call ${index}: ${kind}, ${fate}: ${shortened(entries)}`);
		if (fate === 'rejected') throw new Error('the database is away');
		const known = this.carryOut(kind, entries, maxEntries);
		await systemClock.sleep(4 - onTheWayMs);
		if (fate === 'lost') throw new Error('the answer of the database was lost');
		return known;
	}

	private carryOut(kind: TableCall['kind'], entries: readonly string[], maxEntries: number): string[] {
		const stored = new Set(this.entries);
		const known = entries.filter((entry) => stored.has(entry));
		if (kind === 'add') {
			for (const entry of entries) stored.add(entry);
			this.entries = [...stored];
			// Source: n8n, DeduplicationHelper.
			if (this.entries.length > maxEntries) this.entries.splice(0, this.entries.length - maxEntries);
		} else {
			const gone = new Set(entries);
			this.entries = this.entries.filter((entry) => !gone.has(entry));
		}
		return known;
	}
}

/** One call that Sobot has accepted. */
export interface Acceptance {
	readonly item: Item;
	/** names the execution and those that continue it */
	readonly lineage: string;
	/** the iteration of the loop */
	readonly iteration: number;
}

/** Sobot, on a machine of its own: a call that has left arrives, whatever happens to n8n. */
export class ModelSobot {
	readonly accepted: Acceptance[] = [];
	private calls = 0;

	constructor(private readonly log: (line: string) => void) {}

	async call(acceptance: Acceptance, faults: Faults, process: ModelProcess): Promise<unknown> {
		await process.alive();
		const { item } = acceptance;
		this.calls++;
		const fate = faults.sobot?.(item, this.calls) ?? 'accepted';
		if (fate !== 'accepted') this.log(`call for ${item.id} on canvas ${item.canvas[0]}: ${fate}`);
		if (fate === 'unreachable') {
			await systemClock.sleep(5);
			throw Object.assign(new Error('not reached'), { code: 'ECONNREFUSED' });
		}
		let isUnderWay = fate === 'accepted' || fate === 'lost';
		const arrive = () => {
			if (isUnderWay) this.accepted.push(acceptance);
			isUnderWay = false;
		};
		process.atDeath(() => {
			if (systemClock.random() < 0.5) arrive();
		});
		await systemClock.sleep(someMs());
		arrive();
		await systemClock.sleep(someMs());
		if (fate === 'lost' || fate === 'lostBefore')
			throw Object.assign(new Error('no answer'), { code: 'ECONNRESET' });
		return { statusCode: 200, body: JSON.stringify({ ret_code: fate === 'accepted' ? '000000' : fate }) };
	}
}

/** The time of half a call. */
const someMs = () => 10 + Math.floor(systemClock.random() * 20);

/** One try of the node. */
export interface Try {
	readonly items: readonly Item[];
	readonly settings: Settings;
	readonly faults: Faults;
	readonly process: ModelProcess;
	readonly table: ModelTable;
	readonly sobot: ModelSobot;
	readonly mode: 'trigger' | 'retry';
	readonly executionId: string;
	readonly lineage: string;
	/** `$execution.resumeUrl` */
	readonly resumeUrl: string;
	/** how many runs of the node n8n only assumes, by its log of a crashed execution */
	readonly assumedRuns: number;
	readonly iteration: number;
	/** the node context */
	readonly context: Record<string, unknown>;
	/** the execution's custom data */
	readonly customData: Record<string, string>;
	readonly signal: AbortSignal;
}

/** The node's `this`. */
export function nodeOf(attempt: Try): IExecuteFunctions {
	const { items, settings, faults, process, table, sobot, customData, iteration, lineage } = attempt;
	let reads = 0;
	const node = {
		getNode: () => ({
			id: 'sobot',
			name: 'Sobot',
			type: settings.isTool ? 'sobotRuleEngineTool' : 'sobotRuleEngine',
			...settings,
		}),
		continueOnFail: () => settings.onError !== undefined,
		getNodeParameter: (name: string, index: number) => parameterOf(attempt, name, index),
		getInputData: () => items.map(({ id }) => ({ json: { id } })),
		getMode: () => attempt.mode,
		getExecutionId: () => attempt.executionId,
		getContext: () => attempt.context,
		getWorkflowDataProxy: () => ({
			$runIndex: iteration + attempt.assumedRuns,
			$execution: {
				resumeUrl: attempt.resumeUrl,
				customData: { set: (key: string, value: string) => (customData[key] = value) },
			},
		}),
		getCredentials: async () => {
			await process.alive();
			if (faults.isCredentialAway?.(reads++) === true) throw new Error('the database is locked');
			return credentialOf(process, faults);
		},
		getWorkflow: () => ({ id: `workflow in ${process.name}` }),
		getExecutionCancelSignal: () => attempt.signal,
		addExecutionHints: () => undefined,
		helpers: {
			checkProcessedAndRecord: async (
				entries: string[],
				_: string,
				{ maxEntries }: { maxEntries: number },
			) => ({
				processed: await table.call('add', entries, faults, process, maxEntries),
			}),
			removeProcessed: async (entries: string[]) => {
				await table.call('remove', entries, faults, process);
			},
			httpRequest: async ({ body, headers }: IHttpRequestOptions) => {
				const { Contact_id: id } = JSON.parse(String(body)) as { Contact_id: string };
				const item = { id, canvas: String(headers?.['trigger-id']) };
				return await sobot.call({ item, lineage, iteration }, faults, process);
			},
			httpRequestWithAuthentication: async () => {
				await process.alive();
				throw new Error('no token can be fetched');
			},
		},
	};
	return node as unknown as IExecuteFunctions;
}

function parameterOf({ items, settings, faults }: Try, name: string, index: number): unknown {
	const { id, canvas, nick } = items[index] ?? {};
	switch (name) {
		case 'options':
			if (faults.areOptionsUnreadable?.() === true) throw new Error('the expression failed');
			return { ...settings.options, ...(settings.hasKeys ? { idempotencyKey: `${canvas} ${id}` } : {}) };
		case 'dataMode':
			return 'defineBelow';
		case 'contactId':
			return id;
		case 'nick':
			if (nick === 'unreadable') throw new Error('the expression failed');
			return nick === 'empty' ? '' : 'N';
		case 'additionalFields.field':
			return [];
		case 'canvas':
			return canvas;
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
	const more = entries.length > 3 ? `, ... (${entries.length})` : '';
	return `${entries.slice(0, 3).join(', ')}${more}`;
}
