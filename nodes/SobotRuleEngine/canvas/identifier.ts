// Recognizes identifiers that a spreadsheet, an export or copy-paste has spoiled. Sobot creates a customer for each one that
// it does not know, so the right customer would get nothing, or one person would get it once for each spelling.

/** How to keep a spreadsheet from changing IDs. */
export const FORMAT_AS_TEXT =
	'In a spreadsheet, format the column as plain text before you enter the IDs, then enter them again.';

/** Error values of spreadsheets: English, Chinese, Spanish, German, French, Italian, Dutch, Polish, Portuguese, Russian. */
const ERROR_VALUES = [
	'N/A|N/D|N/B|NV|Н/Д|REF!|VALUE!|NAME\\?|DIV/0!|NUM!|NULL!|SPILL!|CALC!|FIELD!|BLOCKED!|CONNECT!|UNKNOWN!|BUSY!|GETTING_DATA|ERROR!',
	'¡REF!|¡VALOR!|¿NOMBRE\\?|¡NUM!|¡NULO!|¡DIV/0!|BEZUG!|WERT!|ZAHL!|ÜBERLAUF!|KALK!',
	'VALEUR!|NOM\\?|NOMBRE!|NUL!|RIF!|VALORE!|NOME\\?|NULLO!|VERW!|WAARDE!|NAAM\\?|GETAL!|LEEG!|DEEL/0!',
	'ADR!|ARG!|NAZWA\\?|LICZBA!|ZERO!|DZIEL/0!|VALOR!|NÚM!|NULO!|ССЫЛКА!|ЗНАЧ!|ИМЯ\\?|ЧИСЛО!|ПУСТО!|ДЕЛ/0!',
];

/**
 * Forms that spreadsheets, exports and programs really produce, and what each shows. IDs such as 12E4, 1E05 or 1.5E3 may be
 * right. So may an ID that ends in zeros, although a spreadsheet rounds numbers to 15 digits.
 */
