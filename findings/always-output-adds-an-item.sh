#!/usr/bin/env bash
# 'Always Output Data' adds an empty item to the first output, also when the second one has all the items.
#
# Versions  n8n-nodes-base 2.41.1 (If 2.3, Edit Fields 3.4), n8n-core 2.41.1, Node.js 24.21.0
# Expected  The setting puts out an empty item if the node would put out nothing: an If that sends both customers to 'false' puts
#           nothing into 'true', and a node whose items all fail has nothing for its success output.
# Real      n8n looks at the first output alone. 'true' gets an empty item, and so does the success output: what stands there
#           runs for a customer without any field, and the execution succeeds.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated } from 'findings';
import { runInCore } from 'findings/core';

const CUSTOMERS = [{ who: 'Ann', orders: 2 }, { who: 'Bob', orders: 0 }];
const conditions = [
	{ id: '1', leftValue: '={{ $json.orders }}', rightValue: 5, operator: { type: 'number', operation: 'gt' } },
];
const options = { version: 3, caseSensitive: true, typeValidation: 'strict', leftValue: '' };
const bought = async (alwaysOutputData, customers) =>
	await runInCore({ Customers: customers }, [
		['More than 5', 'if', { conditions: { options, combinator: 'and', conditions }, options: {} }, { typeVersion: 2.3, alwaysOutputData }],
		['Thank', 'set', { mode: 'raw', jsonOutput: '={{ { text: `Thank you, ${$json.who}` } }}', options: {} }, { typeVersion: 3.4 }],
	]);

const without = await bought(false, CUSTOMERS);
asStated("without it: 'true', 'false'", [without.json('More than 5', 0), without.json('More than 5', 1)], [[], CUSTOMERS]);

const withIt = await bought(true, CUSTOMERS);
asStated("with it: 'true', 'false'", [withIt.json('More than 5', 0), withIt.json('More than 5', 1)], [[{}], CUSTOMERS]);
asStated('sent', withIt.json('Thank'), [{ text: 'Thank you, undefined' }]);
asStated('status', withIt.status, 'success');

const rich = [{ who: 'Cid', orders: 9 }];
const other = await bought(true, rich);
asStated("all in the first output: 'true', 'false'", [other.json('More than 5', 0), other.json('More than 5', 1)], [rich, []]);

const failing = await runInCore({ Customers: CUSTOMERS }, [
	['Prepare', 'set', { mode: 'raw', jsonOutput: '=no JSON: {{ $json.who }}', options: {} }, { typeVersion: 3.4, alwaysOutputData: true, onError: 'continueErrorOutput' }],
]);
const failed = failing.json('Prepare', 1).map(({ who, error }) => ({ who, failed: error !== undefined }));
asStated('all fail: success output, error output', [failing.json('Prepare', 0), failed], [
	[{}],
	CUSTOMERS.map(({ who }) => ({ who, failed: true })),
]);
JS
