import { brokenCharacter, spoiledIdentifier } from '../../nodes/SobotRuleEngine/canvas/identifier';

describe('an identifier that is spoiled is refused:', () => {
	test.each([
		['4.40981E+17', 'a spreadsheet has shortened'],
		['4,40981E+17', 'a spreadsheet has shortened'],
		['1.23457E+18', 'a spreadsheet has shortened'],
		['1E+17', 'a spreadsheet has shortened'],
		['-4.4E+11', 'a spreadsheet has shortened'],
		['1e+21', 'a spreadsheet has shortened'],
		['4.40981e+017', 'a spreadsheet has shortened'],
		// what Excel makes of 12E-5, and Java of a number
		['1.20E-04', 'a spreadsheet has shortened'],
		['4.4098119900101E17', 'a spreadsheet has shortened'],
		['1.0E7', 'a spreadsheet has shortened'],
		['123456.0', 'writes a number'],
		['123456.00', 'writes a number'],
		['123456,00', 'writes a number'],
		['123,456,789', 'writes a number'],
		['#N/A', 'has no value'],
		['#REF!', 'has no value'],
		['#VALUE!', 'has no value'],
		['#DIV/0!', 'has no value'],
		['#NAME?', 'has no value'],
		['#BEZUG!', 'has no value'],
		['#¡VALOR!', 'has no value'],
		['#NV', 'has no value'],
		['#ЗНАЧ!', 'has no value'],
		['########', 'has no value'],
		['Err:502', 'has no value'],
		['undefined', 'stands for a missing value'],
		['null', 'stands for a missing value'],
		['NULL', 'stands for a missing value'],
		['NaN', 'stands for a missing value'],
		['None', 'stands for a missing value'],
		['\\N', 'stands for a missing value'],
		['[object Object]', 'stands for a missing value'],
		['C-[object Object]', 'stands for a missing value'],
		["'00123", 'begins with an apostrophe'],
		['’00123', 'begins with an apostrophe'],
		['"123"', 'is in quotation marks'],
		['“123”', 'is in quotation marks'],
		["'123'", 'is in quotation marks'],
		['="00123"', 'begins with an equals sign'],
		['=C1', 'begins with an equals sign'],
		['１２３', 'full-width digit １ (U+FF11). Type it as 1.'],
		['12３', 'full-width digit ３ (U+FF13). Type it as 3.'],
	])('%s', (text, reason) => {
		expect(spoiledIdentifier(text)).toContain(reason);
	});

	test.each([
		['\u200b', 'U+200B'],
		['\u200c', 'U+200C'],
		['\u200d', 'U+200D'],
		['\u200e', 'U+200E'],
		['\u202a', 'U+202A'],
		['\u202c', 'U+202C'],
		['\u2069', 'U+2069'],
		['\u2060', 'U+2060'],
		['\ufeff', 'U+FEFF'],
		['\u00ad', 'U+00AD'],
		['\u00a0', 'U+00A0'],
		['\u202f', 'U+202F'],
		['\u2003', 'U+2003'],
		['\u2028', 'U+2028'],
		['\t', 'U+0009'],
		['\n', 'U+000A'],
		['\r', 'U+000D'],
		['\0', 'U+0000'],
		['\x7f', 'U+007F'],
		['\x85', 'U+0085'],
		['\ufe0f', 'U+FE0F'],
		['\u3164', 'U+3164'],
		['\u2800', 'U+2800'],
		['\u{e0041}', 'U+E0041'],
		['\ufffe', 'U+FFFE'],
	])('with %j in it, which it names', (character, name) => {
		expect(spoiledIdentifier(`C1${character}2`)).toContain(`hidden character ${name} after "C1".`);
	});

	test('with how to remove what is hidden', () => {
		expect(spoiledIdentifier('\u200bC1')).toBe(
			"begins with the hidden character U+200B. Remove it from your data, for example with .replaceAll('\\u{200B}', '').",
		);
		expect(spoiledIdentifier('C\u00a01')).toContain(".replaceAll('\\u{00A0}', ' ')");
	});

	test('with the place of what is hidden, whatever comes before', () => {
		const long = `${'😀'.repeat(20)}\u200b`;
		expect(spoiledIdentifier(`x${long}`)).toContain(`after "${'😀'.repeat(20)}"`);
	});

	test.each([
		['C\ud83d', 'contains half a character (U+D83D) after "C"'],
		['\udc001', 'begins with half a character (U+DC00)'],
		['M\ufffdller', 'contains the character \ufffd (U+FFFD) after "M"'],
	])('%j', (text, reason) => {
		expect(spoiledIdentifier(text)).toContain(reason);
	});
});

describe('an identifier that may be right passes:', () => {
	test.each([
		'1',
		'123456',
		'00123',
		'1234567890123456789',
		// Excel may have rounded this one, and it may be somebody's ID
		'1234567890123450000',
		'12E4',
		'1E5',
		'1E05',
		'5E-07',
		'1.5E3',
		'12-E+17',
		'A1.5E+17',
		'1.2.3',
		'12.345.678-5',
		'1.234.567.890',
		'12,5',
		'1,234',
		'1.0.0',
		'v1.0',
		'-5',
		'+8613812345678',
		"O'Brien",
		"d'Artagnan-7",
		"'s-Hertogenbosch",
		"'90s sale",
		'15"',
		'"Spring" and "Summer"',
		'A#1',
		'#1234',
		'#vip',
		'#VIP-1!',
		'C#',
		'nullable',
		'Nan',
		'None-1',
		'true',
		'N/A-1',
		'a@b.example',
		'https://example.com/?id=1',
		'a=b',
		'VIP ＃１２３',
		'春２０２７',
		'山田\u3000太郎',
		'{"a":1}',
		'é',
		'e\u0301',
		'王小明',
		'\u{20bb7}',
		'می\u200cخواهم',
		'क्\u200dष',
		'❤\ufe0f',
		'1\ufe0f\u20e3',
		'👩\u200d💻',
		'👩🏽\u200d💻',
		'🏳\ufe0f\u200d🌈',
		'🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}',
		'葛\u{e0100}城',
		'?',
		'\u0600',
	])('%s', (text) => {
		expect(spoiledIdentifier(text)).toBeUndefined();
	});
});

test.each([
	['می\u200cخواهم', undefined],
	['👩\u200d💻', undefined],
	['a\u200db', undefined],
	['Jane\ud83d', 'contains half a character (U+D83D) after "Jane"'],
])('a name such as %j only needs whole characters', (text, reason) => {
	expect(brokenCharacter(text)).toEqual(
		reason === undefined ? undefined : (expect.stringContaining(reason) as string),
	);
});
