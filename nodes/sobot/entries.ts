// The ledger's entries in a store that survives a crash. docs/ledger.md shows what they mean together.

/** A set of entries that survives a crash. */
export interface EntryStore {
	/** Adds entries. Returns those that were there before. Rejects if it could not store them. */
	add(entries: string[]): Promise<ReadonlySet<string>>;
	/** Removes entries; those that are not there do not matter. */
	remove(entries: string[]): Promise<void>;
}

// Each key has two entries. A key that has both is in doubt. The store can only be read by adding to it: entries that were
// added only to read it can therefore put a key in doubt, but never make it count as sent.

/** Added before a call leaves, and removed if Sobot refused it. */
export const sentEntry = (key: string) => `sent ${key}`;
/** Added with `sent`, and removed once the outcome is clear. */
export const openEntry = (key: string) => `open ${key}`;
/** A user's key belongs to one customer on one canvas: otherwise it would make others count as sent. */
export const ownerEntry = (key: string, identity: string) => `owner ${key} ${identity}`;
/** The same for a batch without keys: some run of the node has sent this customer, in an execution or in a Retry of it. */
export const someRunEntry = (identity: string) => `some run ${identity}`;
/** Added before a customer in doubt is sent again, and kept: a late refusal of the earlier call then settles nothing. */
export const againEntry = (key: string) => `again ${key}`;
