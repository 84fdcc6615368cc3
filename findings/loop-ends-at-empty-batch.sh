#!/usr/bin/env bash
# A loop whose body filters out all of one batch ends there, and the execution succeeds.
#
# Versions  n8n-nodes-base 2.41.1 (Loop Over Items 3, Filter 2.3), n8n-core 2.41.1, Node.js 24.21.0
# Expected  A Filter in a loop is a `continue`: the loop goes on with the next customer.
# Real      Loop Over Items is woken by items alone. Behind the one customer of ten whom the Filter drops, the other seven are
#           never looked at, 'done' puts nothing out, and the execution succeeds. 'Always Output Data' of the Filter brings
#           them back, and lets an empty customer through.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, to } from 'findings';
import { runInCore } from 'findings/core';

const customers = Array.from({ length: 10 }, (_, index) => ({ customer: index + 1, consent: index + 1 !== 3 }));
const conditions = [
	{ id: '1', leftValue: '={{ $json.consent }}', rightValue: '', operator: { type: 'boolean', operation: 'true', singleValue: true } },
];
const options = { version: 3, caseSensitive: true, typeValidation: 'loose', leftValue: '' };
async function loop(alwaysOutputData) {
	const outcome = await runInCore(
		{ Customers: customers },
		[
			['Loop', 'splitInBatches', { batchSize: 1, options: {} }, { typeVersion: 3 }],
			['Consent', 'filter', { conditions: { options, combinator: 'and', conditions }, options: {} }, { typeVersion: 2.3, alwaysOutputData }],
			['Send', 'noOp'],
			['Report', 'noOp'],
		],
		{
			connections: {
				Start: { main: [[to('Customers')]] },
				Customers: { main: [[to('Loop')]] },
				Loop: { main: [[to('Report')], [to('Consent')]] },
				Consent: { main: [[to('Send')]] },
				Send: { main: [[to('Loop')]] },
			},
		},
	);
	const { runData } = outcome.execution.data.resultData;
	const sent = runData.Send.flatMap((_, run) => outcome.json('Send', 0, run)).map(({ customer }) => customer ?? 'nobody');
	return { status: outcome.status, sent, reported: runData.Report !== undefined };
}

asStated('customer 3 without consent', await loop(false), { status: 'success', sent: [1, 2], reported: false });
asStated("with 'Always Output Data'", await loop(true), {
	status: 'success',
	sent: [1, 2, 'nobody', 4, 5, 6, 7, 8, 9, 10],
	reported: true,
});
JS
