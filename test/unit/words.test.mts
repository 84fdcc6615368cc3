// The words that a user meets in nodes and credentials: every text in their descriptions, and every literal of their code
// that reads as a text. They follow n8n's UX guidelines and plain English.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { SobotApi } from '../../credentials/SobotApi.credentials';
import { SobotWebhookAppApi } from '../../credentials/SobotWebhookAppApi.credentials';
import { SobotRuleEngine } from '../../nodes/SobotRuleEngine/SobotRuleEngine.node';
import { SobotWebhookAppTrigger } from '../../nodes/SobotWebhookApp/SobotWebhookAppTrigger.node';

const SHIPPED = [
	new SobotRuleEngine().description,
	new SobotWebhookAppTrigger().description,
	new SobotApi(),
	new SobotWebhookAppApi(),
];

/** The fields of a description that n8n shows. An option shows its `name`. */
const SHOWN = [
	'displayName',
	'description',
	'placeholder',
	'hint',
	'action',
	'message',
	'header',
	'subtitle',
];
const SHOWN_TOO = ['eventTriggerDescription', 'activationMessage', 'activationHint', 'active', 'inactive'];

interface Found {
	text: string;
	/** whether it is the name of a parameter or of one of its values */
	isLabel: boolean;
}

/** The texts of a description. */
function textsOf(value: unknown): Found[] {
	if (typeof value !== 'object' || value === null) return [];
	if (Array.isArray(value)) return value.flatMap(textsOf);
	const record = value as Record<string, unknown>;
	const isNotice = record.type === 'notice';
	return Object.entries(record).flatMap(([key, one]) => {
		if (typeof one !== 'string') return textsOf(one);
		const isOption = key === 'name' && 'value' in record;
		if (one.startsWith('=') || !(isOption || SHOWN.includes(key) || SHOWN_TOO.includes(key))) return [];
		return [{ text: one, isLabel: !isNotice && (isOption || key === 'displayName') }];
	});
}

const FOUND = SHIPPED.flatMap(textsOf);
const LABELS = new Set(FOUND.filter(({ isLabel }) => isLabel).map(({ text }) => text));
const FROM_DESCRIPTIONS = FOUND.filter(({ isLabel }) => !isLabel).map(({ text }) => text);
/** Buttons and the like, in title case. */
const BUTTONS = /^Add \w+$/;

const SOURCES = ['nodes', 'credentials'].flatMap((folder) =>
	readdirSync(folder, { recursive: true, encoding: 'utf8' })
		.filter((name) => name.endsWith('.ts'))
		.map((name) => {
			const path = join(folder, name);
			return ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
		}),
);

/** The literals with two words or more; `…` stands for what a template fills in. */
function literalsOf(source: ts.SourceFile): string[] {
	const texts: string[] = [];
	const visit = (node: ts.Node): void => {
		if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) texts.push(node.text);
		if (ts.isTemplateExpression(node))
			texts.push(node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join(''));
		ts.forEachChild(node, visit);
	};
	visit(source);
	return texts.filter((text) => /[a-z]\S* \S/.test(text) && !text.startsWith('='));
}

const TEXTS = [...new Set([...FROM_DESCRIPTIONS, ...SOURCES.flatMap(literalsOf)])].filter(
	(text) => !LABELS.has(text) && !BUTTONS.test(text),
);

/** Names of nodes and credentials; they contain the names of parameters. */
const PROPER_NAMES = /Sobot (Rule Engine|Webhook App Trigger|Webhook App API|Webhook App|API)/g;

/** A text without the names in single quotation marks that stand in it. */
const withoutQuoted = (text: string) => text.replace(/(?<!\w)'[^']+'(?!\w)/g, "''");

