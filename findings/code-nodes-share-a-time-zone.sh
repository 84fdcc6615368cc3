#!/usr/bin/env bash
# Two workflows that run at the same time share one time zone in their Code nodes: behind an `await`, it is that of the other one.
#
# Versions  n8n 2.41.1 (Webhook 2, Code 2), regular mode, SQLite, Node.js 24.21.0
# Expected  A Code node computes in the time zone of its workflow's settings, as it does alone: 9 o'clock on March 1 is 01:00 UTC
#           in Singapore, and 14:00 UTC in New York.
# Real      The time zone is one variable of the whole task runner, set when a Code node begins. If a workflow of New York begins
#           while the one of Singapore waits for an answer, that goes on in New York: what it puts off until 9 is called at 22.
#           `$now`, which was made before, still says Singapore. A test by hand always passes.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, N8n } from 'findings';
import { holdCalls } from 'findings/queue';

const { url, close, answer, slow } = await holdCalls();
const n8n = await N8n.start();
const jsCode = `const before = DateTime.now().zoneName;
if ($input.first().json.query.ask) await this.helpers.httpRequest({ url: '${url}/slow' });
const nine = DateTime.fromISO('2026-03-01T09:00').toUTC().toFormat('d HH:mm');
return [{ json: { before, nine, zone: DateTime.now().zoneName, ofNow: $now.zoneName } }];`;
for (const [path, timezone] of [
	['singapore', 'Asia/Singapore'],
	['new-york', 'America/New_York'],
]) {
	const workflow = await n8n.create(
		[
			['Hook', 'webhook', { path, responseMode: 'lastNode', options: {} }, { typeVersion: 2 }],
			['Code', 'code', { jsCode }, { typeVersion: 2 }],
		],
		{ settings: { executionOrder: 'v1', timezone } },
	);
	await n8n.activate(workflow, path);
}
const call = async (path) => await (await fetch(`${n8n.url}/webhook/${path}`)).json();

const inSingapore = { before: 'Asia/Singapore', nine: '1 01:00', zone: 'Asia/Singapore', ofNow: 'Asia/Singapore' };
const inNewYork = { before: 'America/New_York', nine: '1 14:00', zone: 'America/New_York', ofNow: 'America/New_York' };
const alone = call('singapore?ask=1');
await slow(1);
answer();
asStated('Singapore alone', await alone, inSingapore);

const meanwhile = call('singapore?ask=1');
await slow(2);
asStated('New York, while Singapore waits', await call('new-york'), inNewYork);
answer();
asStated('Singapore', await meanwhile, { ...inSingapore, nine: '1 14:00', zone: 'America/New_York' });
close();
await n8n.stop();
JS
