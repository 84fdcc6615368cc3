// The fields that n8n's editor offers before the first run, beside those that the action really puts out.
import { readFileSync } from 'node:fs';
import { parsePush } from '../../nodes/SobotWebhookApp/parsePush';
import { WHOLE_PUSH } from '../support/pushes.mts';
import { shareAction } from './actionSetting.mts';
import { CONTINUE, people } from './customers.mts';
import { runAcknowledge } from './runAcknowledge.mts';
import { StoredCredentials } from './storedCredentials.mts';

const { run } = shareAction(() => new StoredCredentials());

interface Schema {
	type: string;
	properties?: Record<string, Schema>;
	items?: Schema;
}

const readSchema = (operation: string) => {
	const file = `nodes/SobotRuleEngine/__schema__/v1.0.0/${operation}.json`;
	return JSON.parse(readFileSync(file, 'utf8')) as Schema & { version: number };
};

/** The schema of a value. Custom fields have names of their own in each account. */
function schemaOf(value: unknown, depth = 0): Schema {
	if (Array.isArray(value)) return { type: 'array', items: schemaOf(value[0], depth + 1) };
	if (typeof value !== 'object' || value === null) return { type: typeof value };
	if (depth > 0) return { type: 'object' };
	const fields = Object.entries(value).map(([name, one]) => [name, schemaOf(one, depth + 1)] as const);
	return { type: 'object', properties: Object.fromEntries(fields) };
}

test('Acknowledge passes on what the trigger puts out', async () => {
	const push = parsePush(WHOLE_PUSH);
	const { tasks } = await runAcknowledge({
		triggers: [{ name: 'Push', responseMode: 'responseNode' }],
		startedBy: 'Push',
		items: [{ json: { ...push } as never }],
		outcomes: ['success'],
	});
	const [item] = tasks[0]?.data?.main?.[0] ?? [];
	expect({ ...schemaOf(item?.json), version: 1 }).toEqual(readSchema('webhookApp/acknowledge'));
});

test('the action puts out the same fields, all of them text, for every outcome', async () => {
	const { output } = await run({ items: people('1', 'nobody', ''), node: CONTINUE });
	expect(output.map(({ json }) => json.outcome)).toEqual(['accepted', 'refused', 'notSent']);
	for (const { json } of output) {
		expect({ ...schemaOf(json), version: 1 }).toEqual(readSchema('canvas/trigger'));
	}
});
