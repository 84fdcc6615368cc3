// The action sends nothing: input that cannot be sent, whatever throws before the sending, and a dry run.
import { DEMO_CANVAS } from '../sandbox/server.mts';
import { accepted } from '../support/workflows.mts';
import { shareAction } from './actionSetting.mts';
import { canvas, CONTINUE, DEFINED, people } from './customers.mts';
import type { ActionRun } from './runAction.mts';
import { StoredCredentials } from './storedCredentials.mts';

const setting = shareAction(() => new StoredCredentials());
const { account, run } = setting;

/** n8n's database is away, or the credential was deleted. */
class UnreadableCredentials extends StoredCredentials {
	override async getDecrypted(): Promise<never> {
		throw new Error('the database is away');
	}
}

// As n8n 2 does by default.
process.env.N8N_BLOCK_ENV_ACCESS_IN_NODE = 'true';

const rows = (more: object) => ({
	canvas: [{ name: 'Welcome', triggerId: DEMO_CANVAS.triggerId, secret: DEMO_CANVAS.secret, ...more }],
});

describe('bad input is refused before anything is sent', () => {
	test.each([
		['no contact ID', { ...DEFINED, contactId: '={{ $json.missing }}' }, "'Contact ID' is empty or not text"],
		['a blank contact ID', { ...DEFINED, contactId: '  ' }, "'Contact ID' is empty or not text"],
		[
			'a contact ID that is an object',
			{ ...DEFINED, contactId: '={{ { a: 1 } }}' },
			"'Contact ID' is empty or not text",
		],
		['no nickname', { ...DEFINED, nick: '={{ "" }}' }, "'Nickname' is empty or not text"],
		['no contact ID field', { ...DEFINED, options: { contactIdField: ' ' } }, "'Contact ID Field' is empty"],
		['no canvas', { ...DEFINED, canvas: canvas('={{ "" }}') }, "'Canvas' is empty"],
		['an unknown canvas', { ...DEFINED, canvas: canvas('Nowhere') }, 'has no canvas "Nowhere"'],
		['a template', { ...DEFINED, contactId: '{{ $json.id }}' }, 'from Fixed to Expression'],
		[
			'a field twice',
			{ ...DEFINED, additionalFields: { field: [{ name: 'nick', value: 'y' }] } },
			'The field "nick" appears twice',
		],
		[
			'JSON that is malformed',
			{ ...DEFINED, dataMode: 'json', jsonBody: '{ "a": ' },
			"'JSON Body' is not valid JSON",
		],
		[
			'JSON that is an array',
			{ ...DEFINED, dataMode: 'json', jsonBody: '[1]' },
			"'JSON Body' is not a JSON object",
		],
		[
			'JSON that is null',
			{ ...DEFINED, dataMode: 'json', jsonBody: 'null' },
			"'JSON Body' is not a JSON object",
		],
		[
			'JSON that is a text',
			{ ...DEFINED, dataMode: 'json', jsonBody: '"x"' },
			"'JSON Body' is not a JSON object",
		],
		[
			'JSON that is empty',
			{ ...DEFINED, dataMode: 'json', jsonBody: '{}' },
			"'JSON Body' is not a JSON object",
		],
		[
			'60 requests a second',
			{ ...DEFINED, options: { requestsPerSecond: 60 } },
			"'Requests per Second' must be a whole number from 1 to 50",
		],
		[
			'0 requests a second',
			{ ...DEFINED, options: { requestsPerSecond: 0 } },
			"'Requests per Second' must be a whole number from 1 to 50",
		],
		['no time to answer', { ...DEFINED, options: { timeout: 0 } }, "'Timeout (Seconds)' must be"],
		['a timeout of 50 days', { ...DEFINED, options: { timeout: 4_000_000 } }, "'Timeout (Seconds)' must be"],
		[
			"'Give Up After' of no text",
			{ ...DEFINED, options: { giveUpAfter: '={{ "" }}' } },
			"'Give Up After (Seconds)' must be",
		],
		[
			"'Give Up After' of null",
			{ ...DEFINED, options: { giveUpAfter: '={{ null }}' } },
			"'Give Up After (Seconds)' must be",
		],
	])('%s', async (_, parameters, message) => {
		const { error } = await run({ parameters });
		expect(error?.message).toContain(message);
		expect([setting.sandbox.tokenCalls, setting.sandbox.triggerCalls]).toEqual([[], []]);
	});

	test('one bad item among good ones: none is sent, and the error names it', async () => {
		const { error } = await run({ items: people('1', '', '3', '') });
		expect(error?.message).toMatch(/^Item 1: 'Contact ID' is empty/);
		expect(error?.description).toBe(
			"This try put nobody on the canvas. Input that cannot be sent: 2 items (items 1, 3). Item numbers start at 0. To send the others, set 'On Error' to 'Continue' in this node's settings.",
		);
		expect(setting.sandbox.triggerCalls).toEqual([]);
	});

	test('with On Error: Continue, the good ones are sent and the bad one says why not', async () => {
		const { output } = await run({ items: people('1', '', '3'), node: CONTINUE });
		const reason =
			"Item 1: 'Contact ID' is empty or not text. Enter it, or check the expression for this item.";
		expect(output.map(({ json }) => json)).toEqual([
			accepted('1'),
			{ contactId: '', outcome: 'notSent', ret_code: '', reason },
			accepted('3'),
		]);
	});

	test('an item without anything in it', async () => {
		const { error } = await run({
			items: [{ json: {} }],
			parameters: { ...DEFINED, dataMode: 'autoMapInputData' },
		});
		expect(error?.message).toContain('The input item is empty');
	});

	test.each([
		['a base URL that is not a URL', { baseUrl: 'sobot' }, 'Base URL'],
		['a base URL with another scheme', { baseUrl: 'ftp://sobot.test' }, 'Base URL'],
		['no App ID', { appId: '' }, "'App ID' is empty"],
		['no App Key', { appKey: ' ' }, "'App Key' is empty"],
		['a trigger ID that lost its digits', { canvases: rows({ triggerId: '1.234e18' }) }, 'Row 1'],
		['no secret', { canvases: rows({ secret: '' }) }, "'Secret' is empty"],
		['a secret that no header can hold', { canvases: rows({ secret: 'ключ' }) }, 'not allowed in a header'],
		['no canvases', { canvases: {} }, "under 'Canvases'"],
		[
			'an expression with $env, which n8n blocks',
			{ appId: '={{ $env.SOBOT_APP }}' },
			'uses $env. n8n allows $env only if its own environment variable N8N_BLOCK_ENV_ACCESS_IN_NODE is false.',
		],
		[
			'an expression that fails',
			{ appKey: "={{ $('Nowhere').item.json.x }}" },
			'cannot resolve an expression',
		],
		[
			'a region whose expression gives nothing',
			{ region: '={{ $json.region }}' },
			"The expression in 'Region' results in no text",
		],
		['rows that are no list', { canvases: { canvas: { name: 'Welcome' } } }, '{"canvas":[{"name":"Welcome",'],
		['canvases as a list', { canvases: [{ name: 'Welcome' }] }, '{"canvas":[{"name":"Welcome",'],
		['canvases as JSON', { canvases: '{"canvas":[]}' }, '{"canvas":[{"name":"Welcome",'],
	])('%s', async (_, more, message) => {
		setting.credentials.add('sobotApi', account(more));
		const { error } = await run();
		expect(error?.message).toContain(message);
		expect([setting.sandbox.tokenCalls, setting.sandbox.triggerCalls]).toEqual([[], []]);
	});
});

