#!/usr/bin/env bash
# n8n's Summarize adds the numbers of a CSV file up to 0.
#
# Versions  n8n-nodes-base 2.41.1 (Extract from File 1, Summarize 1.1), n8n-core 2.41.1, Node.js 24.21.0
# Expected  A CSV file holds text, so the sum of a column is either the sum of its numbers or an error that asks for numbers
#           (n8n's expression ['10', '9'].sum() throws one).
# Real      The execution succeeds: sum is 0, average is null (0 / 0), the largest of 10, 9 and 2.5 is "9", and the smallest
#           "10". Texts are left out of sums, and compared letter by letter. Neither a hint nor the count tells.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated } from 'findings';
import { runInCore } from 'findings/core';

const file = 'amount\n10\n9\n2.5\n';
const binary = { data: { data: Buffer.from(file).toString('base64'), mimeType: 'text/csv', fileExtension: 'csv' } };
const values = ['sum', 'average', 'max', 'min', 'count'].map((aggregation) => ({ aggregation, field: 'amount' }));
const outcome = await runInCore({ File: [{ json: {}, binary }] }, [
	['Rows', 'extractFromFile', { operation: 'csv', options: {} }],
	['Summary', 'summarize', { fieldsToSummarize: { values }, options: {} }, { typeVersion: 1.1 }],
]);
asStated('status', outcome.status, 'success');
asStated('summary', JSON.parse(JSON.stringify(outcome.json('Summary')[0])), {
	sum_amount: 0,
	average_amount: null,
	max_amount: '9',
	min_amount: '10',
	count_amount: 3,
});
asStated('hints', outcome.execution.data.resultData.runData.Summary[0].hints?.length ?? 0, 0);
JS
