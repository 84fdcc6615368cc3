// The ledger's entries in a store that survives a crash. docs/ledger.md shows what they mean together.

/** A list of entries that survives a crash. It can only be read by adding to it. */
export interface EntryStore {
	/** Adds entries, each once. Returns those that were there before. Rejects if it could not store them. */
	add(entries: string[]): Promise<ReadonlySet<string>>;
	/** Removes entries; those that are not there do not matter. */
	remove(entries: string[]): Promise<void>;
}

/** Added before a call leaves, and removed if Sobot did not carry it out. */
export const claimEntry = (key: string) => `claim ${key}`;
/** Added with the claim, and removed once the outcome is clear: a claim alone is an acceptance. */
export const pendingEntry = (key: string) => `pending ${key}`;
/** Both entries of a key. */
export const entriesOf = (key: string) => [claimEntry(key), pendingEntry(key)];

/**
 * Two pairs of markers around the customers of a campaign. As the store drops its oldest entries first, a last one without
 * its first one means that customers are forgotten. The pairs are asked for one after the other, since asking adds them: so
 * one question whose answer gets lost cannot mislead.
 */
export interface Campaign {
	/** entries that are added before the first customer */
	readonly first: readonly [string, string];
	/** entries behind the latest customer, each in two forms: one is added at the end before the other one is removed */
	readonly last: readonly [Forms, Forms];
}
type Forms = readonly [string, string];

/** How many entries a campaign keeps beside those of its customers. */
export const ENTRIES_OF_CAMPAIGN = 6;

/** @param name the same for all customers of the campaign */
export const campaignOf = (name: string): Campaign => ({
	first: [`first ${name} 1`, `first ${name} 2`],
	last: [
		[`last ${name} 1`, `last ${name} 1 again`],
		[`last ${name} 2`, `last ${name} 2 again`],
	],
});
