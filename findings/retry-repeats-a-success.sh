#!/usr/bin/env bash
# A failed execution of which a retry has succeeded can be retried again and again, and does its work each time.
#
# Versions  n8n 2.41.1, regular mode, SQLite, Node.js 24.21.0
# Expected  n8n refuses to retry an execution that has succeeded. It notes with a failed execution which retry of it has
#           succeeded ('retrySuccessId'), so it refuses another one there too: the work is done.
# Real      The note is only shown. Each further Retry runs the failed node and all behind it once more, and ends as "success": two
#           people who work through the list of failed executions write to the same customers twice. Only the retry itself,
#           as an execution that has succeeded, is refused.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, N8n, recordCalls, until } from 'findings';

let down = true;
const { called, url, close } = await recordCalls((response) => {
	response.statusCode = down ? 500 : 200;
	response.end('{}');
});

const n8n = await N8n.start();
const path = 'customer';
const workflow = await n8n.create([
	['Hook', 'webhook', { path, httpMethod: 'POST', options: {} }, { typeVersion: 2 }],
	['Ask', 'httpRequest', { url: `${url}/ask`, options: {} }, { typeVersion: 4.2 }],
	['Message', 'httpRequest', { url: `${url}/message`, options: {} }, { typeVersion: 4.2 }],
]);
await n8n.activate(workflow, path);
await fetch(`${n8n.url}/webhook/${path}`, { method: 'POST' });
const failed = await until('the failure', async () => (await n8n.executions(workflow)).find(({ status }) => status === 'error'));
asStated('calls before Retry', called, ['/ask']);

// The API is up again.
down = false;
called.length = 0;
const retry = async (id) => (await n8n.post(`/rest/executions/${id}/retry`, { loadWorkflow: false })).status;
const noted = async () => (await n8n.executions(workflow)).find(({ id }) => id === failed.id).retrySuccessId;

asStated('Retry', await retry(failed.id), 'success');
const first = await until('the note', noted);
asStated('customers written to', called.filter((one) => one === '/message').length, 1);

asStated('Retry of that retry', await retry(first).catch(({ message }) => message), (seen) =>
	seen.includes('The execution succeeded, so it cannot be retried'),
);
asStated('Retry of the failed one, again', await retry(failed.id), 'success');
asStated('Retry of the failed one, a third time', await retry(failed.id), 'success');
asStated('calls', called, ['/ask', '/message', '/ask', '/message', '/ask', '/message']);
asStated('a later retry is noted', (await noted()) !== first, true);
close();
await n8n.stop();
JS
