// Finds the fields in the text of a JSON object without parsing their values: JavaScript would change the digits of a
// long number, and would hide that a field appears twice.

/** A field of the outermost object; its value is `text.slice(start, end)`. */
export interface TextField {
	readonly name: string;
	readonly start: number;
	readonly end: number;
}

/** The fields of the outermost object, in order. `text` must be valid JSON of an object. */
export function topLevelFields(text: string): TextField[] {
	const fields: TextField[] = [];
	// A string, a bracket or comma, or a sequence of anything else that is not white space.
	const tokens = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/gs;
	let depth = 0;
	let name: string | undefined;
	let start: number | undefined;
	let end = 0;
	for (const { 0: token, index } of text.matchAll(tokens)) {
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
