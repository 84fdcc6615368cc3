// The local Sobot's own page, as a user without a Sobot account sees it in the demo.
import type { Browser, Page } from 'playwright-core';
import { Crm } from '../support/crm.mts';
import { DEMO_CANVAS, Sandbox } from '../sandbox/server.mts';
import { startChromium } from './chromium.mts';
import { seeing } from './pictures.mts';

jest.setTimeout(60_000);

let browser: Browser;
let page: Page;
let sandbox: Sandbox;
const shown = () => page;

beforeAll(async () => {
	browser = await startChromium();
	page = await browser.newPage();
});
beforeEach(async () => {
	sandbox = await Sandbox.start();
	await page.goto(sandbox.url);
});
afterEach(async () => await sandbox.close());
afterAll(async () => await browser.close());

const row = (text: string) => page.locator('#log tr').filter({ hasText: text });
const button = (name: string) => page.getByRole('button', { name });

async function trigger(contactId: string): Promise<void> {
	const { triggerId, secret } = DEMO_CANVAS;
	const token = sandbox.account.renewToken(Date.now());
	await fetch(`${sandbox.url}/logi-flow/webhook/trigger`, {
		method: 'POST',
		headers: { 'content-type': 'application/json', 'trigger-id': triggerId, secret, token },
		body: JSON.stringify({ Contact_id: contactId, nick: '<b>N</b>' }),
	});
}

seeing(shown, 'shows each call once, its outcome, and the rate', async () => {
	for (let i = 0; i < 5; i++) await trigger(`c-${i}`);
	await trigger('<img src=x onerror=alert(1)>');
	await trigger('nobody');
	await row('customer nobody was refused: 910026').waitFor();
	expect(await page.locator('#log tr').count()).toBe(7);
	expect(await page.locator('#accepted').innerText()).toBe('6');
	expect(await page.locator('#log img').count()).toBe(0);
	await page.waitForFunction(() => {
		const curve = document.querySelector('#curve polyline:last-of-type')?.getAttribute('points') ?? '';
		return new Set(curve.split(' ').map((point) => point.split(',')[1])).size > 1;
	});
});

seeing(shown, 'pushes a customer, or says why it cannot', async () => {
	await button('Push a customer to n8n').click();
	await page.getByText('The canvas has no webhook app').waitFor();
	const crm = await Crm.start();
	try {
		sandbox.canvas().webhookApp = { url: crm.url, method: 'POST' };
		await button('Push a customer to n8n').click();
		await row('not acknowledged, 200 {}').waitFor();
		expect(crm.savedIds).toEqual(['sample-1']);
		expect(await page.locator('#pending').innerText()).toBe('1');
	} finally {
		await crm.close();
	}
});

seeing(shown, 'expires and kills the token, and makes Sobot flaky and reliable again', async () => {
	const token = sandbox.account.renewToken(Date.now());
	const code = () => sandbox.account.tokenCode(token, Date.now());
	expect(code()).toBe('000000');
	await button('Let the token expire').click();
	await page.getByText('The token has expired.').waitFor();
	expect(code()).toBe('900002');
	const next = sandbox.account.renewToken(Date.now());
	await button('Another program fetches a token').click();
	await page.getByText("n8n's token has ended").waitFor();
	expect(sandbox.account.tokenCode(next, Date.now())).toBe('900002');

	await button('Make Sobot flaky').click();
	await button('Make Sobot reliable again').waitFor();
	expect(sandbox.misbehaviours.isAny).toBe(true);
	await button('Make Sobot reliable again').click();
	await button('Make Sobot flaky').waitFor();
	expect(sandbox.misbehaviours.isAny).toBe(false);
});
