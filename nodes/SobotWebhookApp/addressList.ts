// Lists of addresses: IPv4, IPv6 and CIDR ranges of both. n8n allows neither a dependency nor Node's `net` here.

/** An address as a number. An IPv4 address has 32 bits, an IPv6 address 128. */
interface Address {
	bits: 32 | 128;
	value: bigint;
}

/** Whether the address is in one of the ranges. An IPv4 address mapped into IPv6 counts as the IPv4 address. */
export function isAllowedAddress(address: string, ranges: readonly string[]): boolean {
	const parsed = parseAddress(withoutPort(address));
	return parsed !== undefined && ranges.some((range) => contains(range, parsed));
}

/** Whether the text is an address or a CIDR range. */
export function isRange(text: string): boolean {
	return parseRange(text) !== undefined;
}

/** Some proxies forward the caller's address with its port: 203.0.113.7:4711 or [2001:db8::1]:4711. */
function withoutPort(address: string): string {
	const [, ipv4, ipv6] = /^(?:([\d.]+)|\[([^\]]*)\]):\d{1,5}$/.exec(address) ?? [];
	return ipv4 ?? ipv6 ?? address;
}

function contains(range: string, address: Address): boolean {
	const parsed = parseRange(range);
	if (!parsed || parsed.network.bits !== address.bits) return false;
	const hostBits = BigInt(address.bits - parsed.prefix);
	return parsed.network.value >> hostBits === address.value >> hostBits;
}

function parseRange(text: string): { network: Address; prefix: number } | undefined {
	const [address = '', prefixText, ...rest] = text.split('/');
	const network = parseAddress(address);
	if (!network || rest.length > 0) return undefined;
	if (prefixText === undefined) return { network, prefix: network.bits };
	if (!/^\d{1,3}$/.test(prefixText)) return undefined;
	// A range of mapped addresses counts its prefix from the IPv6 end.
	const prefix = Number(prefixText) - (network.bits === 32 && address.includes(':') ? 96 : 0);
	return prefix >= 0 && prefix <= network.bits ? { network, prefix } : undefined;
}

function parseAddress(text: string): Address | undefined {
	if (!text.includes(':')) {
		const value = parseIPv4(text);
		return value === undefined ? undefined : { bits: 32, value };
	}
	const value = parseIPv6(text.replace(/%.*$/, ''));
	if (value === undefined) return undefined;
	const isMapped = value >> 32n === 0xffffn;
	return isMapped ? { bits: 32, value: value & 0xffff_ffffn } : { bits: 128, value };
}

function parseIPv4(text: string): bigint | undefined {
	const parts = text.split('.');
	// No leading zero: some programs read such a number as octal.
	const isByte = (part: string) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255;
	if (parts.length !== 4 || !parts.every(isByte)) return undefined;
	return parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

function parseIPv6(text: string): bigint | undefined {
	const halves = text.split('::');
	if (halves.length > 2) return undefined;
	const head = parseGroups(halves[0] ?? '');
	const tail = parseGroups(halves[1] ?? '');
	if (!head || !tail) return undefined;
	const missing = 8 - head.length - tail.length;
	if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
	const groups = [...head, ...Array<bigint>(missing).fill(0n), ...tail];
	return groups.reduce((value, group) => (value << 16n) | group, 0n);
}

function parseGroups(text: string): bigint[] | undefined {
	if (text === '') return [];
	const groups: bigint[] = [];
	const parts = text.split(':');
	for (const [index, part] of parts.entries()) {
		const embedded = index === parts.length - 1 && part.includes('.') ? parseIPv4(part) : undefined;
		if (embedded !== undefined) groups.push(embedded >> 16n, embedded & 0xffffn);
		else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(BigInt(`0x${part}`));
		else return undefined;
	}
	return groups;
}