function sentencesOf(text: string): string[] {
	return text
		.split(/<br ?\/?>|(?<=[.!?:]['")]?) +(?=[A-Z'"…])/)
		.map((sentence) => sentence.replace(/<[^>]*>/g, ''))
		.filter((sentence) => !sentence.startsWith('{'));
}

/** What n8n's UX guidelines ban. 999999's "system error" is Sobot's own name. */
function bannedWords(text: string): string[] {
	return (
		withoutQuoted(text.replace('system error', '')).match(/\b(error|problem|failure|mistake)s?\b/gi) ?? []
	);
}

/** Names of parameters and values that stand in a text without single quotation marks. */
function unquotedNames(text: string): string[] {
	const rest = withoutQuoted(text.replace(PROPER_NAMES, 'Sobot'));
	const names = [...LABELS].map((label) => label.replace(/ \(Seconds\)$/, ''));
	return names.filter((name) => {
		// Within a sentence, a capital letter makes a word a name.
		const place = name.includes(' ') ? String.raw`\b` : String.raw`(?<=[a-z,;…] )`;
		return name !== 'JSON' && new RegExp(`${place}${name}\\b`).test(rest);
	});
}

const MOST_WORDS = 30;

function longSentences(text: string): string[] {
	return sentencesOf(text).filter((sentence) => sentence.split(/\s+/).length > MOST_WORDS);
}

/** Each text with the words in it that a check objects to. */
function objections(texts: readonly string[], check: (text: string) => string[]): string[] {
	return texts.flatMap((text) => {
		const found = check(text);
		return found.length > 0 ? [`${found.join(', ')} <- ${text}`] : [];
	});
}

describe('the texts of nodes and credentials', () => {
	test.each([
		['a description', 'Put customers on Sobot Rule Engine canvases'],
		['a notice', 'Without authentication, anybody who knows the URL'],
		["the trigger's panel", 'Once the workflow is built'],
		['an error', "'Canvas' is empty."],
		['a message of the credential test', 'This address issues tokens'],
		['a table', 'Sobot did not receive a trigger ID'],
		['a template', '… of … customers failed or could not be confirmed.'],
	])('are found in %s', (_, part) => {
		expect(TEXTS.filter((text) => text.includes(part))).toHaveLength(1);
	});

	test.each(['Dry Run', 'Immediately', 'App Key', 'Trigger ID', 'Custom Field Names'])(
		'%s is found as a name',
		(name) => expect(LABELS).toContain(name),
	);

	test('avoid error, problem, failure and mistake', () => {
		expect(objections(TEXTS, bannedWords)).toEqual([]);
	});

	test('name parameters and their values in single quotation marks', () => {
		expect(objections(TEXTS, unquotedNames)).toEqual([]);
	});

	test(`have no sentence of more than ${MOST_WORDS} words`, () => {
		expect(objections(TEXTS, longSentences)).toEqual([]);
	});
});

describe('the checks object to', () => {
	test.each(['An error occurred.', 'There were Problems.', "Sobot's failure", 'a mistake'])('%s', (text) => {
		expect(bannedWords(text)).toHaveLength(1);
	});

	test.each([
		'Raise Give Up After, then try again.',
		"Check App ID and 'App Key'.",
		'Choose it in the Region of the credential.',
		'Set the mode to Define Below.',
	])('%s', (text) => {
		expect(unquotedNames(text)).toHaveLength(1);
	});

	test('a sentence that is too long, wherever it stands', () => {
		const words = (count: number) => Array<string>(count).fill('word').join(' ');
		expect(longSentences(`Short. Long ${words(MOST_WORDS)}. Short.`)).toHaveLength(1);
		expect(longSentences(`Long ${words(MOST_WORDS - 1)}. Short ${words(5)}.<br>Short.`)).toEqual([]);
	});
});

describe('the checks do not object to', () => {
	test.each([
		"Sobot reports an unknown system error. See the field 'error' of each item.",
		"What is wrong? Check the customer's 'App ID' in the Sobot Webhook App API credential.",
		'A JSON object for the canvas. Name of the customer.',
	])('%s', (text) => {
		const checks = [bannedWords, unquotedNames, longSentences];
		expect(checks.flatMap((check) => check(text))).toEqual([]);
	});
});
