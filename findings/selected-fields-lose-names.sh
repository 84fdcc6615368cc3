#!/usr/bin/env bash
# Edit Fields and Aggregate cut a field's name at its last dot: columns are renamed, and of two with one ending only one is left.
#
# Versions  n8n-nodes-base 2.41.1 (Edit Fields 3.4, Aggregate 1), n8n-core 2.41.1, Node.js 24.21.0
# Expected  'Input Fields to Include' set to 'Selected' keeps the fields that it names, under their names. Aggregate makes a list of
#           each field, and refuses two lists of one name.
# Real      Edit Fields finds the column 'Cust. ID' and puts it out as ' ID', and 'Tel.' without any name. Of 'home.city' and 'work.city'
#           both nodes keep the last one, as 'city', and the other is lost without a word. 'All Except' leaves all
#           names as they are.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated } from 'findings';
import { runInCore } from 'findings/core';

const customer = { 'Cust. ID': 'C1', 'Tel.': '+65-1', home: { city: 'Singapore' }, work: { city: 'Johor' }, note: 'any' };

async function edit(parameters, assignments = []) {
	const outcome = await runInCore({ Items: [customer] }, [
		[
			'Edit',
			'set',
			{ mode: 'manual', includeOtherFields: true, assignments: { assignments }, options: {}, ...parameters },
			{ typeVersion: 3.4 },
		],
	]);
	return outcome.json('Edit')[0];
}

asStated('All Except note, home, work', await edit({ include: 'except', excludeFields: 'note, home, work' }), {
	'Cust. ID': 'C1',
	'Tel.': '+65-1',
});
asStated('Selected: Cust. ID, Tel.', await edit({ include: 'selected', includeFields: 'Cust. ID, Tel.' }), { ' ID': 'C1', '': '+65-1' });
asStated('Selected: home.city, work.city', await edit({ include: 'selected', includeFields: 'home.city, work.city' }), { city: 'Johor' });

const aggregated = await runInCore({ Items: [customer, customer] }, [
	[
		'Aggregate',
		'aggregate',
		{
			aggregate: 'aggregateIndividualFields',
			fieldsToAggregate: { fieldToAggregate: [{ fieldToAggregate: 'home.city' }, { fieldToAggregate: 'work.city' }] },
			options: {},
		},
	],
]);
asStated('Aggregate: home.city, work.city', aggregated.json('Aggregate'), [{ city: ['Johor', 'Johor'] }]);
JS
