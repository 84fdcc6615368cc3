#!/usr/bin/env bash
# Whoever sends page 2 of a form again, to correct it, has answered page 3.
#
# Versions  n8n 2.41.1 (n8n Form Trigger 2.3, n8n Form 2.3), regular mode, SQLite, Node.js 24.21.0
# Expected  Page 2 that is still open in another tab, or that the browser's Back shows again, corrects page 2 or is refused, as
#           answers to other questions.
# Real      All pages have one URL, and name their fields by position. n8n takes the corrected phone number for the first field of
#           page 3, the emergency contact, keeps the wrong one, and ends the form: page 3 was never filled in.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, N8n, until } from 'findings';

const n8n = await N8n.start();
const path = crypto.randomUUID();
const form = (label) => ({ formFields: { values: [{ fieldLabel: label, fieldType: 'text', requiredField: true }] }, options: {} });
const page = (name, label) => [
	name,
	'form',
	{ operation: 'page', defineForm: 'fields', ...form(label) },
	{ typeVersion: 2.3, webhookId: crypto.randomUUID() },
];
const workflow = await n8n.create([
	['Page 1', 'formTrigger', { formTitle: 'New customer', ...form('Name') }, { typeVersion: 2.3, webhookId: path }],
	page('Page 2', 'Phone'),
	page('Page 3', 'Emergency contact'),
	['Save', 'noOp'],
]);
await n8n.activate(workflow);

/** Sends the first field of a page as its script does, and returns what that gets. */
async function send(url, value) {
	const body = new FormData();
	body.set('field-0', value);
	const answer = await fetch(url, { method: 'POST', body });
	return { status: answer.status, text: await answer.text() };
}
const shown = async (url, label) => (await (await fetch(url)).text()).includes(label);
const first = `${n8n.url}/form/${path}`;
await until('page 1', async () => await shown(first, 'Name'));
const { pathname, search } = new URL(JSON.parse((await send(first, 'Ann')).text).formWaitingUrl);
const [{ id }] = await n8n.executions(workflow);
const waitsAt = async (name) =>
	await until(name, async () => {
		const { status, data } = await n8n.execution(id);
		return status === 'waiting' && data.resultData.lastNodeExecuted === name;
	});
await waitsAt('Page 2');
const next = n8n.url + pathname + search;
asStated('page 2 is shown', await shown(next, 'Phone'), true);
await send(next, '+65 1111');
await waitsAt('Page 3');
asStated('page 3 is shown', await shown(next, 'Emergency contact'), true);
asStated('page 2 once more', (await send(next, '+65 2222')).status, 200);

const { status, data } = await n8n.finished(id);
asStated('status', status, 'success');
const answer = (name, label) => data.resultData.runData[name][0].data.main[0][0].json[label];
asStated('phone', answer('Page 2', 'Phone'), '+65 1111');
asStated('emergency contact', answer('Page 3', 'Emergency contact'), '+65 2222');
await n8n.stop();
JS
