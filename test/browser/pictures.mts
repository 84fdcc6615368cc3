// Pictures of what a person sees: for the README and the docs, and of a step that failed.
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Locator, Page } from 'playwright-core';

/** Hides what lies over the canvas: n8n's messages in the corner and its buttons. */
const WITHOUT_CONTROLS = `${[
	'.el-notification',
	'.vue-flow__controls',
	// with the choice of a trigger, where there are several
	'[data-test-id="execute-workflow-button"]',
	':is([data-test-id="execute-workflow-button"], :has(> [data-test-id="execute-workflow-button"])) ~ *',
	...[
		'workflow-chat-button',
		'node-creator-plus-button',
		'command-bar-button',
		'add-sticky-button',
		'toggle-focus-panel-button',
		'instance-ai-canvas-action-button',
	].map((id) => `[data-test-id="${id}"]`),
].join(', ')} { visibility: hidden }`;

/**
 * Takes two pictures for the documents, light and dark, which must differ. With WRITE_PICTURES=1 they go into
 * docs/pictures; otherwise they are only taken, so that a test notices what can no longer be pictured.
 *
 * @param clip a part of the page, in pixels
 */
export async function picture(
	of: Page | Locator,
	name: string,
	clip?: { x: number; y: number; width: number; height: number },
): Promise<void> {
	const page = 'goto' in of ? of : of.page();
	const folder = join(process.cwd(), 'docs/pictures');
	if (process.env.WRITE_PICTURES) await mkdir(folder, { recursive: true });
	const taken: Buffer[] = [];
	for (const theme of ['light', 'dark'] as const) {
		await page.emulateMedia({ colorScheme: theme });
		const path = process.env.WRITE_PICTURES ? join(folder, `${name}-${theme}.png`) : undefined;
		// Animations and a blinking caret would make each picture differ.
		const how = { path, animations: 'disabled', caret: 'hide', style: WITHOUT_CONTROLS } as const;
		taken.push('goto' in of ? await of.screenshot({ ...how, clip }) : await of.screenshot(how));
	}
	await page.emulateMedia({ colorScheme: 'light' });
	const [light, dark] = taken;
	expect(light && dark?.equals(light)).toBe(false);
}

/**
 * A test; where it fails, it leaves a picture of the page in failed-pictures.
 *
 * @param page asked when the test runs
 */
export function seeing(page: () => Page, name: string, work: () => Promise<void>): void {
	test(name, async () => {
		try {
			await work();
		} catch (error) {
			const step = expect.getState().currentTestName ?? name;
			const path = join(process.cwd(), 'failed-pictures', `${step.replace(/[^\w]+/g, '-')}.png`);
			await mkdir(dirname(path), { recursive: true });
			await page().screenshot({ path });
			process.stderr.write(`A picture of what failed: ${path}\n`);
			throw error;
		}
	});
}
