// Where a Sobot account lives: its region's host, or the user's own address.

/** Source: Sobot, "Rule Engine API" and "API Call Instructions". */
export const REGION_URLS: Readonly<Record<string, string>> = {
	sg: 'https://sg.sobot.io',
	us: 'https://us.sobot.com',
	cn: 'https://www.soboten.com',
};

/** The base URL of an account, without a trailing slash; undefined if what was entered is no http(s) URL. */
export function baseUrlOf(fields: Readonly<Record<string, unknown>>): string | undefined {
	const region = String(fields.region ?? 'sg');
	if (region !== 'custom') return REGION_URLS[region];
	const typed = String(fields.baseUrl ?? '').trim();
	const url = URL.canParse(typed) ? new URL(typed) : undefined;
	if (!url || !['http:', 'https:'].includes(url.protocol) || url.search || url.hash) return undefined;
	return typed.replace(/\/+$/, '');
}
