// Splits a list that a user types into one field.

/**
 * The entries of a list, separated by commas, semicolons, white space or line breaks, also in their full-width forms.
 *
 * @param value text, or a number or array from an expression; anything else is an empty list
 */
export function splitList(value: unknown): string[] {
	const text = Array.isArray(value)
		? value.join(',')
		: typeof value === 'string' || typeof value === 'number'
			? String(value)
			: '';
	return text.split(/[,;\s，；、]+/).filter((entry) => entry !== '');
}
