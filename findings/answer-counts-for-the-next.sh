#!/usr/bin/env bash
# In a loop, Ann's "Yes", pressed once more, becomes Bob's answer, before he has seen the question.
#
# Versions  n8n 2.41.1 (Telegram 1.2, Wait 1.1, Loop Over Items 3), regular mode, SQLite, Node.js 24.21.0
# Expected  'Send and Wait for Response' asks about one item in each round. The button under a message answers that message, and
#           n8n tells a second press that no action is required, as it does once the execution has ended.
# Real      The address behind the button names the execution and the node, and is the same in each round. Two more presses on
#           the first message book for Bob and Cid, and n8n shows "Got it, thanks" each time. So does the link of a Wait node
#           (`$execution.resumeUrl`), which is one for all Wait nodes of the execution: a first answer, sent twice, is the second.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, N8n, recordCalls, serve, to, until } from 'findings';

/** A stand-in for Telegram, which keeps the messages, and one for the calendar. */
const messages = [];
const telegram = await serve(async (request, response) => {
	let body = '';
	for await (const chunk of request) body += chunk;
	messages.push(JSON.parse(body));
	response.setHeader('content-type', 'application/json').end('{ "ok": true, "result": {} }');
});
const { called, url, close } = await recordCalls();
const n8n = await N8n.start();
const credential = await n8n.post('/rest/credentials', {
	name: 'Telegram',
	type: 'telegramApi',
	data: { accessToken: 'any', baseUrl: telegram.url },
});
const rounds = {
	Hook: { main: [[to('Customers')]] },
	Customers: { main: [[to('Loop')]] },
	Loop: { main: [[], [to('Ask')]] },
	Ask: { main: [[to('Book')]] },
	Book: { main: [[to('Loop')]] },
};
const create = async (path, nodes, connections) => {
	const workflow = await n8n.create(
		[
			['Hook', 'webhook', { path, httpMethod: 'POST', options: {} }, { typeVersion: 2 }],
			['Customers', 'code', { jsCode: "return ['Ann', 'Bob', 'Cid'].map((name) => ({ json: { name } }));" }, { typeVersion: 2 }],
			['Loop', 'splitInBatches', { options: {} }, { typeVersion: 3 }],
			...nodes,
		],
		{ connections },
	);
	await n8n.activate(workflow, path);
	await fetch(`${n8n.url}/webhook/${path}`, { method: 'POST' });
	await waits(workflow);
	return workflow;
};
const waits = async (workflow) => await until('it to wait', async () => (await n8n.executions(workflow))[0]?.status === 'waiting');
/** Opens a link as a browser does. */
const press = async (link) => {
	const answer = await fetch(link, { headers: { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' } });
	return (await answer.text()).match(/Got it, thanks|No action required|Workflow was started|finished already/)?.[0];
};

const loop = await create(
	'loop',
	[
		[
			'Ask',
			'telegram',
			{ operation: 'sendAndWait', chatId: '1', message: '=Are you coming, {{ $json.name }}?', approvalOptions: { values: { approvalType: 'double' } }, options: {} },
			{ typeVersion: 1.2, credentials: { telegramApi: { id: credential.id, name: 'Telegram' } }, webhookId: crypto.randomUUID() },
		],
		['Book', 'httpRequest', { url: `={{ '${url}/' + ($json.data.approved ? 'book-' : 'cancel-') + $('Loop').item.json.name }}`, options: {} }, { typeVersion: 4.2 }],
	],
	rounds,
);
const text = (message) => message.text.split('\n')[0];
const button = ({ reply_markup }) => reply_markup.inline_keyboard[0].find(({ text }) => /Approve/.test(text)).url;
asStated('the first message', messages.map(text), ['Are you coming, Ann?']);
const answers = [];
for (let count = 1; count <= 3; count++) {
	answers.push(await press(button(messages[0])));
	await until(`booking ${count}`, () => called.length === count);
	if (count < 3) await waits(loop);
}
asStated('the first button, pressed three times', answers, ['Got it, thanks', 'Got it, thanks', 'Got it, thanks']);
asStated('the messages', messages.map(text), ['Are you coming, Ann?', 'Are you coming, Bob?', 'Are you coming, Cid?']);
asStated('their different buttons', new Set(messages.map(button)).size, 1);
asStated('called', called.splice(0), ['/book-Ann', '/book-Bob', '/book-Cid']);
await until('the end', async () => (await n8n.executions(loop))[0].status === 'success');
asStated('once more, at the end', await press(button(messages[0])), 'No action required');

// Two Wait nodes, one behind the other.
const wait = (name) => [name, 'wait', { resume: 'webhook', options: {} }, { typeVersion: 1.1, webhookId: crypto.randomUUID() }];
const links = await create(
	'links',
	[
		['Ask', 'httpRequest', { url: `={{ '${url}/ask?' + encodeURIComponent($execution.resumeUrl) }}`, options: {} }, { typeVersion: 4.2 }],
		wait('First'),
		wait('Second'),
		['Book', 'httpRequest', { url: `${url}/book`, options: {} }, { typeVersion: 4.2 }],
	],
	{ Hook: { main: [[to('Ask')]] }, Ask: { main: [[to('First')]] }, First: { main: [[to('Second')]] }, Second: { main: [[to('Book')]] } },
);
const link = decodeURIComponent(called[0].split('?')[1]);
asStated('the link', await press(link), 'Workflow was started');
await until('the second Wait node', async () => {
	const [{ id, status }] = await n8n.executions(links);
	return status === 'waiting' && (await n8n.execution(id)).data.resultData.lastNodeExecuted === 'Second';
});
asStated('the link, once more', await press(link), 'Workflow was started');
await until('the end', async () => (await n8n.executions(links))[0].status === 'success');
asStated('called', called.slice(1), ['/book']);
close();
telegram.close();
await n8n.stop();
JS
