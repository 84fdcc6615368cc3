// Reads what a user types into a field. An expression there can give a value of any type.

/** The text without white space around it; '' for anything but text. */
export function trimmedText(value: unknown): string {
	return typeof value === 'string' ? value.trim() : '';
}

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
