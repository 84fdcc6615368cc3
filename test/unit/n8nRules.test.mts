// n8n's rules that no published version of its lint checks: those on their way, and of the UX guidelines. Each is held
// against what our nodes really show, wherever in the source it is written, and against a copy with a fault in it.
// Sources: n8n's repository, packages/@n8n/eslint-plugin-community-nodes, docs/rules; n8n's documentation, "UX guidelines".
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NodeHelpers, type INodeProperties, type INodeTypeDescription } from 'n8n-workflow';
import { SobotApi } from '../../credentials/SobotApi.credentials';
import { SobotWebhookAppApi } from '../../credentials/SobotWebhookAppApi.credentials';
import { SobotRuleEngine } from '../../nodes/SobotRuleEngine/SobotRuleEngine.node';
import { SobotWebhookAppTrigger } from '../../nodes/SobotWebhookApp/SobotWebhookAppTrigger.node';

interface Shown {
	description: INodeTypeDescription;
	codex: { categories: string[] };
	icons: { light: string; dark: string };
}

type Hint = { propertyHint?: string } | undefined;

interface Rule {
	rule: string;
	/** what is against the rule, in words */
	findings: (shown: Shown) => string[];
	/** puts a fault in */
	spoil: (shown: Shown) => unknown;
}

const FOLDERS = [
	{ node: new SobotRuleEngine(), folder: 'nodes/SobotRuleEngine', codex: 'SobotRuleEngine.node.json' },
	{
		node: new SobotWebhookAppTrigger(),
		folder: 'nodes/SobotWebhookApp',
		codex: 'SobotWebhookAppTrigger.node.json',
	},
];

/** A copy of all that n8n shows of a node, for a test to spoil. */
function shownBy({ node, folder, codex }: (typeof FOLDERS)[number]): Shown {
	const { icon } = node.description;
	if (typeof icon !== 'object') throw new Error('This node has one icon for both themes.');
	const read = (file: string) => readFileSync(join(folder, file.replace(/^file:/, '')), 'utf8');
	return {
		description: structuredClone({ ...node.description, webhooks: undefined }),
		codex: JSON.parse(read(codex)) as Shown['codex'],
		icons: { light: read(icon.light), dark: read(icon.dark) },
	};
}

/** n8n's list. Source: n8n's documentation, "Codex files", Node categories. */
const CATEGORIES = [
	'AI',
	'Analytics',
	'Communication',
	'Data & Storage',
	'Development',
	'Finance & Accounting',
	'Marketing & Content',
	'Miscellaneous',
	'Productivity',
	'Sales',
	'Utility',
];
const LONGEST_HINT = 120;
const CONTAINERS = ['collection', 'fixedCollection'];
const WITHOUT_INPUT = ['notice', 'callout', 'hidden', 'curlImport'];
const SELECTORS = ['resource', 'operation', 'authentication'];
/** n8n's UX guidelines want this one at the top level. */
const SIMPLIFY = 'simplify';
const SIMPLIFY_SHOWN =
	'Simplify: Whether to return a simplified version of the response instead of the raw data';
const BACKGROUNDS = { light: '#ffffff', dark: '#2b2b2b' } as const;
const LEAST_CONTRAST = 1.5;

/** All objects at any depth of a description. */
function objectsIn(value: unknown): Array<Record<string, unknown>> {
	if (typeof value !== 'object' || value === null) return [];
	const inside = Object.values(value).flatMap(objectsIn);
	return Array.isArray(value) ? inside : [value as Record<string, unknown>, ...inside];
}

/** Can both be shown at once? Only if no parameter must have one value for this and another for that. */
function excludeEachOther(one: Show, other: Show): boolean {
	return Object.entries(one).some(([name, values]) => other[name]?.every((value) => !values.includes(value)));
}
type Show = Record<string, unknown[]>;

const showOf = ({ displayOptions }: Pick<INodeProperties, 'displayOptions'>) =>
	(displayOptions?.show ?? {}) as Show;

/** Does the value of this parameter decide which others are shown? */
function isSelector({ name }: INodeProperties, description: INodeTypeDescription): boolean {
	if (SELECTORS.includes(name)) return true;
	return objectsIn(description).some(({ displayOptions }) => {
		const { show = {} } = (displayOptions ?? {}) as { show?: Show };
		return name in show || `/${name}` in show;
	});
}

