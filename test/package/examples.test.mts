// The example workflows as files: nothing in them belongs to one n8n, to the sandbox or to a sample customer's canvas.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readExample, type SavedWorkflow } from '../support/examples.mts';
import { ACTION, TRIGGER } from '../support/nodeTypes.mts';

const NAMES = readdirSync(join(process.cwd(), 'docs/examples'))
	.filter((file) => file.endsWith('.json'))
	.map((file) => file.replace(/\.json$/, ''));

describe.each(NAMES)('%s', (name) => {
	let saved: SavedWorkflow;
	beforeAll(async () => (saved = await readExample(name)));

	test('fixes no URL: every import gets one of its own', () => {
		expect(saved.nodes.filter(({ webhookId }) => webhookId !== undefined)).toEqual([]);
	});

	test('has one note, which says what to change after the import', () => {
		const notes = saved.nodes.filter(({ type }) => type === 'n8n-nodes-base.stickyNote');
		expect(notes.map(({ parameters }) => parameters.content)).toEqual([
			expect.stringMatching(/^## .*\nAfter the import:\n1\. /s),
		]);
		const names = saved.nodes.map((node) => node.name);
		const named = [...String(notes[0]?.parameters.content).matchAll(/In (?:both )?\*\*([^*.]+)\*\*/g)];
		for (const [, one] of named) expect(names).toContain(one);
	});

	test('leaves the choice of canvas and credentials to its user', () => {
		for (const { parameters, credentials = {} } of saved.nodes) {
			expect(parameters.canvas ?? { value: '' }).toEqual(expect.objectContaining({ value: '' }));
			for (const { id, name: called } of Object.values(credentials)) {
				expect([id, called]).toEqual(['', expect.not.stringMatching(/sandbox|demo/i)]);
			}
		}
		expect(JSON.stringify(saved)).not.toMatch(/member_no|127\.0\.0\.1|localhost/);
	});

	test('sends no sample customer to a real canvas: it is a dry run until its user changes that', () => {
		const hasSamples = saved.pinData !== undefined || saved.nodes.some(({ type }) => type.endsWith('.set'));
		const onCanvas = saved.nodes.filter(({ parameters }) => parameters.canvas !== undefined);
		for (const { parameters } of hasSamples ? onCanvas : [])
			expect(parameters.options).toEqual(expect.objectContaining({ dryRun: true }));
	});

	test('can be retried after a crash if it is started by hand: n8n has then saved its progress', () => {
		const isByHand = saved.nodes.some(({ type }) => type === 'n8n-nodes-base.manualTrigger');
		const putsOnCanvas = saved.nodes.some(({ parameters }) => parameters.canvas !== undefined);
		expect(saved.settings?.saveExecutionProgress).toBe(isByHand && putsOnCanvas ? true : undefined);
	});

	test('uses the current versions of our nodes, and starts by the clock only what sends nobody twice', () => {
		const triggers = saved.nodes.filter(({ type }) => type === TRIGGER.type);
		expect(triggers.map(({ typeVersion }) => typeVersion)).toEqual(triggers.map(() => TRIGGER.typeVersion));
		if (!saved.nodes.some(({ type }) => /schedule|cron/i.test(type))) return;
		const actions = saved.nodes.filter(({ type }) => type === ACTION.type);
		expect(actions.map(({ parameters }) => parameters.options)).toEqual(
			actions.map(
				() => expect.objectContaining({ sendOncePer: expect.stringMatching(/^\w/) as string }) as object,
			),
		);
	});
});
