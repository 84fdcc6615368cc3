// An execution that ends before its batch: what is still sent, and what n8n's list of executions shows.
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '../../nodes/sobot/clock';
import { until } from '../support/until.mts';
import { shareAction } from './actionSetting.mts';
import { CONTINUE, crowd, DEFINED } from './customers.mts';
import { StoredCredentials } from './storedCredentials.mts';

// Batches that take longer than a second have a ledger.
jest.setTimeout(30_000);

const setting = shareAction(() => new StoredCredentials());
const { start } = setting;

// Otherwise n8n's log would go on about a batch that has ended.
test('the log of a batch ends with it, however that is', async () => {
	const sleep = jest.spyOn(systemClock, 'sleep');
	const looks = () => sleep.mock.calls.filter(([ms]) => ms === 1000).length;
	await start();
	setting.sandbox.misbehave({ on: 'trigger', contactId: '2', code: '910026' });
	await start();
	const isSending = until('some calls', () => setting.sandbox.accepted.length >= 10);
	await start({ items: crowd(200), stopWhen: isSending });
	expect(looks()).toBeGreaterThanOrEqual(3);
	await pause(1200);
	const atRest = looks();
	await pause(1500);
	expect(looks()).toBe(atRest);
	sleep.mockRestore();
});

test.each([
	['Stop', {}],
	['Continue', CONTINUE],
])(
	'stopping the execution with On Error: %s stops the sending, and leaves a record of it',
	async (_, node) => {
		const isSending = until('some calls', () => setting.sandbox.accepted.length >= 10);
		const stopped = await start({ items: crowd(200), node, stopWhen: isSending });
		// Calls that have left still arrive, on a busy machine many at once.
		await pause(500);
		const atRest = setting.sandbox.triggerCalls.length;
		await pause(1000);
		expect(setting.sandbox.triggerCalls.length).toBe(atRest);
		expect(atRest).toBeLessThan(100);
		const shown = stopped.data.resultData.metadata ?? {};
		expect(shown.sobot).toMatch(/^Sobot ended early\. Accepted: \d+ customers \(items 0-\d+\) of 200\./);
		expect(shown.sobot).toMatch(/ Not reached yet: 1\d\d customers \(items .*199\)\./);
		expect(JSON.stringify(stopped.data.executionData?.contextData)).toContain('accepted');
	},
);

// If the execution times out at that moment, n8n drops the error, which says the same.
test('a batch that failed leaves such a record, too', async () => {
	setting.sandbox.misbehave({ on: 'trigger', contactId: '2', code: '910026' });
	const failed = await start({ parameters: { ...DEFINED, options: { requestsPerSecond: 2 } } });
	expect(failed.data.resultData.metadata).toEqual({
		sobot:
			'Sobot ended early. Accepted: 1 customer (item 0) of 3. Failed: 1 customer (item 1). Not reached yet: 1 customer (item 2).',
	});
});
