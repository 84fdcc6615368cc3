// Reads the node's parameters for each item. n8n resolves an expression in 0.6 to 0.8 ms, and most expressions are only a
// column that was dragged from the input: such columns are read from the items themselves.
import type { IExecuteFunctions, IGetNodeParameterOptions } from 'n8n-workflow';
import { isJsonObject } from '../../sobot/outcome/answer';

/** How a parameter is read: row by row, or as a value. */
type Source = { readonly rows: readonly string[] } | ValueSource;

interface ValueSource {
	/** the fields of the item that the parameter's expressions stand for, by key; undefined if only n8n can read it */
	fields?: ReadonlyArray<readonly [key: string, path: readonly string[]]>;
	/** n8n's value for one item, in which it has read these fields */
	known?: { readonly value: unknown };
}

/** The key of a parameter that is a single value. */
const WHOLE = '';

/** A name in an expression, behind a point or in quotes. What would need unescaping is left to n8n. */
const NAME = String.raw`\.([\p{ID_Start}_]\p{ID_Continue}*)`;
const QUOTED = String.raw`[^"'\\{}\p{C}\p{Zl}\p{Zp}]+`;
const STEP = String.raw`${NAME}|\['(${QUOTED})'\]|\["(${QUOTED})"\]`;

/**
 * An expression that is one field of the item, as the editor writes it for a dragged column: `={{ $json.id }}`,
 * `={{ $json.customer['Order No'] }}`.
 */
const FIELD = new RegExp(String.raw`^=\{\{ *\$json((?:${STEP})+) *\}\}$`, 'u');
const STEPS = new RegExp(STEP, 'gu');

/**
 * The parameters of one run of the node, with the values and errors that n8n gives. n8n itself reads each parameter for the
 * first item. If its value is what the item's own field holds, the other items' fields are read without n8n, as long as they
 * hold text. A parameter without an expression is read once.
 */
export class Parameters {
	private readonly items: ReturnType<IExecuteFunctions['getInputData']>;
	private readonly sources = new Map<string, Source>();

	constructor(private readonly node: IExecuteFunctions) {
		this.items = node.getInputData();
	}

	/**
	 * The value of a parameter for an item; items can share an object, so do not change it.
	 *
	 * @param name the parameter; ask for it with the same fallback and options each time
	 */
	at(name: string, index: number, fallback?: unknown, options?: IGetNodeParameterOptions): unknown {
		const source = this.sourceOf(name, fallback, options);
		if ('rows' in source) return this.rowsAt(source.rows, index) ?? this.node.getNodeParameter(name, index);
		const texts = source.fields && textsIn(this.items[index]?.json, source.fields);
		if (texts && source.known) return withTexts(source.known.value, texts);
		const value: unknown = this.node.getNodeParameter(name, index, fallback, options);
		if (!texts) return value;
		if (holds(value, texts)) source.known = { value };
		else source.fields = undefined;
		return value;
	}

	/** Rows by themselves; undefined if n8n cannot read one: what it then throws depends on them all. */
	private rowsAt(rows: readonly string[], index: number): unknown[] | undefined {
		try {
			return rows.map((row) => this.at(row, index));
		} catch {
			return undefined;
		}
	}

	private sourceOf(name: string, fallback: unknown, options: IGetNodeParameterOptions = {}): Source {
		const known = this.sources.get(name);
		if (known) return known;
		const typed: unknown = this.node.getNodeParameter(name, 0, fallback, { rawExpressions: true });
		const source = Array.isArray(typed)
			? { rows: typed.map((_, row) => `${name}[${row}]`) }
			: { fields: options.extractValue ? fieldsOfLocator(typed) : fieldsOf(typed) };
		this.sources.set(name, source);
		return source;
	}
}

/** The fields that a parameter's expressions stand for; undefined if one of the expressions is more than a field. */
function fieldsOf(typed: unknown): ValueSource['fields'] {
	const fields: Array<[string, string[]]> = [];
	for (const [key, value] of isJsonObject(typed) ? Object.entries(typed) : [[WHOLE, typed] as const]) {
		if (!hasExpression(value)) continue;
		const steps = typeof value === 'string' ? FIELD.exec(value)?.[1] : undefined;
		if (steps === undefined) return undefined;
		fields.push([key, Array.from(steps.matchAll(STEPS), ([, ...names]) => names.join(''))]);
	}
	return fields;
}

/** The same for a resource locator, of which n8n gives the value alone. */
function fieldsOfLocator(typed: unknown): ValueSource['fields'] {
	const fields = fieldsOf(typed);
	if (!isJsonObject(typed)) return fields;
	if (!fields?.every(([key]) => key === 'value')) return undefined;
	return fields.map(([, path]) => [WHOLE, path]);
}

/** Whether n8n would resolve something in a value as it was typed. */
function hasExpression(typed: unknown): boolean {
	if (typeof typed === 'string') return typed.startsWith('=');
	return typeof typed === 'object' && typed !== null && Object.values(typed).some(hasExpression);
}

/** The texts that an item itself has in these fields, by key; undefined if one of them is not text. */
function textsIn(
	json: unknown,
	fields: NonNullable<ValueSource['fields']>,
): Record<string, string> | undefined {
	const texts: Record<string, string> = {};
	for (const [key, path] of fields) {
		let value = json;
		for (const name of path) value = isPlain(value) && Object.hasOwn(value, name) ? value[name] : undefined;
		if (typeof value !== 'string') return undefined;
		texts[key] = value;
	}
	return texts;
}

/** Whether n8n's value has these texts at their keys. */
function holds(value: unknown, texts: Record<string, string>): boolean {
	return Object.entries(texts).every(
		([key, text]) => (key === WHOLE ? value : isJsonObject(value) ? value[key] : undefined) === text,
	);
}

/** A value with another item's texts. */
function withTexts(value: unknown, texts: Record<string, string>): unknown {
	if (Object.hasOwn(texts, WHOLE)) return texts[WHOLE];
	return isJsonObject(value) && Object.keys(texts).length > 0 ? { ...value, ...texts } : value;
}

/** Whether a value is an object as JSON has them, in whatever realm it was made. */
function isPlain(value: unknown): value is Record<string, unknown> {
	if (!isJsonObject(value)) return false;
	const prototype: unknown = Object.getPrototypeOf(value);
	return prototype === null || Object.getPrototypeOf(prototype) === null;
}
