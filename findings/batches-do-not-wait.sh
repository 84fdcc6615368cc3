#!/usr/bin/env bash
# 'Items per Batch' of n8n's HTTP Request node does not limit how many requests are in flight.
#
# Versions  n8n-nodes-base 2.41.1 (HTTP Request 4.2), n8n-core 2.41.1, Node.js 24.21.0
# Expected  With 'Items per Batch' 5, five requests are in flight at most: a batch begins when the one before it has been
#           answered, at the earliest after 'Batch Interval'. With an interval of 0, the next batch begins at once then.
# Real      A batch begins when the interval is over, answered or not. Against a server that takes 2 s, 5 items each 100 ms
#           put all 60 requests in flight. With an interval of 0 there are no batches at all: all items are sent at once,
#           with 'Items per Batch' 1, too. An API that slows down under load gets more and more to do.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, serve } from 'findings';
import { runInCore } from 'findings/core';

let inFlight = 0;
let most = 0;
const { url, close } = await serve((_request, response) => {
	most = Math.max(most, ++inFlight);
	setTimeout(() => {
		inFlight--;
		response.setHeader('content-type', 'application/json').end('{}');
	}, 2000);
});

for (const batch of [
	{ batchSize: 5, batchInterval: 100 },
	{ batchSize: 5, batchInterval: 0 },
	{ batchSize: 1, batchInterval: 0 },
]) {
	most = 0;
	const items = Array.from({ length: 60 }, (_, index) => ({ index }));
	const outcome = await runInCore({ Items: items }, [
		['Ask', 'httpRequest', { url, options: { batching: { batch } } }, { typeVersion: 4.2 }],
	]);
	asStated('answered', outcome.json('Ask').length, 60);
	asStated(`most in flight with ${JSON.stringify(batch)}`, most, function fiftyAtLeast(seen) {
		return seen >= 50;
	});
}
close();
JS
