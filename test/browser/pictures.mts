// Pictures of what a person sees: for the README and the docs, and of a step that failed.
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Locator, Page } from 'playwright-core';

/** Hides what lies over the canvas: n8n's messages in the corner and its buttons. */
const WITHOUT_CONTROLS = `${[
	'.el-notification',
	// With several triggers, the button that executes a workflow has a menu beside it.
	'[data-test-id="execute-workflow-button"] ~ *',
	...[
		'execute-workflow-button',
		'canvas-controls',
		'workflow-chat-button',
		'node-creator-plus-button',
		'command-bar-button',
		'add-sticky-button',
		'toggle-focus-panel-button',
		'instance-ai-canvas-action-button',
	].map((id) => `[data-test-id="${id}"]`),
].join(', ')} { visibility: hidden }`;

/**
 * Takes a picture for the documents. With WRITE_PICTURES=1 it goes into docs/pictures; otherwise it is only taken, so
 * that a test notices what can no longer be pictured.
 *
 * @param clip a part of the page, in pixels
 */
export async function picture(
	of: Page | Locator,
	name: string,
	clip?: { x: number; y: number; width: number; height: number },
): Promise<void> {
	const path = process.env.WRITE_PICTURES ? join(process.cwd(), 'docs/pictures', `${name}.png`) : undefined;
	if (path) await mkdir(dirname(path), { recursive: true });
	// What blinks or is on its way would make each picture another one.
	const how = { path, animations: 'disabled', caret: 'hide', style: WITHOUT_CONTROLS } as const;
	if ('goto' in of) await of.screenshot({ ...how, clip });
	else await of.screenshot(how);
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
