// Every way in which a body can arrive at the trigger's URL of a real n8n: encodings, types, sizes, methods. Objects are
// accepted and reach the workflow unchanged; everything else is refused, starts nothing, and is never acknowledged. The
// unit tests of parsePush cover the fields of an object.
import { request } from 'node:http';
import { connect as connectTo } from 'node:net';
import { deflateSync, gzipSync } from 'node:zlib';
import { thisN8n } from '../support/differences.mts';
import type { N8n } from '../support/n8n/n8n.mts';
import { ACKNOWLEDGEMENT, WHOLE_PUSH } from '../support/pushes.mts';
import { connect } from '../support/underTest.mts';
import { listen, outputOf, type Listening } from '../support/workflows.mts';

jest.setTimeout(120_000);

/** Each body starts the workflow, though others like it came before. */
const SAME_BODY_AGAIN = { ignoreRepeatsMinutes: 0 };

let n8n: N8n;
let simplified: Listening;
let raw: Listening;

beforeAll(async () => {
	n8n = await connect();
	simplified = await listen(n8n, { options: SAME_BODY_AGAIN });
	raw = await listen(n8n, { simplify: false, options: SAME_BODY_AGAIN });
});
afterAll(async () => {
	for (const { workflow } of [simplified, raw]) await n8n.deactivate(workflow);
});

interface Answer {
	status: number;
	body: string;
}

interface Sent {
	method?: string;
	headers?: Record<string, string>;
}

/** Sends what `fetch` would mend or refuse. Status 0: the connection was closed without an answer. */
async function sendAsIs(
	url: string,
	body: string | Buffer,
	{ method = 'POST', headers }: Sent,
): Promise<Answer> {
	return await new Promise((resolve) => {
		const call = request(
			url,
			{
				method,
				headers: {
					'content-type': 'application/json',
					'content-length': Buffer.byteLength(body),
					...headers,
				},
			},
			(response) => {
				let text = '';
				response.on('data', (chunk) => (text += String(chunk)));
				response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
			},
		);
		call.on('error', () => resolve({ status: 0, body: '' }));
		call.end(body);
	});
}

/** The workflow's input from the latest push, if it has started the workflow. */
async function outcome({ url, workflow, ended }: Listening, send: (url: string) => Promise<Answer>) {
	const before = (await n8n.executions(workflow))[0]?.id;
	const answer = await send(url);
	const [latest] = await ended();
	const output =
		latest && latest.id !== before
			? outputOf(await n8n.execution(latest.id), 'Next').map(({ json }) => json)
			: [];
	return { ...answer, output };
}

const KEY = expect.stringMatching(/^[0-9a-f]{64}$/) as string;
const EMPTY = { emails: [], phones: [], labelIds: [], deliveryKey: KEY };
const json = (value: unknown) => JSON.stringify(value);
const nested = (deep: number) => `${'{"a":'.repeat(deep)}1${'}'.repeat(deep)}`;
const manyFields = Object.fromEntries(
	Array.from({ length: 10_000 }, (_, i) => [i.toString(16).padStart(32, 'f'), `value ${i}`]),
);
const HUGE = 'x'.repeat(5_000_000);

const MARKED = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from('{"id":"1"}')]);

