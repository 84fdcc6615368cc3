// Reads the node's parameters for each item. n8n resolves an expression in 0.6 to 0.8 ms, and most expressions are only a
// column that was dragged from the input: such columns are read from the items themselves.
import type { IExecuteFunctions } from 'n8n-workflow';
import { isJsonObject } from '../../sobot/outcome/answer';

/** How a parameter is read. */
interface Source {
	/** as it was typed, with its expressions */
	readonly typed: unknown;
	/** whether n8n reads the same as is read without it; undefined until both have been compared */
	isSame?: boolean;
}

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
 * first item. If its value is the same as without n8n, so are those of the other items, as long as their fields hold text,
 * numbers or booleans.
 */
export class Parameters {
	private readonly items: ReturnType<IExecuteFunctions['getInputData']>;
	private readonly sources = new Map<string, Source>();

	constructor(private readonly node: IExecuteFunctions) {
		this.items = node.getInputData();
	}

	/**
	 * The value of a parameter for an item.
	 *
	 * @param name the parameter; ask for it with the same fallback each time
	 */
	at(name: string, index: number, fallback?: unknown): unknown {
		const source = this.sources.get(name) ?? {
			typed: this.node.getNodeParameter(name, 0, fallback, { rawExpressions: true }) as unknown,
		};
		this.sources.set(name, source);
		const own = source.isSame === false ? undefined : withFields(source.typed, this.items[index]?.json);
		if (own !== undefined && source.isSame) return own;
		const value: unknown = this.node.getNodeParameter(name, index, fallback);
		if (own !== undefined) source.isSame = JSON.stringify(own) === JSON.stringify(value);
		return value;
	}
}

/** A value as it was typed, with the values of an item's fields; undefined if only n8n can read it. */
function withFields(typed: unknown, json: unknown): unknown {
	if (typeof typed === 'string') return typed.startsWith('=') ? fieldOf(typed, json) : typed;
	if (typeof typed !== 'object' || typed === null) return typed;
	const entries = Object.entries(typed).map(([key, inner]) => [key, withFields(inner, json)] as const);
	if (entries.some(([, value]) => value === undefined)) return undefined;
	return Array.isArray(typed) ? entries.map(([, value]) => value) : Object.fromEntries(entries);
}

/** The plain value of the field that an expression names; undefined if it is none, or the expression is more than a field. */
function fieldOf(expression: string, json: unknown): unknown {
	const steps = FIELD.exec(expression)?.[1];
	if (steps === undefined) return undefined;
	let value = json;
	for (const [, ...names] of steps.matchAll(STEPS)) {
		const name = names.join('');
		value = isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
	}
	return ['string', 'number', 'boolean'].includes(typeof value) ? value : undefined;
}
