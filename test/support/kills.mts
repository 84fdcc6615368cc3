// A batch that was cut off and sent again: nobody twice, nobody missing without being named. What the sandbox saw is
// compared with what n8n shows; the figures of all kills go into docs/kills.md.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Sandbox } from '../sandbox/server.mts';
import type { Credentials } from './credentials.mts';
import { writeFigures, WRITES_FIGURES } from './figures.mts';
import type { Execution, Item } from './n8n/n8n.mts';
import { printTable } from './table.mts';
import { underTest } from './underTest.mts';
import { until } from './until.mts';
import { actionNode, canvasLocator, FROM_ITEM, type SavedNode } from './workflows.mts';

/** Takes five seconds to send, and more than one write of its record. */
export const CUSTOMERS = 250;
/** of an execution's first second of sending, at the most */
export const OF_A_SECOND = 60;
/** of the calls that left in the last second, with those that were about to */
export const MOST_IN_DOUBT = 60;

/** Kills for a test: enough to see a fault, or as many as the document's figures need. */
export function killsOf(theDocument: number): number {
	return Number(process.env.KILLS ?? (WRITES_FIGURES ? theDocument : 1));
}

/** Whether this run is for the document's figures: what only measures is left out otherwise. */
export const MEASURES = killsOf(2) > 1;

/** Random moments before the end of a batch, in ms after the first customer was accepted. */
export function moments(count: number): number[] {
	return Array.from({ length: count }, () => Math.floor(Math.random() * 4800));
}

/** The option with which nobody of a batch is sent twice, whatever happens. */
export const ONCE = { sendOncePer: 'spring' };

/** The action. What is in doubt does not end the batch. */
export function cutOffNode(
	credentials: Credentials,
	triggerId: string,
	options: Record<string, unknown> = {},
	parameters: Record<string, unknown> = {},
): SavedNode {
	return actionNode(credentials, {
		...FROM_ITEM,
		canvas: canvasLocator(triggerId),
		options: { unknownOutcome: 'treatAsSent', ...options },
		...parameters,
	});
}

export const customersOf = (batch: string, count = CUSTOMERS) =>
	Array.from({ length: count }, (_, i) => ({ id: `${batch}-${i}`, name: 'N' }));

/** How often each customer of a batch was accepted. */
function timesOf(sandbox: Sandbox, batch: string, count?: number): number[] {
	const times = new Map(customersOf(batch, count).map(({ id }) => [id, 0]));
	for (const { contactId } of sandbox.accepted) {
		const before = times.get(contactId);
		if (before !== undefined) times.set(contactId, before + 1);
	}
	return [...times.values()];
}

export const acceptedOf = (sandbox: Sandbox, batch: string) =>
	timesOf(sandbox, batch).reduce((sum, count) => sum + count, 0);

export interface Truth {
	unknown: number;
	missing: number;
	twice: number;
}

/** @param items what the last execution put out for each customer */
export function truthOf(sandbox: Sandbox, batch: string, items: readonly Item[], count?: number): Truth {
	const times = timesOf(sandbox, batch, count);
	const outcomes = new Map(items.map(({ json }) => [json.contactId, json.outcome]));
	const isUnknown = (index: number) => outcomes.get(`${batch}-${index}`) === 'unknown';
	return {
		unknown: times.filter((_, index) => isUnknown(index)).length,
		missing: times.filter((count, index) => count === 0 && !isUnknown(index)).length,
		twice: times.filter((count) => count > 1).length,
	};
}

/**
 * Compares the output of a later execution with the sandbox's records. Returns the row for the table.
 *
 * @param before how many were accepted before the kill, without 'Send Once Per': those of the first second are sent again
 */
export function expectTruth(
	sandbox: Sandbox,
	batch: string,
	items: readonly Item[],
	before = Infinity,
	count = CUSTOMERS,
): Truth {
	const truth = truthOf(sandbox, batch, items, count);
	const { unknown, twice } = truth;
	const mostTwice = before > OF_A_SECOND ? 0 : before;
	expect({ batch, ...truth }).toEqual({ batch, unknown, missing: 0, twice: Math.min(twice, mostTwice) });
	expect(unknown).toBeLessThanOrEqual(MOST_IN_DOUBT);
	expect(items.length).toBe(count);
	for (const { json } of items) expect(['accepted', 'alreadySent', 'unknown']).toContain(json.outcome);
	return truth;
}

