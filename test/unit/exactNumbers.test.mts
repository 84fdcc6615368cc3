import fc from 'fast-check';
import { withExactNumbers } from '../../nodes/SobotWebhookApp/exactNumbers';

const read = (json: string) => withExactNumbers(json, JSON.parse(json) as unknown);

test.each([
	['1234567890123456789', '1234567890123456789'],
	['-1234567890123456789', '-1234567890123456789'],
	['9007199254740993', '9007199254740993'],
	// As it happens, the double is the same number; another ID of the same length would not be.
	['1234567890123456800', '1234567890123456800'],
	['100000000000000000000000', '100000000000000000000000'],
	['9007199254740990.6', '9007199254740990.6'],
	['0.12345678901234567890', '0.12345678901234567890'],
	['1e400', '1e400'],
	['1E-400', '1E-400'],
	['4.94e-324', '4.94e-324'],
	['9007199254740991', 9007199254740991],
	['-9007199254740991', -9007199254740991],
	['0.30000000000000004', 0.1 + 0.2],
	['19.99', 19.99],
	['1.5000000000000000000', '1.5000000000000000000'],
	['0.000000000000000000000', 0],
	['1e3', 1000],
	['-0', -0],
	['0e5', 0],
])('the number %s arrives as %j', (literal, expected) => {
	expect(read(`{"id":${literal}}`)).toEqual({ id: expected });
	expect(read(` { "ex_fields" : { "a" : [ 1 , ${literal} ] } } `)).toEqual({
		ex_fields: { a: [1, expected] },
	});
});

test('a text is left alone, whatever it holds', () => {
	const LONG = '1234567890123456789';
	const body = { [LONG]: 'x', a: `{"id":${LONG}}`, b: `\\"${LONG}\\\\`, c: '', d: `,${LONG},`, e: '"' };
	const json = JSON.stringify(body);
	const parsed = {};
	expect(withExactNumbers(json, parsed)).toBe(parsed);
	expect(read(json.replace(/}$/, `,"f":${LONG}}`))).toEqual({ ...body, f: LONG });
	expect(read(`{"a\\"":"\\\\","b":${LONG},"c":"\\\\\\"","d":${LONG}}`)).toEqual({
		'a"': '\\',
		b: LONG,
		c: '\\"',
		d: LONG,
	});
});

test('without the JSON, what n8n has parsed counts', () => {
	expect(withExactNumbers('', { id: 5 })).toEqual({ id: 5 });
});

/** The number as digits and a power of ten, which is the same for all ways to write it. */
function valueOf(literal: string): string {
	const [, sign = '', whole = '', fraction = '', exponent = '0'] =
		/^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(literal) ?? [];
	const digits = (whole + fraction).replace(/^0+/, '');
	const kept = digits.replace(/0+$/, '');
	if (kept === '') return '0';
	return `${sign}${kept}e${BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - kept.length)}`;
}

test('whatever number comes, it keeps its value: as that number, or as a text with its digits', () => {
	const literals = fc.stringMatching(/^-?(0|[1-9]\d{0,24})(\.\d{1,25})?([eE][+-]?\d{1,3})?$/);
	let [kept, quoted] = [0, 0];
	fc.assert(
		fc.property(literals, (literal) => {
			const [value] = read(`[${literal}]`) as [number | string];
			if (typeof value === 'string') {
				quoted++;
				expect(value).toBe(literal);
			} else {
				kept++;
				expect(valueOf(String(value))).toBe(valueOf(literal));
			}
		}),
		{ numRuns: 2000 },
	);
	expect(Math.min(kept, quoted)).toBeGreaterThan(100);
});

test('any JSON that holds no number beyond 2^53 is left alone', () => {
	fc.assert(
		fc.property(fc.json(), (json) => {
			let isRounded = false;
			JSON.parse(json, (_, value: unknown) => {
				isRounded ||= typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER;
				return value;
			});
			const parsed = {};
			expect(withExactNumbers(json, parsed) === parsed).toBe(!isRounded);
		}),
	);
});

test.each([
	['one text', JSON.stringify({ a: 'x'.repeat(16e6) })],
	['one number', `{"a":${'1'.repeat(16e6)}}`],
	['backslashes', `{"a":"${'\\\\'.repeat(8e6)}"}`],
	['quotation marks', JSON.stringify({ a: '"'.repeat(8e6) })],
])('as much as n8n takes, as %s, does not end in an error', (_, json) => {
	expect(read(json)).toEqual({ a: expect.anything() as unknown });
});
