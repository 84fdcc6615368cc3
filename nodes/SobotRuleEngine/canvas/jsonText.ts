// Reads the text of a JSON object without parsing its values: JavaScript would change the digits of a long number, and
// would hide that a field appears twice.

/** A field of the outermost object; its value is `text.slice(start, end)`. */
export interface TextField {
	readonly name: string;
	readonly start: number;
	readonly end: number;
}

/** The fields of the outermost object, in order. `text` must be valid JSON of an object. */
export function topLevelFields(text: string): TextField[] {
	const fields: TextField[] = [];
	let depth = 0;
	let name: string | undefined;
	let start: number | undefined;
	let end = 0;
	for (const { token, index } of tokensOf(text)) {
		const endsField = depth === 1 && (token === ',' || token === '}');
		if (endsField && name !== undefined && start !== undefined) fields.push({ name, start, end });
		if (endsField) name = start = undefined;
		else if (depth === 1 && name === undefined) name = JSON.parse(token) as string;
		else if (name !== undefined && (depth > 1 || token !== ':')) start ??= index;
		if (token === '{' || token === '[') depth++;
		if (token === '}' || token === ']') depth--;
		end = index + token.length;
	}
	return fields;
}

/** Whether a text may hold a number that JavaScript has rounded: most have none of this length. */
export const MAY_BE_ROUNDED = /\d{16}|\de\+\d/;

/** The first wanted number in the text of a JSON object that JavaScript has rounded, and where it is: `order.ids[1]`. */
export function roundedNumber(
	text: string,
	isWanted: (digits: string) => boolean = () => true,
): { path: string; digits: string } | undefined {
	if (!MAY_BE_ROUNDED.test(text)) return undefined;
	const path: Array<string | number> = [];
	let previous = '';
	for (const { token } of tokensOf(text)) {
		const place = path.at(-1);
		if (token === '{') path.push('');
		else if (token === '[') path.push(0);
		else if (token === '}' || token === ']') path.pop();
		else if (token === ':') path[path.length - 1] = JSON.parse(previous) as string;
		else if (token === ',' && typeof place === 'number') path[path.length - 1] = place + 1;
		else if (isRounded(token) && isWanted(token)) return { path: printed(path), digits: token };
		previous = token;
	}
	return undefined;
}

/**
 * Whether this is a number beyond 2^53 as JavaScript prints it, and thus possibly another one than was meant. One that was
 * typed with all its digits is printed in another way.
 */
export function isRounded(digits: string): boolean {
	const value = Number(digits);
	return Number.isInteger(value) && !Number.isSafeInteger(value) && String(value) === digits;
}

function printed(path: ReadonlyArray<string | number>): string {
	return path
		.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`))
		.join('')
		.slice(1);
}

/** The strings, brackets, commas and colons of a JSON text, and what stands between them. */
function* tokensOf(text: string): Generator<{ token: string; index: number }> {
	const start = /[{}[\],:"]|[^\s{}[\],:"]+/g;
	for (let match = start.exec(text); match; match = start.exec(text)) {
		const { index } = match;
		// A regular expression for a whole string overflows the stack if the string is long.
		if (match[0] === '"') start.lastIndex = endOfString(text, index);
		yield { token: text.slice(index, start.lastIndex), index };
	}
}

function endOfString(text: string, start: number): number {
	let index = start + 1;
	while (index < text.length && text[index] !== '"') index += text[index] === '\\' ? 2 : 1;
	return index + 1;
}
