#!/usr/bin/env bash
# 'Send and Wait for Response' behind three customers asks the first one, and drops the others.
#
# Versions  n8n 2.41.1 (Telegram 1.2), regular mode, SQLite, Node.js 24.21.0
# Expected  Each item is sent to its own chat, as 'Send Message' of the same node does, and each customer's answer comes out; or
#           several items are refused.
# Real      Ann is asked, in her chat. Bob and Cid never get a message. When she has answered, one item comes out, and the
#           execution succeeds.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, N8n, serve, until } from 'findings';

/** A stand-in for Telegram, which keeps the messages. */
const messages = [];
const telegram = await serve(async (request, response) => {
	let body = '';
	for await (const chunk of request) body += chunk;
	messages.push(JSON.parse(body));
	response.setHeader('content-type', 'application/json').end('{ "ok": true, "result": {} }');
});
const n8n = await N8n.start();
const { id } = await n8n.post('/rest/credentials', {
	name: 'Telegram',
	type: 'telegramApi',
	data: { accessToken: 'any', baseUrl: telegram.url },
});
const customers = ['Ann', 'Bob', 'Cid'].map((name, index) => ({ name, chat: String(index + 1) }));
const create = async (path, parameters) => {
	const workflow = await n8n.create([
		['Hook', 'webhook', { path, httpMethod: 'POST', options: {} }, { typeVersion: 2 }],
		['Customers', 'code', { jsCode: `return ${JSON.stringify(customers)}.map((json) => ({ json }));` }, { typeVersion: 2 }],
		[
			'Ask',
			'telegram',
			{ chatId: '={{ $json.chat }}', ...parameters },
			{ typeVersion: 1.2, credentials: { telegramApi: { id, name: 'Telegram' } }, webhookId: crypto.randomUUID() },
		],
	]);
	await n8n.activate(workflow, path);
	await fetch(`${n8n.url}/webhook/${path}`, { method: 'POST' });
	return workflow;
};
const latest = async (workflow, status) =>
	await until(`an execution that is ${status}`, async () => (await n8n.executions(workflow)).find((one) => one.status === status));
const sent = () => messages.splice(0).map(({ chat_id, text }) => [chat_id, text.split('\n')[0]]);

const telling = await create('tell', { operation: 'sendMessage', text: '=Hello {{ $json.name }}', additionalFields: { appendAttribution: false } });
await latest(telling, 'success');
asStated("messages of 'Send Message'", sent().sort(), [
	['1', 'Hello Ann'],
	['2', 'Hello Bob'],
	['3', 'Hello Cid'],
]);

const asking = await create('ask', { operation: 'sendAndWait', message: '=Are you coming, {{ $json.name }}?', options: {} });
await latest(asking, 'waiting');
const [{ reply_markup }] = messages;
asStated("messages of 'Send and Wait for Response'", sent(), [['1', 'Are you coming, Ann?']]);
const browser = { headers: { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' } };
asStated("Ann's answer", (await fetch(reply_markup.inline_keyboard[0][0].url, browser)).status, 200);
const { data } = await n8n.execution((await latest(asking, 'success')).id);
const out = data.resultData.runData.Ask.at(-1).data.main[0].map(({ json }) => json.data.approved);
asStated('answers that come out', out, [true]);
asStated('messages afterwards', sent(), []);
telegram.close();
await n8n.stop();
JS
