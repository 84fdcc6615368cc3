#!/usr/bin/env bash
# n8n's Webhook node gives XML with all element names in lower case.
#
# Versions  n8n 2.41.1 (Webhook 2), Node.js 24.21.0
# Expected  Names in XML are case-sensitive. A push such as WeChat sends them arrives with its own names
#           (ToUserName, MsgId), as a JSON body does, and as n8n's XML node reads it.
# Real      The body has tousername and msgid, so {{ $json.body.xml.MsgId }} is empty. Two elements whose names differ in case
#           become one list. Attributes keep their names. The option 'Raw Body' and the XML node read it right.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, N8n, until } from 'findings';

const push = '<xml><ToUserName>desk</ToUserName><MsgId Kind="text">42</MsgId><Id>1</Id><ID>2</ID></xml>';

const n8n = await N8n.start();
async function receive(path, options, more) {
	const workflow = await n8n.create([
		['Hook', 'webhook', { path, httpMethod: 'POST', options }, { typeVersion: 2 }],
		...more,
	]);
	await n8n.activate(workflow, path);
	await fetch(`${n8n.url}/webhook/${path}`, { method: 'POST', headers: { 'content-type': 'text/xml' }, body: push });
	const [{ id }] = await until('the execution', async () => {
		const all = await n8n.executions(workflow);
		return all.some(({ status }) => status === 'success') && all;
	});
	const { runData } = (await n8n.execution(id)).data.resultData;
	return runData[more.at(-1)?.[0] ?? 'Hook'][0].data.main[0][0].json;
}

asStated('body', (await receive('plain', {}, [])).body, {
	xml: { tousername: 'desk', msgid: { _: '42', $: { Kind: 'text' } }, id: ['1', '2'] },
});
const raw = await receive('raw', { rawBody: true }, [
	['Text', 'extractFromFile', { operation: 'text', options: {} }],
	['XML', 'xml', { dataPropertyName: 'data', options: {} }],
]);
asStated("names with 'Raw Body' and the XML node", Object.keys(raw.xml), ['ToUserName', 'MsgId', 'Id', 'ID']);
await n8n.stop();
JS
