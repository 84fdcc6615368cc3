#!/usr/bin/env bash
# n8n's Merge says which input an unmatched item is from, but not if the other input is empty.
#
# Versions  n8n-nodes-base 2.41.1 (Merge 3.2), n8n-core 2.41.1, Node.js 24.21.0
# Expected  'Keep Non-Matches' of both inputs adds _source, input1 or input2, to each item, so that an If can tell customers to create
#           from customers to delete. With nothing in one input, all items are from the other, and say so.
# Real      An empty input takes a shortcut that adds no _source: on the first day, with nobody stored yet, no customer is from
#           input2, and nobody is created. The names that 'Always Add Input Number to Field Names' promises are missing in the same way.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, to } from 'findings';
import { runInCore } from 'findings/core';

const merged = async (stored, fresh, parameters) => {
	const all = { mode: 'combine', combineBy: 'combineByFields', fieldsToMatchString: 'id', ...parameters };
	const outcome = await runInCore({ Stored: stored, Fresh: fresh }, [['Merge', 'merge', all, { typeVersion: 3.2 }]], {
		connections: {
			Start: { main: [[to('Stored'), to('Fresh')]] },
			Stored: { main: [[to('Merge', 0)]] },
			Fresh: { main: [[to('Merge', 1)]] },
		},
	});
	return outcome.json('Merge');
};

const nonMatches = { joinMode: 'keepNonMatches', outputDataFrom: 'both', options: {} };
asStated('somebody stored', await merged([{ id: 1 }], [{ id: 2 }, { id: 3 }], nonMatches), [
	{ id: 1, _source: 'input1' },
	{ id: 2, _source: 'input2' },
	{ id: 3, _source: 'input2' },
]);
asStated('nobody stored', await merged([], [{ id: 2 }, { id: 3 }], nonMatches), [{ id: 2 }, { id: 3 }]);

const suffix = { joinMode: 'keepEverything', options: { clashHandling: { values: { resolveClash: 'addSuffix' } } } };
asStated('with numbers in names, somebody stored', await merged([{ id: 1 }], [{ id: 2 }], suffix), [{ id_1: 1 }, { id_2: 2 }]);
asStated('with numbers in names, nobody stored', await merged([], [{ id: 2 }], suffix), [{ id: 2 }]);
JS
