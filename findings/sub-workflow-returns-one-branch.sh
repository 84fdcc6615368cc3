#!/usr/bin/env bash
# A sub-workflow that ends in two branches returns one of them: the one that is drawn lower. The other's customers are lost.
#
# Versions  n8n 2.41.1 (Execute Sub-workflow 1.4, its trigger 1.2, If 2.3), regular mode, SQLite, Node.js 24.21.0
# Expected  Of ten customers that an If sends into two branches, ten come back, or n8n says that a sub-workflow must end in one node.
#           Where nodes are drawn does not matter for what they give.
# Real      What comes back is the output of the node that ran last, which is the branch drawn lower: seven. With the two nodes' heights
#           swapped it is the three others, and if the sub-workflow ends with the If itself, those of 'true'. A side branch that
#           only writes a log returns the log. Called with 'Run once for each item', all ten come back. All of it succeeds.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, items, N8n, to } from 'findings';

const n8n = await N8n.start();
const customers = Array.from({ length: 10 }, (_, index) => ({ id: index + 1, vip: index < 3 }));
const trigger = ['When', 'executeWorkflowTrigger', { inputSource: 'passthrough' }, { typeVersion: 1.2, position: [0, 0] }];
const isVip = { id: '1', leftValue: '={{ $json.vip }}', rightValue: '', operator: { type: 'boolean', operation: 'true', singleValue: true } };
const options = { version: 3, caseSensitive: true, typeValidation: 'strict', leftValue: '' };
const vip = ['VIP?', 'if', { conditions: { options, combinator: 'and', conditions: [isVip] }, options: {} }, { typeVersion: 2.3, position: [300, 0] }];
const end = (name, height) => [name, 'noOp', {}, { position: [600, height] }];
const log = ['Log', 'code', { jsCode: "return [{ json: { id: 'logged' } }];" }, { typeVersion: 2, position: [600, 100] }];

/** The IDs that come back to a parent that hands all customers to a sub-workflow of these nodes. */
async function back(nodes, connections, mode = 'once') {
	const sub = await n8n.create(nodes, { connections });
	await n8n.activate(sub);
	const outcome = await n8n.run([
		items(customers),
		['Call', 'executeWorkflow', { mode, workflowId: { __rl: true, mode: 'id', value: sub.id }, options: {} }, { typeVersion: 1.4 }],
		['After', 'noOp'],
	]);
	if (outcome.status !== 'success') throw new Error(outcome.error?.message);
	return outcome.json('After').map(({ id }) => id);
}

const all = customers.map(({ id }) => id);
const [vips, others] = [all.slice(0, 3), all.slice(3)];
const branches = { When: { main: [[to('VIP?')]] }, 'VIP?': { main: [[to('VIPs')], [to('Others')]] } };
const joined = { ...branches, VIPs: { main: [[to('End')]] }, Others: { main: [[to('End')]] } };
const ends = [end('VIPs', -100), end('Others', 100)];

asStated('both branches into one last node', await back([trigger, vip, ...ends, ['End', 'noOp', {}, { position: [900, 0] }]], joined), all);
asStated('VIPs drawn above', await back([trigger, vip, ...ends], branches), others);
asStated('VIPs drawn below', await back([trigger, vip, end('VIPs', 100), end('Others', -100)], branches), vips);
asStated('the If is last', await back([trigger, vip], { When: branches.When }), vips);
asStated('each on its own', await back([trigger, vip, ...ends], branches, 'each'), all);
asStated('a side branch below', await back([trigger, end('Work', -100), log], { When: { main: [[to('Work'), to('Log')]] } }), ['logged']);
await n8n.stop();
JS