// n8n answers a throw of a node that continues by passing its input items on, as if they had been sent.
describe('with On Error: Continue, whatever throws before the sending', () => {
	const causes: Array<[string, Partial<ActionRun> & { credential?: Record<string, unknown> }, string?]> = [
		[
			'an expression that n8n refuses',
			{ parameters: { ...DEFINED, contactId: "={{ $('Nowhere').item.json.id }}" } },
		],
		['an expression that throws', { parameters: { ...DEFINED, nick: '={{ $json.name.x.y }}' } }],
		['a canvas whose expression throws', { parameters: { ...DEFINED, canvas: canvas('={{ $json.x.y }}') } }],
		['an unknown canvas', { parameters: { ...DEFINED, canvas: canvas('Nowhere') } }],
		['no canvas', { parameters: { ...DEFINED, canvas: canvas('={{ "" }}') } }],
		['60 requests a second', { parameters: { ...DEFINED, options: { requestsPerSecond: '={{ 60 }}' } } }],
		['a timeout of text', { parameters: { ...DEFINED, options: { timeout: '={{ "x" }}' } } }],
		[
			'options that throw',
			{ parameters: { ...DEFINED, options: { giveUpAfter: "={{ $('Nowhere').item.json.x }}" } } },
		],
		['an empty contact ID field', { parameters: { ...DEFINED, options: { contactIdField: '={{ "" }}' } } }],
		[
			'an additional field that throws',
			{
				parameters: {
					...DEFINED,
					additionalFields: { field: [{ name: 'a', value: "={{ $('Nowhere').item.json.x }}" }] },
				},
			},
		],
		[
			'additional fields without a value',
			{ parameters: { ...DEFINED, additionalFields: { field: [{ name: 'a', value: '={{ $json.x }}' }] } } },
		],
		['JSON that is malformed', { parameters: { ...DEFINED, dataMode: 'json', jsonBody: '{' } }],
		[
			'JSON from an expression that throws',
			{ parameters: { ...DEFINED, dataMode: 'json', jsonBody: "={{ $('Nowhere').item.json.x }}" } },
		],
		['items without a contact ID', { parameters: { ...DEFINED, dataMode: 'autoMapInputData' } }],
		[
			'a trigger ID that lost its digits',
			{ credential: { canvases: { canvas: [{ name: 'x', triggerId: '1.234e18', secret: 's' }] } } },
		],
		['no canvases', { credential: { canvases: {} } }],
		['no App Key', { credential: { appKey: '' } }],
		['a Base URL that is not a URL', { credential: { baseUrl: 'x' } }],
		['a credential that n8n cannot read', { credentials: new UnreadableCredentials() }],
		['no credential at all', { node: { credentials: {} } }],
		['a wrong App Key', { credential: { appKey: 'wrong' } }, 'refused'],
	];

	test.each(causes)(
		'%s: every item says so, on the error output if there is one',
		async (_, { credential, ...more }, outcome = 'notSent') => {
			if (credential) setting.credentials.add('sobotApi', account(credential));
			for (const onError of ['continueRegularOutput', 'continueErrorOutput'] as const) {
				const { output, errorOutput, error } = await run({ ...more, node: { ...more.node, onError } });
				const failed = onError === 'continueErrorOutput' ? errorOutput : output;
				expect(error).toBeUndefined();
				expect(failed.map(({ json }) => [json.outcome, json.reason])).toEqual(
					[0, 1, 2].map((item) => [outcome, expect.stringMatching(`(?:^I|\\(i)tem ${item}\\b`) as string]),
				);
				if (onError === 'continueErrorOutput') expect(output).toEqual([]);
			}
			expect(setting.sandbox.accepted).toEqual([]);
		},
	);

	test('one item of several: the others are sent', async () => {
		const { output, errorOutput } = await run({
			parameters: { ...DEFINED, contactId: '={{ $json.id === "2" ? $json.x.y : $json.id }}' },
			node: { onError: 'continueErrorOutput' },
		});
		expect(output.map(({ json }) => json)).toEqual([accepted('1'), accepted('3')]);
		expect(errorOutput.map(({ json }) => json.outcome)).toEqual(['notSent']);
	});
});