describe('objects are accepted', () => {
	test.each<[string, string | Buffer, Record<string, unknown>, Sent?]>([
		['an empty object', '{}', {}],
		[
			'all fields',
			json(WHOLE_PUSH),
			{
				customerId: '1',
				companyId: '2',
				nickname: 'N',
				realName: 'U',
				emails: ['a@b.c'],
				phones: ['3'],
				qq: '4',
				remark: 'R',
				isVip: true,
				vipLevel: 'Gold',
				labelIds: ['l1', 'l2'],
				avatarUrl: 'https://f',
				customFields: { x: 'y' },
			},
		],
		['fields that Sobot does not document', json({ id: '1', more: { a: [1] } }), { customerId: '1' }],
		['10,000 custom fields', json({ ex_fields: manyFields }), { customFields: manyFields }],
		['a huge text', json({ remark: HUGE }), { remark: HUGE }],
		['a huge key', `{"${'k'.repeat(1_000_000)}":1}`, {}],
		['keys twice: the last counts, as in any JSON', '{"id":"1","id":"2"}', { customerId: '2' }],
		['a __proto__ key', '{"id":"1","__proto__":{"polluted":true}}', { customerId: '1' }],
		['a constructor key', '{"id":"1","constructor":{"prototype":{"polluted":true}}}', { customerId: '1' }],
		['a toString key', '{"id":"1","toString":"x","hasOwnProperty":1,"toJSON":"y"}', { customerId: '1' }],
		[
			'keys of n8n items',
			json({ id: '1', json: {}, binary: { a: 1 }, pairedItem: 5, error: 'e' }),
			{ customerId: '1' },
		],
		['an empty key', '{"":"x","id":"1"}', { customerId: '1' }],
		['emoji and combined characters', json({ nick: '👩‍👩‍👧 é 王小明 ‮' }), { nickname: '👩‍👩‍👧 é 王小明 ‮' }],
		['a lone surrogate', '{"nick":"a\\ud800b"}', { nickname: 'a\ud800b' }],
		['control characters', '{"nick":"a\\u0000\\u001f\\u007f"}', { nickname: 'a\u0000\u001f\u007f' }],
		['markup', json({ nick: '<script>alert(1)</script>' }), { nickname: '<script>alert(1)</script>' }],
		[
			'what looks like an expression',
			json({ nick: '={{ $env.SECRET }}', remark: '{{ 1 + 1 }}' }),
			{ nickname: '={{ $env.SECRET }}', remark: '{{ 1 + 1 }}' },
		],
		['white space around', ' \r\n\t{"id":"1"}\n ', { customerId: '1' }],
		[
			'numbers that JavaScript would round: text with their digits',
			Buffer.from('{"id":1234567890123456789,"ex_fields":{"a":9007199254740993}}'),
			{ customerId: '1234567890123456789', customFields: { a: '9007199254740993' } },
		],
		[
			'such a number in another charset',
			Buffer.from('{"id":1234567890123456789,"nick":"王"}', 'utf16le'),
			{ customerId: '1234567890123456789', nickname: '王' },
			{ headers: { 'content-type': 'application/json; charset=utf-16le' } },
		],
		...(thisN8n.takesByteOrderMark
			? [['a byte order mark', MARKED, { customerId: '1' }] as [string, Buffer, Record<string, unknown>]]
			: []),
		['nested 1,000 deep', `{"id":"1","more":${nested(999)}}`, { customerId: '1' }],
		['gzip', gzipSync('{"id":"1"}'), { customerId: '1' }, { headers: { 'content-encoding': 'gzip' } }],
		[
			'deflate',
			deflateSync('{"id":"1"}'),
			{ customerId: '1' },
			{ headers: { 'content-encoding': 'deflate' } },
		],
		[
			'charset utf-8',
			json({ nick: '王' }),
			{ nickname: '王' },
			{ headers: { 'content-type': 'application/json; charset=utf-8' } },
		],
		[
			'charset UTF-8 in quotes',
			json({ nick: '王' }),
			{ nickname: '王' },
			{ headers: { 'content-type': 'application/json;charset="UTF-8"' } },
		],
		[
			'charset latin1',
			Buffer.from('{"nick":"é"}', 'latin1'),
			{ nickname: 'é' },
			{ headers: { 'content-type': 'application/json; charset=latin1' } },
		],
		[
			'charset utf-16le',
			Buffer.from('{"nick":"王"}', 'utf16le'),
			{ nickname: '王' },
			{ headers: { 'content-type': 'application/json; charset=utf-16le' } },
		],
		[
			'bytes that are not UTF-8',
			Buffer.from([...Buffer.from('{"nick":"'), 0xff, 0xfe, ...Buffer.from('"}')]),
			{ nickname: '��' },
		],
		[
			'content type in capitals',
			'{"id":"1"}',
			{ customerId: '1' },
			{ headers: { 'content-type': 'Application/JSON' } },
		],
		['PUT', '{"id":"1"}', { customerId: '1' }, { method: 'PUT' }],
		[
			'a forwarded address along with it',
			'{"id":"1"}',
			{ customerId: '1' },
			{ headers: { 'x-forwarded-for': '1.2.3.4' } },
		],
	])('%s', async (_, body, expected, sent = {}) => {
		const send = async (url: string) => await sendAsIs(url, body, sent);
		expect(await outcome(simplified, send)).toEqual({
			status: 200,
			body: ACKNOWLEDGEMENT,
			output: [{ ...EMPTY, ...expected }],
		});
		const asSent = await outcome(raw, send);
		expect(asSent.body).toBe(ACKNOWLEDGEMENT);
		expect(asSent.output.length).toBe(1);
		if (typeof body === 'string') expect(asSent.output).toEqual([JSON.parse(body)]);
	});
});

