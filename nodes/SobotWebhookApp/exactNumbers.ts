// Keeps the digits of numbers that JavaScript would change: an ID as a number beyond 2^53 would name another customer.

/**
 * The parsed JSON, with every number that JavaScript would round as text, with the digits that it has in `json`.
 *
 * @param json valid JSON, as it arrived
 * @param parsed what JSON.parse makes of it; returned as it is if no number is rounded
 */
export function withExactNumbers<Parsed>(json: string, parsed: Parsed): Parsed {
	const parts: string[] = [];
	let end = 0;
	while (end < json.length) {
		const quote = json.indexOf('"', end);
		const start = quote === -1 ? json.length : quote;
		parts.push(
			json.slice(end, start).replace(NUMBER, (digits) => (isExact(digits) ? digits : `"${digits}"`)),
		);
		end = endOfText(json, start);
		parts.push(json.slice(start, end));
	}
	const exact = parts.join('');
	return exact === json ? parsed : (JSON.parse(exact) as Parsed);
}

/** A number outside of JSON's texts. A more exact pattern would need a stack as deep as the longest number. */
const NUMBER = /[-\d][\d.eE+-]*/g;

/** Whether the number stays what it is, and also reads the same once it is text. */
function isExact(literal: string): boolean {
	// No program writes a number so long that it would not round. Trimming its zeros would take the square of its length.
	if (literal.length > LONGEST_EXACT) return false;
	const number = Number(literal);
	if (Math.abs(number) > Number.MAX_SAFE_INTEGER) return false;
	const digits = literal
		.replace(/e.*/i, '')
		.replace(/\D/g, '')
		.replace(/^0+|0+$/g, '');
	const isInRange = digits === '' || Math.abs(number) > SMALLEST_EXACT;
	return String(number) === literal || (digits.length <= 15 && isInRange);
}

/** Longer than any number that JavaScript prints, in characters. */
const LONGEST_EXACT = 400;

/** Close to zero, a double holds fewer digits. */
const SMALLEST_EXACT = 1e-300;

/** Where the text ends that begins at `start`, with its closing quotation mark. */
function endOfText(json: string, start: number): number {
	let close = start + 1;
	while (close < json.length && json[close] !== '"') close += json[close] === '\\' ? 2 : 1;
	return close + 1;
}
