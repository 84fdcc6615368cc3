#!/usr/bin/env bash
# n8n's HTTP Request node rewrites JSON: the body that you type, and even a response that you ask for as text.
#
# Versions  n8n-nodes-base 2.41.1 (HTTP Request 4.2), n8n-core 2.41.1, Node.js 24.21.0
# Expected  JavaScript has no numbers of 19 digits, so a response that n8n *parses* loses digits: IDs of that length are
#           to be read with 'Response Format' Text. A body typed under 'Using JSON' is text, and is sent as it is typed.
# Real      With Text, the output is not the text that the server sent but a new one, made of the parsed response: the ID
#           has other digits, 1.10 is 1.1, spaces are gone. Only 'File' keeps the bytes. The typed body is parsed and
#           written anew too; only 'Raw' sends what is typed.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, serve } from 'findings';
import { runInCore } from 'findings/core';

const text = '{ "id": 1234567890123456789, "price": 1.10 }';
const rewritten = '{"id":1234567890123456800,"price":1.1}';

let received;
const { url, close } = await serve((request, response) => {
	received = '';
	request.on('data', (chunk) => (received += chunk));
	request.on('end', () => response.setHeader('content-type', 'application/json').end(text));
});

async function ask(parameters) {
	const outcome = await runInCore({ Items: [{}] }, [['Ask', 'httpRequest', { url, ...parameters }, { typeVersion: 4.2 }]]);
	return outcome.execution.data.resultData.runData.Ask[0].data.main[0][0];
}

const format = (responseFormat) => ({ options: { response: { response: { responseFormat, outputPropertyName: 'data' } } } });
asStated('the response as text', (await ask(format('text'))).json.data, rewritten);
const file = (await ask(format('file'))).binary.data;
asStated('the response as a file', Buffer.from(file.data, 'base64').toString(), text);

await ask({ method: 'POST', sendBody: true, specifyBody: 'json', jsonBody: text });
asStated("sent for a body typed under 'Using JSON'", received, rewritten);
await ask({ method: 'POST', sendBody: true, contentType: 'raw', rawContentType: 'application/json', body: text });
asStated("sent for a body typed under 'Raw'", received, text);
close();
JS
