#!/usr/bin/env bash
# n8n's Aggregate and Split Out, one after the other, give customers the phone numbers of others.
#
# Versions  n8n-nodes-base 2.41.1 (Aggregate 1, Split Out 1), n8n-core 2.41.1, Node.js 24.21.0
# Expected  Two fields of the same items become two lists in which the same position is the same customer, as in a table. Split
#           Out with both lists makes the items of before.
# Real      Aggregate leaves missing values out of each list on its own, so the lists differ in length, and everybody behind the
#           first gap moves up: Bob, who has no phone number, gets Cid's, and the last customer has none. No hint, no error. The
#           option 'Keep Missing And Null Values' keeps the positions.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated } from 'findings';
import { runInCore } from 'findings/core';

const customers = [{ name: 'Ann', phone: '+65-1' }, { name: 'Bob', phone: null }, { name: 'Cid', phone: '+65-3' }];
const andBack = async (options) => {
	const fieldToAggregate = ['name', 'phone'].map((field) => ({ fieldToAggregate: field }));
	const outcome = await runInCore({ Items: customers }, [
		['Aggregate', 'aggregate', { aggregate: 'aggregateIndividualFields', fieldsToAggregate: { fieldToAggregate }, options }],
		['Split', 'splitOut', { fieldToSplitOut: 'name, phone', include: 'noOtherFields', options: {} }],
	]);
	return outcome.json('Split');
};

asStated('back', await andBack({}), [{ name: 'Ann', phone: '+65-1' }, { name: 'Bob', phone: '+65-3' }, { name: 'Cid' }]);
asStated('back, with missing values kept', await andBack({ keepMissing: true }), customers);
JS
