// Lists that people type into one field.

/**
 * The entries of a list, separated by commas, semicolons, blanks or line breaks, also in their full-width forms.
 *
 * @param value text, or what an expression gave instead: a number or an array; anything else is an empty list
 */
export function splitList(value: unknown): string[] {
	const text = Array.isArray(value)
		? value.join(',')
		: typeof value === 'string' || typeof value === 'number'
			? String(value)
			: '';
	return text.split(/[,;\s，；、]+/).filter((entry) => entry !== '');
}
