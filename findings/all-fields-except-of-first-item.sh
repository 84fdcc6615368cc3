#!/usr/bin/env bash
# Remove Duplicates with 'All Fields Except' compares only the fields of the first item, and removes customers who differ in others.
#
# Versions  n8n-nodes-base 2.41.1 (Remove Duplicates 2), n8n-core 2.41.1, Node.js 24.21.0
# Expected  'All Fields Except' is 'All Fields' without those named. 'All Fields' refuses a list in which a field is missing from some
#           items, so the other one does too, or compares what is there: nobody who differs is removed.
# Real      'All Fields' looks at each field that any item has. 'All Fields Except' looks at those of the first item alone, and does
#           not mention the others. Of 300 customers with phone numbers, of whom the first has none yet, one is left. With that
#           customer at the end of the list, or with 'Disable Dot Notation', the list is refused.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated } from 'findings';
import { runInCore } from 'findings/core';

const [first, ...others] = Array.from({ length: 300 }, (_, index) => ({
	country: 'SG',
	updatedAt: `2026-03-01T00:00:00.${String(index).padStart(3, '0')}Z`,
	...(index === 0 ? {} : { phone: `+65-${index}` }),
}));

async function left(items, compare, options = {}) {
	const outcome = await runInCore({ Items: items }, [
		[
			'Remove',
			'removeDuplicates',
			{ operation: 'removeDuplicateInputItems', compare, fieldsToExclude: 'updatedAt', options },
			{ typeVersion: 2 },
		],
	]);
	return outcome.error ? outcome.error.message : outcome.json('Remove').length;
}

const refused = "'phone' field is missing from some input items";
asStated('All Fields', await left([first, ...others], 'allFields'), refused);
asStated('All Fields Except updatedAt', await left([first, ...others], 'allFieldsExcept'), 1);
asStated('the same with the first item at the end', await left([...others, first], 'allFieldsExcept'), refused);
asStated("the same with 'Disable Dot Notation'", await left([first, ...others], 'allFieldsExcept', { disableDotNotation: true }), refused);
asStated('the same without the first item', await left(others, 'allFieldsExcept'), 299);
JS
