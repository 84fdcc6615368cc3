// The model of n8n's deduplication table that other tests use, against the real one: the same random changes, the same
// answers.
import { resolve } from 'node:path';
import fc from 'fast-check';
import { N8n } from '../support/n8n/n8n.mts';
import { SimulatedTable } from '../support/simulatedTable.mts';
import { underTest } from '../support/underTest.mts';
import { chain, node, outputOf } from '../support/workflows.mts';

jest.setTimeout(180_000);

interface Step {
	add?: string[];
	/** drops none if left out */
	maxEntries?: number;
	remove?: string[];
}

interface Answer {
	/** those that were there before; undefined for a removal */
	processed?: string[];
	/** how many entries there are afterwards */
	count: number;
}

let n8n: N8n;

beforeAll(async () => {
	n8n = await N8n.start({ runtime: underTest().runtime, morePackages: [resolve('test/e2e/table-probe')] });
});
afterAll(async () => await n8n.stop());

/** What n8n answers to steps in a new table. */
async function answersOfN8n(steps: readonly Step[]): Promise<Answer[]> {
	const workflow = await n8n.createWorkflow({
		name: 'Table',
		nodes: [
			node('By hand', 'n8n-nodes-base.manualTrigger', 1, {}),
			node('Probe', 'n8n-nodes-table-probe.tableProbe', 1, { steps: JSON.stringify(steps) }),
		],
		connections: chain('By hand', 'Probe'),
	});
	const execution = await n8n.execute(workflow);
	return outputOf(execution, 'Probe').map(({ json }) => json as unknown as Answer);
}

async function answersOfModel(steps: readonly Step[]): Promise<Answer[]> {
	const table = new SimulatedTable(async () => await Promise.resolve());
	const answers: Answer[] = [];
	for (const { add, maxEntries, remove } of steps) {
		const processed = add && (await table.add(add, maxEntries));
		if (remove) await table.remove(remove);
		answers.push({ ...(processed && { processed }), count: table.entries.length });
	}
	return answers;
}

const entries = (minLength: number) =>
	fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'), { minLength, maxLength: 6 });
const step: fc.Arbitrary<Step> = fc.oneof(
	fc.record({ add: entries(1), maxEntries: fc.integer({ min: 3, max: 12 }) }),
	fc.record({ add: entries(1) }),
	fc.record({ remove: entries(1) }),
);

test('an entry that is given twice is stored twice, and removed once; the oldest are dropped', async () => {
	const steps: Step[] = [
		{ remove: ['a'] },
		{ add: ['a', 'a', 'b'], maxEntries: 10 },
		{ remove: ['a'] },
		{ add: ['a', 'c', 'd'], maxEntries: 3 },
		{ add: ['b', 'a'], maxEntries: 10 },
	];
	const stated: Answer[] = [
		{ count: 0 },
		{ processed: [], count: 3 },
		{ count: 2 },
		{ processed: ['a'], count: 3 },
		{ processed: ['b'], count: 4 },
	];
	expect(await answersOfModel(steps)).toEqual(stated);
	expect(await answersOfN8n(steps)).toEqual(stated);
});

test('400 random changes of the table', async () => {
	const steps = fc.sample(step, 400);
	const answers = await answersOfN8n(steps);
	expect(answers.some(({ processed = [] }) => processed.length > 1)).toBe(true);
	expect(answers).toEqual(await answersOfModel(steps));
});
