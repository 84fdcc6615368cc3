#!/usr/bin/env bash
# n8n's Filter and If call an empty value smaller than 10, and not smaller than 0, but not equal to 0.
#
# Versions  n8n-nodes-base 2.41.1 (Filter 2.3), n8n-core 2.41.1, Node.js 24.21.0
# Expected  'is empty' is true for null, a missing field and an empty text of a CSV file, and a comparison of numbers is false for
#           what is empty, as in SQL. (Comparisons of dates do that here, too.)
# Real      null and an empty text are smaller than 10 and at least 0, but not equal to 0: customers who have never rated are among those who
#           rated below 10. Where the field is missing, each comparison is false. So the same customers come out or not by
#           how a source writes nothing.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated } from 'findings';
import { runInCore } from 'findings/core';

const NOBODY = [{ who: 'null', rating: null }, { who: 'empty text', rating: '' }, { who: 'no field' }];
const kept = async (type, operation, rightValue, customers = [...NOBODY, { who: 'Ann', rating: 3 }, { who: 'Bob', rating: '30' }]) => {
	const conditions = [{ id: '1', leftValue: '={{ $json.rating }}', rightValue, operator: { type, operation } }];
	const options = { version: 3, caseSensitive: true, typeValidation: 'loose', leftValue: '' };
	const outcome = await runInCore({ Items: customers }, [
		['Filter', 'filter', { conditions: { options, combinator: 'and', conditions }, looseTypeValidation: true, options: {} }, { typeVersion: 2.3 }],
	]);
	return outcome.json('Filter').map(({ who }) => who);
};

asStated('is empty', await kept('number', 'empty', ''), ['null', 'empty text', 'no field']);
asStated('is less than 10', await kept('number', 'lt', 10), ['null', 'empty text', 'Ann']);
asStated('is at least 0', await kept('number', 'gte', 0), ['null', 'empty text', 'Ann', 'Bob']);
asStated('is equal to 0', await kept('number', 'equals', 0), []);

const dates = [{ who: 'null', rating: null }, { who: 'no field' }, { who: 'Ann', rating: '2026-01-01' }];
asStated('is before a date', await kept('dateTime', 'before', '2026-06-01', dates), ['Ann']);
JS
