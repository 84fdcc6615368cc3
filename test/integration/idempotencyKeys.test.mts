// The option 'Idempotency Key': a customer of a campaign is sent once, in whatever execution.
import { shareAction } from './actionSetting.mts';
import { CONTINUE, DEFINED, people } from './customers.mts';
import { StoredCredentials } from './storedCredentials.mts';

const setting = shareAction(() => new StoredCredentials());
const { run } = setting;

describe('idempotency keys', () => {
	const keyed = (idempotencyKey: string) => ({ ...DEFINED, options: { idempotencyKey } });

	test('are sent once, in this execution and in later ones', async () => {
		const parameters = keyed('={{ "spring " + $json.id }}');
		await run({ items: people('1', '2'), parameters });
		const { output } = await run({ items: people('1', '2', '3', '3'), parameters });
		expect(output.map(({ json }) => [json.contactId, json.outcome])).toEqual([
			['1', 'alreadySent'],
			['2', 'alreadySent'],
			['3', 'accepted'],
			['3', 'alreadySent'],
		]);
		expect(setting.sandbox.accepted.length).toBe(3);
	});

	test('a fixed text is no key: others do not count as sent', async () => {
		const { output } = await run({ parameters: keyed('summer'), node: CONTINUE });
		expect(output.map(({ json }) => json.outcome)).toEqual(['accepted', 'notSent', 'notSent']);
		expect(String(output[1]?.json.error)).toContain('used for another customer');
	});

	test.each(['={{ "" }}', '={{ NaN }}', '={{ 12345678901234567890 }}', '{{ $json.id }}'])(
		'%s is refused',
		async (key) => {
			const { error } = await run({ parameters: keyed(key) });
			expect(error?.message).toContain("'Idempotency Key'");
			expect(setting.sandbox.triggerCalls).toEqual([]);
		},
	);
});
