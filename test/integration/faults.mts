// What tests of crashes and faults share: an n8n, its executions, and what goes wrong in them.
import type { Faults, Item, Settings } from './modelNode.mts';
import { ModelOfN8n, toldBy, type Execution, type Kind } from './modelOfN8n.mts';
import { nameOf } from './modelTruth.mts';

/** The n8n of a test: a new one for each. */
export let n8n: ModelOfN8n;

/** Another n8n instead. @param tableMs how long a step of its table takes at most */
export const begin = (kind: Kind = { version: '2' }, tableMs?: number, seed = 1) =>
	(n8n = new ModelOfN8n(seed, kind, tableMs));

/** Has each test of a file begin with an n8n of its own, and end without a broken promise. */
export function withOwnN8n(): void {
	beforeEach(() => begin());
	afterEach(() => {
		n8n.end();
		expect(n8n.truth.faults).toEqual([]);
	});
}

export const CONTINUE: Settings = { onError: 'continueRegularOutput' };
export const ERROR_OUTPUT: Settings = { onError: 'continueErrorOutput' };
export const TREAT_AS_SENT: Settings = { options: { unknownOutcome: 'treatAsSent' } };
export const SEND_AGAIN: Settings = { options: { unknownOutcome: 'sendAgain' } };
export const WITH_TEXT: Settings = { sendOncePer: 'spring' };

export const killedAfter = (accepted: number): Faults => ({
	isKilled: () => n8n.sobot.accepted.length >= accepted,
});
/** Something happens to a customer's first calls. */
export function once(fate: '910026' | 'lost', ...ids: string[]): Faults {
	const left = new Set(ids);
	return { sobot: ({ id }) => (left.delete(id) ? fate : 'accepted') };
}
export const CREDENTIAL_AWAY: Faults = { isCredentialAway: () => true };

export const run = async (items: readonly Item[], settings: Settings = {}, faults: Faults = {}) =>
	await n8n.run(n8n.execution([items]), { settings, faults });
export const retry = async (
	failed: Execution,
	settings: Settings = {},
	faults: Faults = {},
	list?: Item[][],
) => await n8n.run(n8n.retryOf(failed, list), { settings, faults, worker: 1 });

export const chunks = (items: readonly Item[], size: number) =>
	Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));

/** Entries of others. */
export const filled = (count: number, name = 'another') =>
	Array.from({ length: count }, (_, i) => `claim of ${name} ${i}`);

/** How many items the last run has told each outcome of. */
export const outcomes = (execution: Execution) =>
	Object.fromEntries(
		['accepted', 'alreadySent', 'unknown', 'notSent', 'refused']
			.map((name) => [name, toldBy(execution).filter(({ outcome }) => outcome === name).length] as const)
			.filter(([, count]) => count > 0),
	);
/** Everyone is on the canvas or was named as unknown. */
export function expectAll(execution: Execution, count: number): void {
	const unknown = toldBy(execution).filter(({ outcome }) => outcome === 'unknown');
	const names = [...n8n.timesOnCanvas().keys(), ...unknown.map(({ item }) => nameOf(item))];
	expect(new Set(names).size).toBe(count);
	expect(unknown.length).toBeLessThan(60);
}