/** The contrast ratio of two colours. Source: WCAG 2, relative luminance. */
function contrast(one: string, other: string): number {
	const luminances = [one, other].map((colour) => {
		const digits = colour.length === 4 ? colour.replace(/[^#]/g, '$&$&') : colour;
		const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((start) => {
			const share = Number.parseInt(digits.slice(start, start + 2), 16) / 255;
			return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
		});
		return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
	});
	return (Math.max(...luminances) + 0.05) / (Math.min(...luminances) + 0.05);
}

function coloursOf(svg: string): string[] {
	return [...svg.matchAll(/(?:fill|stroke|stop-color)\s*[=:]\s*"?\s*(#[0-9a-f]{3}(?:[0-9a-f]{3})?)\b/gi)].map(
		([, colour = '']) => colour,
	);
}

const PLAIN: INodeProperties = { displayName: 'Spoilt', name: 'spoilt', type: 'string', default: '' };

const LINT_RULES: Rule[] = [
	{
		rule: 'single-credential-per-node',
		findings: ({ description: { credentials = [] } }) =>
			credentials.flatMap((one, index) =>
				credentials
					.slice(index + 1)
					.filter((other) => !excludeEachOther(showOf(one), showOf(other)))
					.map((other) => `${one.name} and ${other.name} can be in use at once`),
			),
		spoil: ({ description: { credentials } }) => credentials?.push({ name: 'spoilt', required: false }),
	},
	{
		rule: 'valid-node-categories',
		findings: ({ codex: { categories } }) =>
			categories.length === 0
				? ['no category']
				: categories.filter((category) => !CATEGORIES.includes(category)),
		spoil: ({ codex }) => codex.categories.push('Marketing'),
	},
	{
		rule: 'hint-max-length',
		findings: ({ description }) =>
			objectsIn(description)
				.map(({ hint }) => hint)
				.filter((hint): hint is string => typeof hint === 'string' && hint.length > LONGEST_HINT),
		spoil: ({ description: { properties } }) =>
			properties.push({ ...PLAIN, hint: 'x'.repeat(LONGEST_HINT + 1) }),
	},
	{
		rule: 'options-sorted-alphabetically',
		findings: ({ description }) =>
			objectsIn(description)
				.filter(({ type, options }) => type === 'options' && Array.isArray(options))
				.map(({ options }) => (options as INodeProperties[]).map(({ name }) => name))
				.filter((names) => names.join() !== names.toSorted((a, b) => a.localeCompare(b)).join())
				.map((names) => names.join()),
		spoil: ({ description: { properties } }) =>
			properties.push({
				...PLAIN,
				type: 'options',
				options: ['B', 'A'].map((name) => ({ name, value: name })),
			}),
	},
	{
		rule: 'non-required-fields-in-collection',
		findings: ({ description }) =>
			description.properties
				.filter(({ type, required }) => !required && ![...CONTAINERS, ...WITHOUT_INPUT].includes(type))
				.filter((property) => property.name !== SIMPLIFY && !isSelector(property, description))
				.map(({ name }) => name),
		spoil: ({ description: { properties } }) => properties.push(PLAIN),
	},
	{
		rule: 'open-ended-node-fields',
		findings: ({ description: { properties } }) =>
			properties.filter(({ type, required }) => type === 'json' && !required).map(({ name }) => name),
		spoil: ({ description: { properties } }) => properties.push({ ...PLAIN, type: 'json' }),
	},
	{
		rule: 'icon-contrast',
		findings: ({ icons }) =>
			(['light', 'dark'] as const).filter((theme) => {
				const ratios = coloursOf(icons[theme]).map((colour) => contrast(colour, BACKGROUNDS[theme]));
				return Math.max(0, ...ratios) < LEAST_CONTRAST;
			}),
		spoil: ({ icons }) => (icons.dark = '<svg><path fill="#000"/></svg>'),
	},
];

const AI_BUILDERS: Rule[] = [
	{
		rule: 'has hints for AI builders, which name the other node',
		findings: ({ description: { builderHint: { searchHint, relatedNodes = [] } = {}, name } }) => {
			const others = FOLDERS.map(({ node }) => `n8n-nodes-sobot.${node.description.name}`);
			const isNamed = relatedNodes.some(
				({ nodeType, relationHint }) =>
					others.includes(nodeType) && !nodeType.endsWith(`.${name}`) && relationHint !== '',
			);
			return isNamed && searchHint !== undefined ? [] : ['no hint'];
		},
		spoil: ({ description }) => delete description.builderHint,
	},
	{
		rule: 'has a hint for AI builders where a wrong choice sends somebody twice, or loses a push',
		findings: ({ description }) =>
			objectsIn(description)
				.filter(({ name, value }) => name === 'sendOncePer' || value === 'responseNode')
				.filter(({ builderHint }) => !/.{30}/.test((builderHint as Hint)?.propertyHint ?? ''))
				.map(({ name }) => String(name)),
		spoil: ({ description }) => {
			for (const one of objectsIn(description))
				if (one.name === 'sendOncePer' || one.value === 'responseNode') delete one.builderHint;
		},
	},
	{
		// n8n 2.41 does not load a package with one. Source: n8n-core, validate-node-description.
		rule: 'resource, operation and mode have no hint for AI builders',
		findings: ({ description }) =>
			objectsIn(description)
				.filter(
					({ name, type }) => ['resource', 'operation', 'mode'].includes(String(name)) && type === 'options',
				)
				.filter((property) => 'builderHint' in property)
				.map(({ name }) => String(name)),
		spoil: ({ description: { properties } }) =>
			properties.push({
				...PLAIN,
				...{ name: 'mode', type: 'options', required: true, options: [], builderHint: { propertyHint: 'x' } },
			}),
	},
];

const UX_GUIDELINES: Rule[] = [
	{
		rule: 'placeholders begin with "e.g."',
		findings: ({ description }) =>
			objectsIn(description)
				.filter(({ type, placeholder }) => type === 'string' && placeholder !== undefined)
				.map(({ placeholder }) => String(placeholder))
				.filter((placeholder) => !placeholder.startsWith('e.g. ')),
		spoil: ({ description: { properties } }) => properties.push({ ...PLAIN, placeholder: '123' }),
	},
	{
		rule: 'descriptions of booleans begin with "Whether"',
		findings: ({ description }) =>
			objectsIn(description)
				.filter(({ type }) => type === 'boolean')
				.map((property) => String(property.description))
				.filter((text) => !text.startsWith('Whether ')),
		spoil: ({ description: { properties } }) =>
			properties.push({ ...PLAIN, type: 'boolean', description: 'Sends all' }),
	},
	{
		// n8n's nodes themselves have articles: "Send a message".
		rule: 'actions are in sentence case',
		findings: ({ description }) =>
			objectsIn(description)
				.filter(({ action }) => action !== undefined)
				.map(({ action }) => String(action))
				.filter((action) => !/^[A-Z][^A-Z]*$/.test(action)),
		spoil: ({ description: { properties } }) =>
			properties.push({ ...PLAIN, options: [{ name: 'A', value: 'a', action: 'Put on a Canvas' }] }),
	},
	{
		rule: 'a resource locator offers its list first',
		findings: ({ description }) =>
			objectsIn(description)
				.filter(({ type, modes }) => type === 'resourceLocator' && modes !== undefined)
				.filter((property) => (property.default as { mode: string }).mode !== 'list')
				.map(({ name }) => String(name)),
		spoil: ({ description: { properties } }) =>
			properties.push({ ...PLAIN, type: 'resourceLocator', default: { mode: 'id', value: '' }, modes: [] }),
	},
	{
		rule: 'Simplify has its usual name and description',
		findings: ({ description: { properties } }) =>
			properties
				.filter(({ name }) => name === SIMPLIFY)
				.map((property) => `${property.displayName}: ${property.description}`)
				.filter((shown) => shown !== SIMPLIFY_SHOWN),
		spoil: ({ description: { properties } }) => properties.push({ ...PLAIN, name: SIMPLIFY }),
	},
];

describe.each([...LINT_RULES, ...AI_BUILDERS, ...UX_GUIDELINES])('$rule', ({ findings, spoil }) => {
	test.each(FOLDERS)('$node.description.displayName keeps it, and would not with a fault', (one) => {
		const shown = shownBy(one);
		expect(findings(shown)).toEqual([]);
		spoil(shown);
		expect(findings(shown)).toHaveLength(1);
	});
});

test.each([new SobotApi(), new SobotWebhookAppApi()])(
	'$displayName: every secret is a password field',
	(credential) => {
		const secrets = objectsIn(credential.properties)
			.filter(({ type }) => type === 'string' || type === 'hidden')
			.filter(({ name }) => /key|secret|password|token/i.test(String(name)));
		expect(secrets).not.toEqual([]);
		for (const { typeOptions } of secrets)
			expect(typeOptions).toEqual(expect.objectContaining({ password: true }));
	},
);

// n8n takes a new node's name from its action, and the default name only for what follows it in a tool's.
test.each([
	[{ resource: 'canvas', operation: 'trigger' }, 'Put customers on a canvas'],
	[{ resource: 'webhookApp', operation: 'acknowledge' }, 'Acknowledge webhook app push'],
])('a new node is named after what it does: %j', (parameters, name) => {
	expect(NodeHelpers.makeNodeName(parameters, new SobotRuleEngine().description)).toBe(name);
});
