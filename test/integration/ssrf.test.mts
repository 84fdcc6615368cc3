// n8n's own protection against requests into its network, on the address of the account: nobody is sent, and the words
// name the settings that allow it.
import { fieldsFromToken } from '../../nodes/sobot/account/credential';
import { shareAction } from './actionSetting.mts';
import { CONTINUE, people } from './customers.mts';
import { StoredCredentials } from './storedCredentials.mts';

// n8n-core reads them when it makes its first request.
process.env.N8N_SSRF_PROTECTION_ENABLED = 'true';
process.env.N8N_SSRF_BLOCKED_IP_RANGES = '127.0.0.0/8';
afterAll(() => {
	delete process.env.N8N_SSRF_PROTECTION_ENABLED;
	delete process.env.N8N_SSRF_BLOCKED_IP_RANGES;
});

const setting = shareAction(() => new StoredCredentials());

test.each([
	['the token is asked for', ''],
	['the customer is sent', 'a-token'],
])('blocked when %s: not sent, with the settings that allow it', async (_, value) => {
	const { url: baseUrl, account } = setting.sandbox;
	const { appId, appKey } = account.settings;
	const nowMs = Date.now();
	const token = { value, fetchedAtMs: nowMs, expiresAtMs: nowMs + 86_400_000 };
	const known = value === '' ? {} : fieldsFromToken(token, { baseUrl, appId, appKey });
	setting.credentials.add('sobotApi', setting.account({ baseUrl, ...known }));
	const { output } = await setting.run({ items: people('1'), node: CONTINUE });
	const [item] = output;
	expect(item?.json.outcome).toBe('notSent');
	expect(item?.json.reason).toContain('N8N_SSRF_ALLOWED_HOSTNAMES');
	expect(item?.json.reason).toContain('N8N_SSRF_ALLOWED_IP_RANGES');
	expect([setting.sandbox.tokenCalls.length, setting.sandbox.triggerCalls.length]).toEqual([0, 0]);
});
