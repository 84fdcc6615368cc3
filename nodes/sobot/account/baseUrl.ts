// The address of Sobot's API for an account: its region's host, or the user's own address.
import type { Fields } from './account';

/**
 * The hosts of Sobot's regions. Source: Sobot, "Rule Engine API", "API Call Instructions", and developer.zhichi.com for
 * Mainland China.
 */
export const REGION_URLS: Readonly<Record<string, string>> = {
	sg: 'https://sg.sobot.io',
	us: 'https://us.sobot.com',
	cn: 'https://www.soboten.com',
	cnAlibaba: 'https://www.sobot.com',
};

/** What to enter instead of an address that is too long or not one. */
const ONLY_THE_START = 'Enter only the first part of the address, such as https://sobot.example.com.';

/** Paths of Sobot's console and API, which belong to no Base URL. */
const PATH_OF_A_PAGE = /^\/(console|api)(\/|$)|\/(login|index\.html?)$/i;

/** The base URL of an account without a trailing slash, or a text that says why there is none. */
export function readBaseUrl(fields: Fields): { baseUrl: string } | { reason: string } {
	const region = String(fields.region ?? 'sg');
	if (region !== 'custom') {
		const baseUrl = Object.hasOwn(REGION_URLS, region) ? REGION_URLS[region] : undefined;
		return baseUrl ? { baseUrl } : { reason: `'Region' has no value "${region}". Choose one from the list.` };
	}
	const typed = String(fields.baseUrl ?? '').trim();
	if (typed === '') return { reason: "'Base URL' is empty. Enter it in the Sobot API credential." };
	if (!/^https?:\/\//i.test(typed)) {
		return { reason: `'Base URL' does not start with https:// or http://. ${ONLY_THE_START}` };
	}
	if (!URL.canParse(typed)) {
		const [, port] = /^[^/]+\/\/[^/?#]*:(\d+)(?:[/?#]|$)/.exec(typed) ?? [];
		if (Number(port) > 65_535)
			return { reason: `'Base URL' has the port ${port}. Enter one from 1 to 65535.` };
		return { reason: `'Base URL' is not a valid address. ${ONLY_THE_START}` };
	}
	const url = new URL(typed);
	if (/[?#@]/.test(typed) || url.port === '0' || PATH_OF_A_PAGE.test(url.pathname)) {
		return { reason: `'Base URL' contains more than the address of the server. ${ONLY_THE_START}` };
	}
	return { baseUrl: typed.replace(/\/+$/, '') };
}
