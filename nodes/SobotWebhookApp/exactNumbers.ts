// Keeps the digits of numbers that JavaScript would change: an ID as a number beyond 2^53 would name another customer.

/**
 * The parsed JSON, with every number that JavaScript would round as text, with the digits that it has in `json`.
 *
 * @param json valid JSON, as it arrived
 * @param parsed what JSON.parse makes of it; returned as it is if no number is rounded
 */
export function withExactNumbers<Parsed>(json: string, parsed: Parsed): Parsed {
	const token = new RegExp(TEXT_OR_NUMBER);
	let exact = '';
	let copied = 0;
	for (let found = token.exec(json); found; found = token.exec(json)) {
		const [start] = found;
		if (start === '"') token.lastIndex = endOfText(json, found.index);
		else if (!isExact(start)) {
			exact += `${json.slice(copied, found.index)}"${start}"`;
			copied = token.lastIndex;
		}
	}
	return copied === 0 ? parsed : (JSON.parse(exact + json.slice(copied)) as Parsed);
}

/**
 * The begin of a text, or a number that could be rounded: the others have at most 15 digits and no exponent. A more exact
 * pattern would need a stack as deep as the longest number.
 */
const TEXT_OR_NUMBER = /"|-?(?:[\d.]{15}[\d.eE+-]+|[\d.]+[eE][\d.eE+-]+)/g;

/** Whether the number stays what it is, and also reads the same once it is text. */
function isExact(literal: string): boolean {
	const number = Number(literal);
	if (Math.abs(number) > Number.MAX_SAFE_INTEGER) return false;
	const digits = literal.replace(/e.*/i, '').replace(/\D/g, '').replace(/^0+/, '');
	const isInRange = digits === '' || Math.abs(number) > SMALLEST_EXACT;
	return String(number) === literal || (digits.length <= 15 && isInRange);
}

/** Close to zero, a double holds fewer digits. */
const SMALLEST_EXACT = 1e-300;

/** Where the text ends that begins at `start`, with its closing quotation mark. */
function endOfText(json: string, start: number): number {
	for (let quote = start; ;) {
		quote = json.indexOf('"', quote + 1);
		if (quote === -1) return json.length;
		let from = quote;
		while (json[from - 1] === '\\') from--;
		const isEscaped = (quote - from) % 2 === 1;
		if (!isEscaped) return quote + 1;
	}
}
