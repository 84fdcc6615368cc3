#!/usr/bin/env bash
# n8n's Rename Keys loses a value when one field takes the name that another gives up.
#
# Versions  n8n-nodes-base 2.41.1 (Rename Keys 1), n8n-core 2.41.1, Node.js 24.21.0
# Expected  Two fields can swap their names, and a field can take the name of one that is renamed too: each value is there under its
#           new name.
# Real      Each rule reads the original item, writes its value, and removes its old name, which may hold the value of an
#           earlier rule by then. A swap of phone and mobile leaves one of the two numbers, without a word. In the other order
#           of the same two rules nothing is lost. A regular expression that gives two fields one name keeps the last.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated } from 'findings';
import { runInCore } from 'findings/core';

const renamed = async (customer, rules, additionalOptions = {}) => {
	const key = rules.map(([currentKey, newKey]) => ({ currentKey, newKey }));
	const outcome = await runInCore({ Items: [customer] }, [['Rename', 'renameKeys', { keys: { key }, additionalOptions }]]);
	return outcome.json('Rename')[0];
};

const customer = { phone: '+65-1', mobile: '+65-2' };
asStated('one rule', await renamed(customer, [['phone', 'landline']]), { landline: '+65-1', mobile: '+65-2' });
asStated(
	'mobile to whatsapp, then phone to mobile',
	await renamed(customer, [
		['mobile', 'whatsapp'],
		['phone', 'mobile'],
	]),
	{ whatsapp: '+65-2', mobile: '+65-1' },
);
asStated(
	'phone to mobile, then mobile to whatsapp',
	await renamed(customer, [
		['phone', 'mobile'],
		['mobile', 'whatsapp'],
	]),
	{ whatsapp: '+65-2' },
);
asStated(
	'a swap',
	await renamed(customer, [
		['phone', 'mobile'],
		['mobile', 'phone'],
	]),
	{ phone: '+65-2' },
);
const replacements = [{ searchRegex: '_[0-9]+$', replaceRegex: '', options: {} }];
asStated('phone_1 and phone_2 without _1 and _2', await renamed({ phone_1: '+65-1', phone_2: '+65-2' }, [], { regexReplacement: { replacements } }), {
	phone: '+65-2',
});
JS
