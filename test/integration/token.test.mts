// The token of the account: how often executions of the action fetch one, and what is stored of it.
import { accepted } from '../support/workflows.mts';
import { shareAction } from './actionSetting.mts';
import { crowd } from './customers.mts';
import { StoredCredentials } from './storedCredentials.mts';

const setting = shareAction(() => new StoredCredentials());
const { run } = setting;

describe('the token', () => {
	test('is fetched once and stored encrypted, with its end, and used by later executions', async () => {
		const beforeMs = Date.now();
		await run();
		await run();
		expect(setting.sandbox.tokenCalls.map(({ code }) => code)).toEqual(['000000']);
		const { token, tokenExpiresAt } = setting.credentials.data('sobotApi');
		expect(token).toMatch(/^[0-9a-f]{32}$/);
		expect(Number(tokenExpiresAt)).toBeGreaterThanOrEqual(beforeMs + 86_400_000);
		expect(setting.credentials.encrypted('sobotApi')).not.toContain(String(token));
	});

	test('is fetched once by executions that start together', async () => {
		await Promise.all([run(), run(), run()]);
		expect(setting.sandbox.tokenCalls.length).toBe(1);
		expect(setting.sandbox.accepted.length).toBe(9);
	});

	test.each(['900002', '910022'] as const)(
		'is renewed once when Sobot refuses it with %s, and all items go through',
		async (code) => {
			await run();
			setting.sandbox.account.renewToken(Date.now());
			setting.sandbox.account.settings.deadTokenCode = code;
			setting.sandbox.forget();
			const { output } = await run();
			expect(output.map(({ json }) => json)).toEqual(['1', '2', '3'].map(accepted));
			expect(setting.sandbox.tokenCalls.length).toBe(1);
			expect(setting.sandbox.accepted.map(({ contactId }) => contactId).sort()).toEqual(['1', '2', '3']);
		},
	);

	test('costs no read of the database for each item', async () => {
		await run();
		setting.credentials.reads = 0;
		await run({ items: crowd(40) });
		// One for the token, two to see whether it has expressions that depend on the item.
		expect(setting.credentials.reads).toBe(3);
	});
});
