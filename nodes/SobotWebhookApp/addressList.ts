// Lists of addresses: IPv4, IPv6 and CIDR ranges of both. n8n allows neither a dependency nor Node's `net` here.

/** Whether the address is in one of the ranges. An IPv4 address mapped into IPv6 counts as the IPv4 address. */
export function isAllowedAddress(address: string, ranges: readonly string[]): boolean {
	const bits = bitsOf(withoutPort(address));
	return bits !== undefined && ranges.some((range) => contains(range, bits));
}

/** Whether the text is an address or a CIDR range. */
export function isRange(text: string): boolean {
	return networkOf(text) !== undefined;
}

/** Some proxies forward the caller's address with its port: 203.0.113.7:4711 or [2001:db8::1]:4711. */
function withoutPort(address: string): string {
	const [, ipv4, ipv6] = /^(?:([\d.]+)|\[([^\]]*)\]):\d{1,5}$/.exec(address) ?? [];
	return ipv4 ?? ipv6 ?? address;
}

/** The first 96 bits of an IPv4 address that is mapped into IPv6. */
const MAPPED = '0'.repeat(80) + '1'.repeat(16);

function contains(range: string, address: string): boolean {
	const network = networkOf(range);
	if (network === undefined || !address.startsWith(network)) return false;
	// ::/0 is all of IPv6, and none of IPv4.
	return !address.startsWith(MAPPED) || network.startsWith(MAPPED);
}

/** The bits that all addresses of a range begin with; undefined for other texts. */
function networkOf(range: string): string | undefined {
	const [, address = '', prefix] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(range) ?? [];
	const length = prefix === undefined ? 128 : Number(prefix) + (address.includes(':') ? 0 : MAPPED.length);
	const bits = bitsOf(address);
	const isTooWide = length < MAPPED.length && bits?.startsWith(MAPPED);
	return length > 128 || isTooWide ? undefined : bits?.slice(0, length);
}

/** The 128 bits of an address as a text of 0 and 1, IPv4 mapped into IPv6; undefined for other texts. */
function bitsOf(address: string): string | undefined {
	const [, ipv4, ipv6 = `::ffff:${ipv4}`] =
		/^(?:([\d.]+)|([\da-f.]*:[\da-f:.]*)(?:%.*)?)$/i.exec(address) ?? [];
	const url = `http://[${ipv6}]`;
	if (ipv4?.includes('.') === false || !URL.canParse(url)) return undefined;
	// The parser of URLs writes every address in the same form: groups in hex, and at most one :: for groups of zeros.
	const [head = [], tail = []] = new URL(url).hostname
		.slice(1, -1)
		.split('::')
		.map((half) => half.split(':').filter((group) => group !== ''));
	const zeros = Array<string>(8 - head.length - tail.length).fill('0');
	return [...head, ...zeros, ...tail]
		.map((group) => parseInt(group, 16).toString(2).padStart(16, '0'))
		.join('');
}
