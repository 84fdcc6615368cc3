// Nodes as saved by earlier versions of this package: they must keep working. Do not change a case in test/saved; a
// version that saves more gets another file.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PUSH_SECRET } from '../support/credentials.mts';
import { ACTION } from '../support/nodeTypes.mts';
import type { Profile } from '../sandbox/account.mts';
import { shareSetting } from '../support/underTest.mts';
import { actionWorkflow, listen, node, outputOf } from '../support/workflows.mts';

jest.setTimeout(60_000);

interface Saved {
	canvas: Array<{
		saved: string;
		parameters: Record<string, unknown>;
		item?: Record<string, unknown>;
		/** the calls that reach Sobot; none if left out */
		sent?: Array<{ triggerId: string; body: unknown }>;
		output: Record<string, unknown>;
	}>;
	trigger: Array<{
		saved: string;
		parameters: Record<string, unknown>;
		acknowledge?: Record<string, unknown>;
		push: Profile;
		output: Record<string, unknown>;
	}>;
}

const CUSTOMER = { id: '7', name: 'Ana' };
const FOLDER = join(process.cwd(), 'test/saved');
const versions = readdirSync(FOLDER).map((file) => ({
	version: file.replace(/\.json$/, ''),
	...(JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Saved),
}));

const setting = shareSetting();

describe.each(versions)('saved by $version', ({ canvas, trigger }) => {
	test.each(canvas)('the action $saved', async ({ parameters, item = CUSTOMER, sent = [], output }) => {
		const { n8n, sandbox, credentials } = setting;
		const execution = await n8n.execute(await actionWorkflow(n8n, credentials, [item], parameters));
		expect(outputOf(execution, 'Sobot')).toEqual([{ json: output, pairedItem: { item: 0 } }]);
		expect(sandbox.accepted.map(({ triggerId, raw }) => [triggerId, JSON.parse(raw) as unknown])).toEqual(
			sent.map(({ triggerId, body }) => [triggerId, body]),
		);
	});

	test.each(trigger)('the trigger $saved', async ({ parameters, acknowledge, push, output }) => {
		const answer = node('Next', ACTION.type, ACTION.typeVersion, acknowledge ?? {});
		const { n8n, sandbox, credentials } = setting;
		const { sobotWebhookAppApi } = credentials;
		const { url, workflow, ended } = await listen(n8n, parameters, {
			credentials: sobotWebhookAppApi ? { sobotWebhookAppApi } : {},
			...(acknowledge ? { after: [answer] } : {}),
		});
		const pushed = await sandbox.pusher.push({ url: `${url}?key=${PUSH_SECRET}`, method: 'POST' }, push);
		expect(pushed.acknowledged).toBe(true);
		const [execution] = await ended();
		const [item] = outputOf(await n8n.execution(execution?.id ?? ''), 'Next');
		const { deliveryKey } = output;
		expect(item?.json).toEqual(
			deliveryKey === undefined
				? output
				: { ...output, deliveryKey: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
		);
		await n8n.deactivate(workflow);
	});
});
