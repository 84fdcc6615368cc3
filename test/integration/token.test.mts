// The token of the account: how often executions of the action fetch one, and what is stored of it.
import { until } from '../support/until.mts';
import { accepted } from '../support/workflows.mts';
import { shareAction } from './actionSetting.mts';
import { CONTINUE, crowd } from './customers.mts';
import { ENGINE_2, ENGINE_2_REASON, StoredCredentials } from './storedCredentials.mts';

const setting = shareAction(() => new StoredCredentials());
const { run } = setting;

describe('the token', () => {
	test('is fetched once and stored with its end, and used by later executions', async () => {
		const beforeMs = Date.now();
		await run();
		await run();
		expect(setting.sandbox.tokenCalls.map(({ code }) => code)).toEqual(['000000']);
		const { token, tokenExpiresAt } = setting.credentials.data('sobotApi');
		expect(token).toMatch(/^[0-9a-f]{32}$/);
		expect(Number(tokenExpiresAt)).toBeGreaterThanOrEqual(beforeMs + 86_400_000);
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

describe("on n8n's Engine 2.0, which renews no token", () => {
	test('a stored token is used', async () => {
		await run();
		setting.credentials.behaviour = ENGINE_2;
		expect((await run()).output.map(({ json }) => json)).toEqual(['1', '2', '3'].map(accepted));
		expect(setting.sandbox.tokenCalls.length).toBe(1);
	});

	test.each([
		['is missing', async () => undefined],
		['has died', async () => void (await run(), setting.sandbox.account.renewToken(Date.now()))],
	])(
		'a token that %s ends the batch soon, and the message alone says why and what to do',
		async (_, prepare) => {
			await prepare();
			setting.credentials.behaviour = ENGINE_2;
			setting.sandbox.forget();
			const startedMs = performance.now();
			const [stopped, continued] = [await run(), await run({ node: CONTINUE })];
			expect(performance.now() - startedMs).toBeLessThan(30_000);
			expect(stopped.error?.message).toContain(ENGINE_2_REASON);
			expect(stopped.error?.message).toContain('without Engine 2.0');
			const reasons = continued.output.map(({ json }) => `${String(json.outcome)}: ${String(json.reason)}`);
			expect(reasons).toEqual(Array(3).fill(expect.stringContaining(ENGINE_2_REASON)));
			expect([setting.sandbox.accepted, setting.sandbox.tokenCalls]).toEqual([[], []]);
		},
	);

	test('does not keep an execution beside it, on the usual engine, from renewing the token', async () => {
		await run();
		setting.sandbox.account.renewToken(Date.now());
		setting.sandbox.forget();
		const onEngine2 = new StoredCredentials(ENGINE_2);
		onEngine2.add('sobotApi', setting.credentials.data('sobotApi'));
		// The first to notice the dead token begins the renewal.
		const refused = run({ credentials: onEngine2 });
		await until('its first call', () => setting.sandbox.triggerCalls.length > 0, 5000, 1);
		const { output } = await run();
		expect((await refused).error?.message).toContain(ENGINE_2_REASON);
		expect(output.map(({ json }) => json)).toEqual(['1', '2', '3'].map(accepted));
		expect(setting.sandbox.tokenCalls.length).toBe(1);
	});
});
