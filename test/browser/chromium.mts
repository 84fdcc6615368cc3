// The browser that this machine has. None is downloaded.
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import { isFulfilled } from '../support/until.mts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Starts a headless Chromium. Throws, and says what to do, if this machine has none. */
export async function startChromium(): Promise<Browser> {
	return await chromium.launch({
		executablePath: await findChromium(),
		// Chromium's own sandbox does not work for root, as whom CI runs.
		args: ['--no-sandbox', '--disable-gpu'],
	});
}

async function findChromium(): Promise<string> {
	for (const folder of (process.env.PATH ?? '').split(delimiter)) {
		for (const name of NAMES) {
			const path = join(folder, name);
			if (await isFulfilled(access(path))) return path;
		}
	}
	throw new Error('There is no Chromium. Install it, on Debian with: apt-get install chromium');
}
