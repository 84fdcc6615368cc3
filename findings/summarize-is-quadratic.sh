#!/usr/bin/env bash
# n8n's Summarize with 'Fields to Split By' takes more than four times as long for twice the items, and blocks n8n.
#
# Versions  n8n-nodes-base 2.41.1 (Summarize 1.1), n8n-core 2.41.1, Node.js 24.21.0
# Expected  Grouping is one pass with a map: twice the items take twice the time, some 10 ms for 10,000 items.
# Real      The group so far is copied for each item. For 20,000 items of one group, splitting takes 36 times as long as not
#           splitting, and 25 times as long as for 10,000. In a whole n8n 2.41.1 (2 cores), 20,000 took 5 s and
#           40,000 took 37 s, in which n8n answered nobody. From about there, a group outlasts the 60 s for which a worker
#           of queue mode holds its job in Redis.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated } from 'findings';
import { runInCore } from 'findings/core';

async function measure(length, parameters) {
	const items = Array.from({ length }, () => ({ json: { group: 'x', value: 1 } }));
	const outcome = await runInCore({ Items: items }, [
		[
			'Summary',
			'summarize',
			{ fieldsToSummarize: { values: [{ aggregation: 'sum', field: 'value' }] }, options: {}, ...parameters },
			{ typeVersion: 1.1 },
		],
	]);
	const [summary] = outcome.json('Summary');
	if (summary.sum_value !== length) throw new Error(`The sum is ${summary.sum_value}.`);
	return outcome.execution.data.resultData.runData.Summary[0].executionTime;
}

// The better of two each: the machine may do something else.
const best = async (...args) => Math.min(await measure(...args), await measure(...args));
const plain = await best(20_000, {});
const half = await best(10_000, { fieldsToSplitBy: 'group' });
const whole = await best(20_000, { fieldsToSplitBy: 'group' });
console.log(`ms for 20,000 items without splitting: ${plain}; with it 10,000: ${half}, 20,000: ${whole}`);
asStated('slower by splitting', Math.round(whole / Math.max(plain, 1)), (seen) => seen > 8);
asStated('slower for twice the items', Number((whole / half).toFixed(1)), (seen) => seen > 2.9);
JS
