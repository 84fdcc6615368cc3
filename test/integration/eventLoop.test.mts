// A worker whose event loop is blocked for a minute loses its job, and n8n 1 then runs it a second time.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { DEMO_CANVAS } from '../sandbox/server.mts';
import { crowd, DEFINED } from './customers.mts';
import { outcomeOf, runAction } from './runAction.mts';
import { StoredCredentials } from './storedCredentials.mts';

jest.setTimeout(600_000);

const COUNT = Number(process.env.ITEMS ?? 3000);
/** On a quiet machine it is less than 100 ms; without pauses it is seconds. */
const LONGEST_MS = 500;

test(`${COUNT} items with three expressions each never block the event loop for half a second`, async () => {
	const credentials = new StoredCredentials();
	credentials.add('sobotApi', {
		region: 'sg',
		appId: 'a',
		appKey: 'k',
		token: '',
		canvases: { canvas: [{ name: 'Welcome', triggerId: DEMO_CANVAS.triggerId, secret: 's' }] },
	});
	const parameters = {
		...DEFINED,
		additionalFields: { field: [{ name: 'order', value: '={{ "A-" + $json.id }}' }] },
		options: { dryRun: true },
	};
	const delay = monitorEventLoopDelay({ resolution: 10 });
	const running = runAction({ items: crowd(COUNT), parameters, credentials });
	// The work of n8n before the node begins does not count.
	await new Promise((resolve) => setImmediate(resolve));
	delay.enable();
	const { output } = outcomeOf(await running);
	delay.disable();
	expect(output.length).toBe(COUNT);
	process.stderr.write(`Longest block with ${COUNT} items: ${Math.round(delay.max / 1e6)} ms\n`);
	expect(delay.max / 1e6).toBeLessThan(LONGEST_MS);
});
