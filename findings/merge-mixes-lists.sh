#!/usr/bin/env bash
# Where both inputs hold a list, n8n's Merge gives a list that neither holds, although one input is preferred.
#
# Versions  n8n-nodes-base 2.41.1 (Merge 3.2), n8n-core 2.41.1, Node.js 24.21.0
# Expected  'When Field Values Clash' says which input wins. A list is a value: the customer gets the list of the preferred
#           input. ('Deep Merge', which is set from the start, is about "sub-fields".)
# Real      The lists are laid over each other by position, and the longer one's rest stays: with input 2 preferred, one new phone
#           number over three old ones gives the new one and two old ones, an emptied list is full again, and the new order 8
#           is paid because the old order 7 was. 'Shallow Merge' does what was expected.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, to } from 'findings';
import { runInCore } from 'findings/core';

const stored = [
	{ id: 1, phones: ['old 1', 'old 2', 'old 3'], orders: [{ id: 7, paid: true }] },
	{ id: 2, phones: ['old 4'], orders: [] },
];
const fresh = [
	{ id: 1, phones: ['new'], orders: [{ id: 8 }] },
	{ id: 2, phones: [], orders: [] },
];
const merged = async (values) => {
	const parameters = {
		mode: 'combine',
		combineBy: 'combineByFields',
		fieldsToMatchString: 'id',
		joinMode: 'keepMatches',
		options: values ? { clashHandling: { values } } : {},
	};
	const outcome = await runInCore({ Stored: stored, Fresh: fresh }, [['Merge', 'merge', parameters, { typeVersion: 3.2 }]], {
		connections: {
			Start: { main: [[to('Stored'), to('Fresh')]] },
			Stored: { main: [[to('Merge', 0)]] },
			Fresh: { main: [[to('Merge', 1)]] },
		},
	});
	return outcome.json('Merge');
};

const mixed = [
	{ id: 1, phones: ['new', 'old 2', 'old 3'], orders: [{ id: 8, paid: true }] },
	{ id: 2, phones: ['old 4'], orders: [] },
];
asStated('as it comes', await merged(), mixed);
asStated('input 2 preferred', await merged({ resolveClash: 'preferLast', mergeMode: 'deepMerge', overrideEmpty: false }), mixed);
asStated('Shallow Merge', await merged({ resolveClash: 'preferLast', mergeMode: 'shallowMerge', overrideEmpty: false }), fresh);
JS