/** Compares the error of a later execution with On Error: Stop: the others are sent, and it names those in doubt. */
export function expectDoubtNamed(
	sandbox: Sandbox,
	batch: string,
	{ status, data }: Execution,
	count = CUSTOMERS,
): Truth {
	const { message = '', description = '' } = data.resultData.error ?? {};
	const named = itemsIn(/Unknown: [^(]*\((items? [\d, -]+)\)/.exec(description)?.[1]);
	const items = named.map((item) => ({ json: { contactId: `${batch}-${item}`, outcome: 'unknown' } }));
	const truth = truthOf(sandbox, batch, items, count);
	expect({ status, ...truth }).toEqual({ status: 'error', unknown: named.length, missing: 0, twice: 0 });
	expect(message).toMatch(
		new RegExp(`^Customer ${batch}-${named[0]} \\(item ${named[0]}\\): .*Sobot may or may not have`),
	);
	return truth;
}

/** The numbers in "items 0-1, 4". */
export function itemsIn(list = ''): number[] {
	return [...list.matchAll(/(\d+)(?:-(\d+))?/g)].flatMap(([, from, to]) => {
		const first = Number(from);
		return Array.from({ length: Number(to ?? from) - first + 1 }, (_, i) => first + i);
	});
}

/** Before n8n 2.14, Retry of a crashed execution sends everyone again, unless 'Send Once Per' is set. */
export function expectSentAgain(
	sandbox: Sandbox,
	batch: string,
	items: readonly Item[],
	before: number,
	count = CUSTOMERS,
): Truth {
	const truth = truthOf(sandbox, batch, items, count);
	expect({ batch, ...truth }).toEqual({ batch, unknown: 0, missing: 0, twice: before });
	expect(new Set(items.map(({ json }) => json.outcome))).toEqual(new Set(['accepted']));
	return truth;
}

/** Waits for a moment in batches that have just been started. */
export async function untilMoment(
	sandbox: Sandbox,
	batches: readonly string[],
	moment: number,
): Promise<void> {
	await until('the first customers', () => batches.some((batch) => acceptedOf(sandbox, batch) > 0), 60_000);
	await sleep(moment);
}

/** One kill, as a row of the table. */
export interface Kill {
	moment: number;
	again: string;
	accepted: number;
	truth: Truth;
}

/** Prints what became of each batch, and with WRITE_FIGURES=1 writes a summary into the document. */
export function reportKills(what: string, kills: readonly Kill[]): void {
	if (kills.length === 0) return;
	const title = `${what}, n8n ${underTest().runtime.version}`;
	const sorted = kills.toSorted((a, b) => a.again.localeCompare(b.again) || a.moment - b.moment);
	printTable(
		`${title}, each`,
		['Rest sent by', 'Killed after (ms)', 'Accepted before', 'Unknown', 'Missing', 'Sent twice'],
		sorted.map(({ moment, again, accepted, truth: { unknown, missing, twice } }) => [
			again,
			...[moment, accepted, unknown, missing, twice].map(String),
		]),
	);
	const groups = [...new Set(sorted.map(({ again }) => again))].map((again) =>
		summaryOf(
			again,
			sorted.filter((kill) => kill.again === again),
		),
	);
	writeFigures(
		'kills',
		title,
		['Rest sent by', 'Kills', 'Killed after (ms)', 'Accepted before', 'Unknown', 'Missing', 'Sent twice'],
		[...groups, summaryOf('**all**', kills)],
	);
}

function summaryOf(name: string, kills: readonly Kill[]): string[] {
	const sum = (pick: (kill: Kill) => number) => kills.reduce((all, kill) => all + pick(kill), 0);
	const [earliest, latest] = [Math.min, Math.max].map((pick) => pick(...kills.map(({ moment }) => moment)));
	const most = Math.max(...kills.map(({ truth }) => truth.unknown));
	const unknown = sum(({ truth }) => truth.unknown);
	return [
		name,
		String(kills.length),
		earliest === latest ? String(earliest) : `${earliest} to ${latest}`,
		String(sum(({ accepted }) => accepted)),
		kills.length === 1 ? String(unknown) : `${unknown}, at most ${most} in one kill`,
		String(sum(({ truth }) => truth.missing)),
		String(sum(({ truth }) => truth.twice)),
	];
}
