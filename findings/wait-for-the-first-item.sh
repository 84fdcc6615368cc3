#!/usr/bin/env bash
# n8n's Wait node waits for the first item's time: all others go on with it, weeks too early or too late.
#
# Versions  n8n-nodes-base 2.41.1 (Wait 1.1), n8n-core 2.41.1, Node.js 24.21.0
# Expected  'Date and Time' takes an expression, which other nodes evaluate for each item: each customer goes on at the time of
#           their own, or at least none before it.
# Real      It is evaluated for the first item, and all go on at that time. If the first one's appointment is now, the one in 30 days is
#           called now as well; the other way round, nobody is called for 30 days. So is 'Wait Amount'.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated } from 'findings';
import { runInCore } from 'findings/core';

const DAY = 24 * 60 * 60 * 1000;
const inDays = (days) => new Date(Date.now() + days * DAY).toISOString();
const wait = async (customers, parameters) =>
	await runInCore({ Customers: customers }, [
		['Wait', 'wait', parameters, { typeVersion: 1.1 }],
		['Call', 'noOp'],
	]);
const called = (outcome) => (outcome.execution.data.resultData.runData.Call ? outcome.json('Call').map(({ who }) => who) : []);
const daysToWait = ({ execution }) => Math.round((new Date(execution.waitTill).getTime() - Date.now()) / DAY);

const at = { resume: 'specificTime', dateTime: '={{ $json.at }}' };
const now = { who: 'now', at: inDays(0), days: 0 };
const later = { who: 'in 30 days', at: inDays(30), days: 30 };

asStated('called at once', called(await wait([now, later], at)), ['now', 'in 30 days']);
const outcome = await wait([later, now], at);
asStated('the other way round, called at once', called(outcome), []);
asStated('days until both are called', daysToWait(outcome), 30);
const amount = { resume: 'timeInterval', amount: '={{ $json.days }}', unit: 'days' };
asStated('by amount, called at once', called(await wait([now, later], amount)), ['now', 'in 30 days']);
JS
