#!/usr/bin/env bash
# Retry On Fail sends to all customers again, or with 'Continue' to none, by which of them failed.
#
# Versions  n8n-nodes-base 2.41.1 (HTTP Request 4.5), n8n-core 2.41.1, Node.js 24.21.0
# Expected  If the request of one of three customers fails, that request is made again.
# Real      Without 'Continue' all three are sent again. With it, n8n looks at the first item of the output alone: if the first customer's
#           request failed, all three are sent again, those that had succeeded too; if another's did, none is, although Retry On
#           Fail is on.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, serve } from 'findings';
import { runInCore } from 'findings/core';

/** The requests that a list of three customers leads to, of which one's first request fails. */
async function requests(failing, onError) {
	const sent = [];
	const { url, close } = await serve((request, response) => {
		const customer = Number(request.url.slice(1));
		response.statusCode = customer === failing && !sent.includes(customer) ? 500 : 200;
		sent.push(customer);
		response.setHeader('content-type', 'application/json').end('{}');
	});
	const batching = { batch: { batchSize: 1, batchInterval: 20 } };
	const parameters = { method: 'POST', url: `=${url}/{{ $json.customer }}`, options: { batching } };
	const settings = { typeVersion: 4.5, onError, retryOnFail: true, maxTries: 3, waitBetweenTries: 1 };
	const outcome = await runInCore({ Customers: [1, 2, 3].map((customer) => ({ customer })) }, [['Send', 'httpRequest', parameters, settings]]);
	close();
	return { status: outcome.status, sent };
}

const twice = { status: 'success', sent: [1, 2, 3, 1, 2, 3] };
const once = { status: 'success', sent: [1, 2, 3] };
asStated('the third fails', await requests(3, 'stopWorkflow'), twice);
for (const onError of ['continueRegularOutput', 'continueErrorOutput']) {
	asStated(`${onError}: the first fails`, await requests(1, onError), twice);
	asStated(`${onError}: the third fails`, await requests(3, onError), once);
}
JS
