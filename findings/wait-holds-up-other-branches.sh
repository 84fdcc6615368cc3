#!/usr/bin/env bash
# A Wait node in one branch holds up the other one, if that is drawn lower.
#
# Versions  n8n 2.41.1 (Wait 1.1), regular mode, SQLite, Node.js 24.21.0
# Expected  Of two branches behind a push, one waits for an answer, and the other tells a colleague at once: nothing connects them.
# Real      n8n runs the branch that is drawn higher to its end, then the other, and Wait stores the whole execution between them. The
#           colleague is told after the answer, which may be days later or never; with the two branches' heights swapped, at
#           once.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, N8n, recordCalls, to, until } from 'findings';

const { called, url, close } = await recordCalls();
const n8n = await N8n.start();
const call = (name, address, position) => [name, 'httpRequest', { url: `=${url}/${address}`, options: {} }, { typeVersion: 4.5, position }];

/** What is called while the branch drawn at this height waits, and after its answer; the other branch is drawn at 0. */
async function calls(path, height) {
	called.length = 0;
	const webhookId = crypto.randomUUID();
	const workflow = await n8n.create(
		[
			['Hook', 'webhook', { path, httpMethod: 'POST', options: {} }, { typeVersion: 2, position: [0, 0] }],
			call('Ask', 'ask-{{ encodeURIComponent($execution.resumeUrl) }}', [200, height]),
			['Wait', 'wait', { resume: 'webhook', options: {} }, { typeVersion: 1.1, webhookId, position: [400, height] }],
			call('Thank', 'thank', [600, height]),
			call('Tell', 'tell', [200, 0]),
		],
		{
			connections: {
				Hook: { main: [[to('Ask'), to('Tell')]] },
				Ask: { main: [[to('Wait')]] },
				Wait: { main: [[to('Thank')]] },
			},
		},
	);
	await n8n.pushToWait(workflow, path);
	const words = () => called.map((one) => one.split(/[/-]/)[1]);
	const waiting = words();
	const asked = called.find((one) => one.startsWith('/ask-'));
	await fetch(decodeURIComponent(asked.slice('/ask-'.length)));
	await until('the end', async () => (await n8n.executions(workflow))[0].status === 'success');
	return { waiting, answered: words().slice(waiting.length) };
}

asStated('the branch that waits is drawn below', await calls('below', 200), { waiting: ['tell', 'ask'], answered: ['thank'] });
asStated('the branch that waits is drawn above', await calls('above', -200), { waiting: ['ask'], answered: ['thank', 'tell'] });
close();
await n8n.stop();
JS
