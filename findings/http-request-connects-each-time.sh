#!/usr/bin/env bash
# n8n's HTTP Request node opens a connection for each item.
#
# Versions  n8n-nodes-base 2.41.1 (HTTP Request 4.2), n8n-core 2.41.1, Node.js 24.21.0
# Expected  100 requests to one host, one after the other, share a connection: Node.js itself has kept connections alive
#           since version 19, and says so with 'Connection: keep-alive'.
# Real      100 connections: each request has an agent of its own and says 'Connection: close'. Over HTTPS each item of a list
#           pays for a handshake of its own.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { once } from 'node:events';
import { get } from 'node:http';
import { asStated, serve } from 'findings';
import { runInCore } from 'findings/core';

let connections = 0;
const said = new Set();
const { server, url, close } = await serve((request, response) => {
	said.add(request.headers.connection);
	response.setHeader('content-type', 'application/json').end('{}');
});
server.on('connection', () => connections++);

for (let i = 0; i < 100; i++) {
	const [response] = await once(get(url), 'response');
	await response.resume().toArray();
}
asStated('connections of Node.js alone', connections, 1);

connections = 0;
said.clear();
const items = Array.from({ length: 100 }, (_, index) => ({ index }));
const batch = { batchSize: 1, batchInterval: 20 };
const outcome = await runInCore({ Items: items }, [
	['Ask', 'httpRequest', { url, options: { batching: { batch } } }, { typeVersion: 4.2 }],
]);
asStated('answered', outcome.json('Ask').length, 100);
asStated('each request says Connection', [...said].join(), 'close');
asStated('connections', connections, 100);
close();
JS