const SPOILED_FORMS: ReadonlyArray<{ pattern: RegExp; reason: (text: string) => string }> = [
	{
		// 4.40981E+17, 4,40981E+17 and 1E+17 of spreadsheets, 1e+21 of JavaScript, 4.40981E17 of Java
		pattern:
			/^[-+]?\d{1,3}([.,٫]\d+)?E\+\d{2,3}$|^[-+]?\d[.,٫]\d+E\+\d$|^\d[.,]\d+E-\d{2,3}$|^\d\.\d+E([7-9]|[1-9]\d)$/i,
		reason: (text) => `is ${text}: a spreadsheet has shortened it, and digits are lost. ${FORMAT_AS_TEXT}`,
	},
	{
		// 12345.0, 12345,00, 12,345,678, 12,34,567 of India, 12,345,678.00 and 12.345.678,00
		pattern: /^\d+(\.0+|,00?)$|^\d{1,3}(,\d{2,3})+,\d{3}(\.\d+)?$|^\d{1,3}(\.\d{3})+,\d+$/,
		reason: (text) => `is ${text}, as a spreadsheet or an export writes a number. ${FORMAT_AS_TEXT}`,
	},
	{
		// #N/A, #REF! and #NAME? in several languages, Err:502 of LibreOffice, and a column that is too narrow
		pattern: new RegExp(`^#(${ERROR_VALUES.join('|')}|#+)$|^Err:\\d+$`),
		reason: (text) =>
			`is ${text}: the spreadsheet has no value there, or no room to show it. Correct the formula, or widen the column.`,
	},
	{
		pattern:
			/^(undefined|null|NULL|NaN|nan|None|\\N|<NA>|N\/A|n\/a|[[(]null[\])])$|undefined$|[-_ ]NaN$|\[object \w+\]/,
		reason: (text) =>
			`is the text ${text.slice(0, 80)}, which stands for a missing value. Check the expression, and the data behind it.`,
	},
	{
		pattern: /^("+[^"]+"+|'[^']+'|“[^”]+”)$/,
		reason: (text) => `is in quotation marks: ${text.slice(0, 80)}. Remove them from your data.`,
	},
	{
		pattern: /^['’‘][+\d][\d+ ().-]*$/,
		reason: (text) =>
			`begins with an apostrophe, with which spreadsheets mark text: ${text}. Remove it from your data.`,
	},
	{
		pattern: /^=/,
		reason: (text) =>
			`begins with an equals sign, as a formula does: ${text.slice(0, 80)}. Enter its result instead.`,
	},
	{
		// An input method types these. A name may contain them, so only numbers are refused.
		pattern: /^(?=.*[０-９])[\d０-９.,+-]+$/,
		reason: (text) => {
			const [digit = ''] = /[０-９]/.exec(text) ?? [];
			return `contains the full-width digit ${digit} (${codePoint(digit)}). Type it as ${digit.normalize('NFKC')}.`;
		},
	},
];

/**
 * Joiners and variation selectors that change how the text looks: within emoji, between Arabic letters, after a mark of an
 * Indic script or a Chinese character. Elsewhere they are invisible.
 */
const VISIBLE_JOINERS = new RegExp(
	[
		'(?<=\\p{Extended_Pictographic}\\uFE0F?|\\p{Emoji_Modifier})\\u200D(?=\\p{Extended_Pictographic})',
		'(?<=[\\p{Extended_Pictographic}\\p{Script=Han}])[\\uFE00-\\uFE0F\\u{E0100}-\\u{E01EF}]',
		'\\uFE0F(?=\\u20E3)',
		'(?<=\\u{1F3F4})[\\u{E0020}-\\u{E007F}]+',
		'(?<=[\\p{Script=Arabic}\\p{M}])[\\u200C\\u200D](?=[\\p{Script=Arabic}\\p{L}])',
		// Persian after a Latin word, a digit or a quotation mark; Bengali; Malayalam; Mongolian
		'(?<=[\\p{L}\\p{N}\\p{P}])\\u200C(?=\\p{Script=Arabic})',
		'(?<=\\p{Script=Bengali})\\u200D(?=\\p{M})',
		'(?<=\\p{Script=Malayalam})\\u200D',
		'(?<=\\p{Script=Mongolian})[\\u180B-\\u180F]',
	].join('|'),
	'gu',
);

/** Characters that are invisible, or look like an ordinary blank. The wide blank of Chinese and Japanese is typed on purpose. */
const HIDDEN =
	/(?![ \u3000])[\p{Cc}\p{Default_Ignorable_Code_Point}\p{Z}\p{Noncharacter_Code_Point}\u2800\uFFF9-\uFFFB]/u;

/**
 * Says how an identifier, such as a contact ID, is spoiled, and what to do: a reason that begins with its verb, to follow
 * the parameter's name. Undefined if it may be right.
 *
 * @param text the identifier without the blanks around it
 */
export function spoiledIdentifier(text: string): string | undefined {
	const broken = brokenCharacter(text);
	if (broken !== undefined) return broken;
	const replaced = text.indexOf('\uFFFD');
	if (replaced >= 0) {
		return `${where(text, replaced, 'the character \uFFFD (U+FFFD)')}, which stands for one that could not be read. Read the data again in its own encoding, such as UTF-8 or GBK.`;
	}
	const visible = text.replace(VISIBLE_JOINERS, (joiners) => 'x'.repeat(joiners.length));
	const hidden = HIDDEN.exec(visible);
	if (hidden) {
		const what = where(text, hidden.index, `the hidden character ${codePoint(hidden[0])}`);
		const escaped = `\\u{${codePoint(hidden[0]).slice(2)}}`;
		const blank = /\s/.test(hidden[0]) ? ' ' : '';
		return `${what}. Remove it from your data, for example with .replaceAll('${escaped}', '${blank}').`;
	}
	return SPOILED_FORMS.find(({ pattern }) => pattern.test(text))?.reason(text);
}

/** The half of a character that a text contains, as a reason like that of `spoiledIdentifier`; else undefined. */
export function brokenCharacter(text: string): string | undefined {
	const half = /\p{Surrogate}/u.exec(text);
	if (!half) return undefined;
	const what = where(text, half.index, `half a character (${codePoint(half[0])})`);
	return `${what}, because the text was cut there. Correct it in your data.`;
}

/** `contains` or `begins with`, what, and the text before it. */
function where(text: string, index: number, what: string): string {
	if (index === 0) return `begins with ${what}`;
	const before = Array.from(text.slice(0, index)).slice(-20).join('');
	return `contains ${what} after "${before}"`;
}

function codePoint(character: string): string {
	return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
