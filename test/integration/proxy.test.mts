// A proxy between n8n and Sobot that passes nothing on, as n8n's HTTP client reports it: nobody is in doubt.
import { createServer, type Socket } from 'node:net';
import { fieldsFromToken } from '../../nodes/sobot/account/credential';
import { listenOnFreePort } from '../support/freePort.mts';
import { shareAction } from './actionSetting.mts';
import { CONTINUE, DEFINED } from './customers.mts';
import { StoredCredentials } from './storedCredentials.mts';

const BASE_URL = 'https://sobot.example.com';
const ACCOUNT = { baseUrl: BASE_URL, appId: 'demo-app', appKey: 'demo-key' };

const setting = shareAction(() => new StoredCredentials());
const { account, run } = setting;

/** What the proxy does once it has read a request, and the requests. */
let answer: (socket: Socket) => void;
let asked: string[];
const proxy = createServer((socket) => {
	socket.on('error', () => undefined);
	socket.once('data', (data) => {
		asked.push(data.toString().split('\r\n')[0] ?? '');
		answer(socket);
	});
});

beforeAll(async () => (process.env.HTTPS_PROXY = await listenOnFreePort(proxy)));
beforeEach(() => (asked = []));
afterAll(() => {
	delete process.env.HTTPS_PROXY;
	proxy.close();
});

const REFUSED = 'HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n';
const LOGIN = 'The proxy between n8n and Sobot did not accept the login (HTTP 407)';
const NO_CONNECTION = 'The proxy between n8n and Sobot made no connection';

const parameters = { ...DEFINED, options: { giveUpAfter: 0 } };

test.each<[string, (socket: Socket) => void, string]>([
	['wants another login', (socket) => socket.end(REFUSED), LOGIN],
	['closes the connection', (socket) => socket.end(), NO_CONNECTION],
	['resets the connection', (socket) => socket.resetAndDestroy(), NO_CONNECTION],
])('a proxy that %s: a call is never in doubt', async (_, does, words) => {
	answer = does;
	const token = { value: 'a-token', fetchedAtMs: Date.now(), expiresAtMs: Date.now() + 86_400_000 };
	setting.credentials.add('sobotApi', account({ ...ACCOUNT, ...fieldsFromToken(token, ACCOUNT) }));
	const { output } = await run({ parameters, node: CONTINUE });
	expect(asked).toEqual(Array(3).fill('CONNECT sobot.example.com:443 HTTP/1.1'));
	expect(output.map(({ json }) => json.outcome)).toEqual(Array(3).fill('unreachable'));
	expect(JSON.stringify(output[0]?.json)).toContain(words);
	expect(JSON.stringify(output[0]?.json)).toContain('Nothing was sent.');
});

test('a proxy that wants another login: the token is asked for once', async () => {
	answer = (socket) => socket.end(REFUSED);
	setting.credentials.add('sobotApi', account({ ...ACCOUNT, appId: 'without-token' }));
	const { output } = await run({ parameters, node: CONTINUE });
	expect(asked).toHaveLength(1);
	expect(output.map(({ json }) => json.outcome)).toEqual(Array(3).fill('unreachable'));
	expect(JSON.stringify(output[2]?.json)).toContain(`Could not fetch a token. ${LOGIN}`);
});
