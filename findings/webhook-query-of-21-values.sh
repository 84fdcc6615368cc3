#!/usr/bin/env bash
# A query parameter that is given 21 times reaches n8n's Webhook node as an object, not as a list.
#
# Versions  n8n 2.41.1 (Webhook 2; qs as it installs it), Node.js 24.21.0
# Expected  ?id=1&id=2 is a list. With 100 IDs it is a list of 100, or the request is refused; a form in the body behaves the same.
# Real      Up to 20 values, the list is a list. From 21 on it is an object with the names "0", "1", ...: Split Out takes it for
#           one item in place of 21, and .length and .map are gone. The same values in a form in the body stay a list.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, N8n, until } from 'findings';

const n8n = await N8n.start();
const workflow = await n8n.create([['Hook', 'webhook', { path: 'ids', httpMethod: 'POST', options: {} }, { typeVersion: 2 }]]);
await n8n.activate(workflow, 'ids');

let pushes = 0;
async function receive(query, init) {
	await fetch(`${n8n.url}/webhook/ids${query}`, { method: 'POST', ...init });
	pushes++;
	const [{ id }] = await until('the execution', async () => {
		const all = await n8n.executions(workflow);
		return all.length === pushes && all.every(({ status }) => status === 'success') && all;
	});
	return (await n8n.execution(id)).data.resultData.runData.Hook[0].data.main[0][0].json;
}

const ids = (count) => Array.from({ length: count }, (_, index) => `id=${index}`).join('&');
const kind = (value) => `${Array.isArray(value) ? 'list' : typeof value} of ${Object.keys(value).length}`;
const headers = { 'content-type': 'application/x-www-form-urlencoded' };

asStated('20 in the query', kind((await receive(`?${ids(20)}`)).query.id), 'list of 20');
asStated('21 in the query', kind((await receive(`?${ids(21)}`)).query.id), 'object of 21');
asStated('21 in a form', kind((await receive('', { headers, body: ids(21) })).body.id), 'list of 21');
await n8n.stop();
JS
