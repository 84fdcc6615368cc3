#!/usr/bin/env bash
# A backup of the command line holds drafts, in place of the versions that run.
#
# Versions  n8n 2.41.1, regular mode, SQLite, Node.js 24.21.0
# Expected  `n8n export:workflow --backup` saves what runs: a workflow that was restored and published does what it did.
# Real      Each file has the draft's nodes with `"active": true`. What was half changed in the editor when the backup was made runs
#           once it is restored, and the nodes that had run are lost. `--all --published` exports those that run.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asStated, N8n } from 'findings';

const n8n = await N8n.start();
const put = (value) => ['Answer', 'set', { mode: 'raw', jsonOutput: JSON.stringify({ value }), options: {} }, { typeVersion: 3.4 }];
const hook = ['Hook', 'webhook', { path: 'push', httpMethod: 'POST', responseMode: 'lastNode', options: {} }, { typeVersion: 2 }];
const workflow = await n8n.create([hook, put('published')]);
await n8n.activate(workflow, 'push');
const push = async ({ url }) => await (await fetch(`${url}/webhook/push`, { method: 'POST' })).json();

const { name, connections, settings, versionId } = workflow;
const nodes = workflow.nodes.map((node) => (node.name === 'Answer' ? { ...node, parameters: put('half changed')[2] } : node));
await n8n.request('PATCH', `/rest/workflows/${workflow.id}`, { name, nodes, connections, settings, versionId });
asStated('answer beside a draft', await push(n8n), { value: 'published' });

const folder = join(process.env.WORK, 'backup');
await n8n.commandLine('export:workflow', '--backup', `--output=${folder}`);
const [file] = await readdir(folder);
const saved = JSON.parse(await readFile(join(folder, file), 'utf8'));
const answer = saved.nodes.find((node) => node.name === 'Answer').parameters.jsonOutput;
asStated('file', { active: saved.active, answer }, { active: true, answer: '{"value":"half changed"}' });
await n8n.stop();

const restored = await N8n.start({}, { userFolder: join(process.env.WORK, 'restored') });
await restored.commandLine('import:workflow', '--separate', `--input=${folder}`);
await restored.activate(await restored.get(`/rest/workflows/${workflow.id}`), 'push');
asStated('answer of what was restored', await push(restored), { value: 'half changed' });
await restored.stop();
JS
