// What a user reads about a batch of customers: one output item each, or an error that tells a second run what is left.
import type { Delivered } from '../../sobot/delivery';
import type { Verdict } from '../../sobot/returnCodes';

/** An item's own words for its failure: what happened, then what to do. */
export function failureText({ message, advice }: Pick<Verdict, 'message' | 'advice'>): string {
	return advice === '' ? message : `${message} ${advice}`;
}

/** How a stopped batch stands, so that a second run need not repeat what was accepted. Items count from 0, as in n8n. */
export function summarize(delivered: readonly Delivered[]): string {
	const indexes = (matches: (outcome: string | undefined) => boolean) =>
		delivered.flatMap(({ verdict }, index) => (matches(verdict?.outcome) ? [index] : []));
	const accepted = indexes((outcome) => outcome === 'accepted');
	const lists = [
		['Failed', indexes((o) => o !== undefined && o !== 'accepted' && o !== 'unknown')],
		['May or may not be on the canvas', indexes((o) => o === 'unknown')],
		['Not sent', indexes((o) => o === undefined)],
	] as const;
	return [
		`Sobot accepted ${accepted.length} of ${delivered.length} items${accepted.length > 0 ? `: ${ranges(accepted)}` : ''}.`,
		...lists.filter(([, list]) => list.length > 0).map(([label, list]) => `${label}: ${ranges(list)}.`),
		'Items count from 0. Run again with only those that are not accepted.',
	].join(' ');
}

/** Ascending numbers, with runs drawn together: `0-4, 7, 9-10`. */
export function ranges(numbers: readonly number[]): string {
	const runs: Array<[number, number]> = [];
	for (const n of numbers) {
		const last = runs.at(-1);
		if (last && last[1] === n - 1) last[1] = n;
		else runs.push([n, n]);
	}
	return runs.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ');
}