// Where n8n fails before it asks the node, its answer is 500.
describe('everything else is refused', () => {
	test.each<[string, string | Buffer, number, Sent?]>([
		['nothing', '', 400],
		...(thisN8n.takesByteOrderMark ? [] : [['a byte order mark', MARKED, 422] as [string, Buffer, number]]),
		['white space', '   ', 422],
		['null', 'null', 400],
		['true', 'true', 400],
		['a number', '5', 400],
		['a text', '"hello"', 400],
		['an array', '[]', 400],
		['an array of a push', '[{"id":"1"}]', 400],
		['malformed JSON', '{"id": ', 422],
		['a comma too many', '{"id":"1",}', 422],
		['single quotes', "{'id':'1'}", 422],
		['a comment', '{"id":"1"} // x', 422],
		['two objects', '{"id":"1"}{"id":"2"}', 422],
		['NaN', '{"id":NaN}', 422],
		['a raw control character', '{"id":"\u0000"}', 422],
		['an object that is nested deeper than n8n can keep', nested(1001), 400],
		['an object that is nested deeper than a stack reaches', nested(200_000), 400],
		['text', 'hello', 415, { headers: { 'content-type': 'text/plain' } }],
		['JSON called text', '{"id":"1"}', 415, { headers: { 'content-type': 'text/plain' } }],
		['JSON without a type', '{"id":"1"}', 415, { headers: { 'content-type': '' } }],
		['JSON called octets', '{"id":"1"}', 415, { headers: { 'content-type': 'application/octet-stream' } }],
		[
			'JSON of another kind',
			'{"id":"1"}',
			415,
			{ headers: { 'content-type': 'application/json-patch+json' } },
		],
		['a form', 'id=1&nick=N', 415, { headers: { 'content-type': 'application/x-www-form-urlencoded' } }],
		['XML', '<id>1</id>', 415, { headers: { 'content-type': 'application/xml' } }],
		['malformed XML', '<id>', 422, { headers: { 'content-type': 'text/xml' } }],
		[
			'multipart',
			'--b\r\ncontent-disposition: form-data; name="id"\r\n\r\n1\r\n--b--\r\n',
			415,
			{ headers: { 'content-type': 'multipart/form-data; boundary=b' } },
		],
		['gzip that is none', '{"id":"1"}', 500, { headers: { 'content-encoding': 'gzip' } }],
		['a cut gzip', gzipSync('{"id":"1"}').subarray(0, 15), 500, { headers: { 'content-encoding': 'gzip' } }],
		[
			'an encoding that nobody knows',
			'{"id":"1"}',
			422,
			{ headers: { 'content-type': 'application/json; charset=x-none' } },
		],
		['UTF-16 that is not announced', Buffer.from('{"id":"1"}', 'utf16le'), 422],
		['more than n8n takes', json({ remark: 'x'.repeat(17 * 2 ** 20) }), 500],
		[
			'a gzip that unpacks to more',
			gzipSync(json({ remark: 'x'.repeat(17 * 2 ** 20) })),
			500,
			{ headers: { 'content-encoding': 'gzip' } },
		],
		['GET', '', 404, { method: 'GET' }],
		['GET with a body', '{"id":"1"}', 404, { method: 'GET' }],
		['DELETE', '{"id":"1"}', 404, { method: 'DELETE' }],
		['PATCH', '{"id":"1"}', 404, { method: 'PATCH' }],
		['HEAD', '', 404, { method: 'HEAD' }],
		['OPTIONS', '', 204, { method: 'OPTIONS' }],
		['TRACE', '', 500, { method: 'TRACE' }],
	])('%s', async (_, body, status, sent = {}) => {
		for (const listening of [simplified, raw]) {
			const { output, ...answer } = await outcome(listening, async (url) => await sendAsIs(url, body, sent));
			expect([answer.status, output]).toEqual([status, []]);
			expect(answer.body).not.toBe(ACKNOWLEDGEMENT);
		}
	});
});

test('a push whose connection breaks before its body has come starts nothing', async () => {
	const before = await n8n.executions(raw.workflow);
	const { hostname, port, pathname } = new URL(raw.url);
	const text = await new Promise<string>((resolve) => {
		let answer = '';
		const socket = connectTo(Number(port), hostname, () => {
			const head = ['POST', pathname, 'HTTP/1.1'].join(' ');
			socket.write(
				[head, 'host: n8n', 'content-type: application/json', 'content-length: 100', '', '{"id":"1"}'].join(
					'\r\n',
				),
			);
			socket.end();
		});
		socket.on('data', (chunk) => (answer += String(chunk)));
		socket.on('close', () => resolve(answer));
		socket.on('error', () => resolve(answer));
	});
	expect(text).not.toContain(ACKNOWLEDGEMENT);
	expect(await n8n.executions(raw.workflow)).toEqual(before);
});
