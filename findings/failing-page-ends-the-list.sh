#!/usr/bin/env bash
# A page that a server fails to answer ends the pagination of n8n's HTTP Request node with success, if its body is empty.
#
# Versions  n8n-nodes-base 2.41.1 (HTTP Request 4.5), n8n-core 2.41.1, Node.js 24.21.0
# Expected  'Pagination Complete When' 'Response Is Empty' is about a page with nothing on it. A status of 500 or 503 fails the node,
#           as without pagination, and as it does with a body.
# Real      The body alone decides, before the status is looked at. A 503 of a proxy without a body, or a 500 with [], on page 3 of 5
#           ends the list: 4 of 10 customers come out, and the execution succeeds. With the condition 'Other' it fails.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, serve } from 'findings';
import { runInCore } from 'findings/core';

/** Reads a list of 5 pages with 2 customers each, of which page 3 is answered like this. */
async function read(third, complete = { paginationCompleteWhen: 'responseIsEmpty' }) {
	const { url, close } = await serve((request, response) => {
		const page = Number(new URL(request.url, 'http://host').searchParams.get('page'));
		const { status = 200, type = 'application/json', body } = (page === 3 && third) || {};
		response.statusCode = status;
		response.setHeader('content-type', type);
		response.end(body ?? JSON.stringify(page <= 5 ? [{ id: 2 * page - 1 }, { id: 2 * page }] : []));
	});
	const parameters = { parameters: [{ type: 'qs', name: 'page', value: '={{ $pageCount + 1 }}' }] };
	const pagination = { paginationMode: 'updateAParameterInEachRequest', parameters, ...complete };
	const outcome = await runInCore({ Items: [{}] }, [
		['Read', 'httpRequest', { url, options: { pagination: { pagination } } }, { typeVersion: 4.5 }],
	]);
	close();
	const ids = outcome.status === 'success' ? outcome.json('Read').map(({ id }) => id).filter(Boolean) : [];
	return { status: outcome.status, customers: ids.length };
}

asStated('all pages', await read(), { status: 'success', customers: 10 });
asStated('503 with a text', await read({ status: 503, type: 'text/plain', body: 'busy' }), { status: 'error', customers: 0 });
asStated('503 without a body', await read({ status: 503, type: 'text/plain', body: '' }), { status: 'success', customers: 4 });
asStated('500 with []', await read({ status: 500, body: '[]' }), { status: 'success', customers: 4 });
const other = { paginationCompleteWhen: 'other', completeExpression: '={{ $response.body.length === 0 }}' };
asStated("500 with [], 'Other'", await read({ status: 500, body: '[]' }, other), { status: 'error', customers: 0 });
JS
