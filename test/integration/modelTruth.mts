// Compares what the node says of its customers with what Sobot has accepted.
import type { Item } from './modelNode.mts';
import { countBy, nameOf, type Execution, type ModelOfN8n, type NodeEnd } from './modelOfN8n.mts';

/** What the node says of one item: in its output, in its error or in the list of executions. */
interface Statement {
	readonly item: Item;
	readonly says: 'sent' | 'notSent' | 'unknown';
}

/** A customer of whom more is on a canvas than should be, or other than the node says. */
export interface Difference {
	readonly kind: 'sent twice' | 'told as sent' | 'told as not sent';
	readonly iteration: number;
	/** how the node has ended in this iteration, if it ran in it */
	readonly end?: NodeEnd['kind'];
	readonly text: string;
}

const OUTCOMES: Readonly<Record<string, Statement['says']>> = {
	accepted: 'sent',
	alreadySent: 'sent',
	unknown: 'unknown',
	notSent: 'notSent',
	refused: 'notSent',
	unreachable: 'notSent',
	overLimit: 'notSent',
};

const LISTS_OF_AN_ERROR = {
	Accepted: 'sent',
	Failed: 'notSent',
	'Still to send': 'notSent',
	Unknown: 'unknown',
} as const;

const CUSTOM_DATA = {
	sobot_accepted: 'sent',
	sobot_not_accepted: 'notSent',
	sobot_unknown: 'unknown',
} as const;

/** All differences of an execution that has just ended. With keys, all executions count together. */
export function differencesOf(n8n: ModelOfN8n, execution: Execution, hasKeys: boolean): Difference[] {
	const ends = new Map(execution.ends.map(({ iteration, end }) => [iteration, end]));
	return execution.iterations.flatMap((items, iteration) => {
		const times = n8n.timesOnCanvas(hasKeys ? undefined : { execution, iteration });
		const wanted = countBy(items, nameOf);
		const end = ends.get(iteration);
		const statements = end ? statementsOf(end, items) : [];
		const said = countBy(statements, ({ item, says }) => `${nameOf(item)} ${says}`);
		return [...wanted].flatMap(([name, inInput]): Difference[] => {
			const [sent = 0, unknown = 0, notSent = 0] = ['sent', 'unknown', 'notSent'].map((says) =>
				said.get(`${name} ${says}`),
			);
			const count = times.get(name) ?? 0;
			const most = hasKeys ? 1 : inInput;
			const text = `${name} is on the canvas ${count} times. Told: ${sent} sent, ${unknown} unknown, ${notSent} not sent.`;
			const kinds = [
				...(count > most ? ['sent twice' as const] : []),
				...(Math.min(sent, most) > count ? ['told as sent' as const] : []),
				...(notSent > 0 && count > sent + unknown ? ['told as not sent' as const] : []),
			];
			return kinds.map((kind) => ({ kind, iteration, end: end?.kind, text }));
		});
	});
}

function statementsOf(end: NodeEnd, items: readonly Item[]): Statement[] {
	const listed = (lists: Readonly<Record<string, Statement['says']>>, textOf: (list: string) => string) =>
		Object.entries(lists).flatMap(([list, says]) =>
			itemsIn(textOf(list)).flatMap((index) => {
				const item = items[index];
				return item ? [{ item, says }] : [];
			}),
		);
	switch (end.kind) {
		case 'output':
			return end.told.map(({ item, outcome }) => ({ item, says: OUTCOMES[outcome] ?? 'notSent' }));
		case 'stopped':
			return listed(CUSTOM_DATA, (list) => end.customData[list] ?? '');
		case 'thrown':
			if (end.text.includes('Nothing was sent for any customer'))
				return items.map((item) => ({ item, says: 'notSent' }));
			return listed(LISTS_OF_AN_ERROR, (list) => end.text.split(`${list}: `)[1] ?? '');
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