test('an operation that does not exist passes nothing on as sent', async () => {
	const { output } = await run({ parameters: { ...DEFINED, operation: 'send' }, node: CONTINUE });
	const reason = expect.stringContaining("no operation 'send'") as string;
	expect(output.map(({ json }) => json)).toEqual(
		Array(3).fill({ contactId: '', outcome: 'notSent', ret_code: '', reason }),
	);
});

test.each(['={{ undefined }}', '={{ "" }}', '={{ $json.id === "2" }}'])(
	"'Dry Run' from the expression %s is not the same for all, or not on or off: nothing is sent",
	async (dryRun) => {
		const { error, output } = await run({ parameters: { ...DEFINED, options: { dryRun } } });
		expect(String(error?.message)).toContain("'Dry Run' must be");
		expect(output).toEqual([]);
		expect(setting.sandbox.triggerCalls).toEqual([]);
	},
);

describe('a dry run', () => {
	const parameters = { ...DEFINED, options: { dryRun: true } };

	test('shows the canvas and the exact body, or what is wrong, and calls nobody', async () => {
		const { output, hints } = await run({ items: people('1', ''), parameters });
		expect(output.map(({ json }) => json)).toEqual([
			{
				contactId: '1',
				outcome: 'dryRun',
				canvas: 'Welcome',
				triggerId: DEMO_CANVAS.triggerId,
				body: '{"Contact_id":"1","nick":"N 1"}',
				ret_code: '',
				reason: '',
			},
			{
				contactId: '',
				outcome: 'notSent',
				canvas: '',
				triggerId: '',
				body: '',
				ret_code: '',
				reason: expect.stringMatching("^Item 1: 'Contact ID' is empty") as string,
			},
		]);
		expect(hints.map(({ message }) => message)).toEqual([
			"Dry run: nothing was sent. 1 of 2 could be sent; 1 not: see 'reason'.",
		]);
		expect([setting.sandbox.tokenCalls, setting.sandbox.triggerCalls]).toEqual([[], []]);
	});
});
