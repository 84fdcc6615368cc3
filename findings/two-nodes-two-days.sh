#!/usr/bin/env bash
# The same date is March 1 for Filter, and in February for Date & Time: one reads it in the workflow's time zone, the other not.
#
# Versions  n8n-nodes-base 2.41.1 (Filter 2.3, Date & Time 2), n8n-core 2.41.1, Node.js 24.21.0, server in UTC (as in Docker)
# Expected  A date without a time zone means the same in all nodes of a workflow: March 1 there is March 1.
# Real      Filter reads 2026-03-01, with or without a time, in the workflow's time zone (n8n's default: New York). Date & Time
#           reads it in UTC, or in the server's time zone, and then converts it: its month is February, its first day of the
#           month February 1, a month later is March 28. East of UTC both agree. So whoever builds in Berlin never sees it.
. "$(dirname "$0")/lib.sh"
need_n8n
export TZ=UTC
run_module <<'JS'
import { asStated } from 'findings';
import { runInCore } from 'findings/core';

const outcomes = async (date, timezone) => {
	const settings = { executionOrder: 'v1', ...(timezone && { timezone }) };
	const ask = async (parameters) => {
		const node = ['Date', 'dateTime', { ...parameters, outputFieldName: 'is', options: {} }, { typeVersion: 2 }];
		return (await runInCore({ Items: [{}] }, [node], { settings })).json('Date')[0].is;
	};
	const conditions = [
		{ id: '1', leftValue: date, rightValue: '2026-03-01T00:00:00', operator: { type: 'dateTime', operation: 'equals' } },
	];
	const options = { version: 3, caseSensitive: true, typeValidation: 'loose', leftValue: '' };
	const filter = { conditions: { options, combinator: 'and', conditions }, looseTypeValidation: true, options: {} };
	const kept = await runInCore({ Items: [{}] }, [['Filter', 'filter', filter, { typeVersion: 2.3 }]], { settings });
	return {
		isMarch1: kept.json('Filter').length === 1,
		month: await ask({ operation: 'extractDate', date, part: 'month' }),
		firstOfMonth: String(await ask({ operation: 'roundDate', date, mode: 'roundDown', toNearest: 'month' })).slice(0, 10),
		monthLater: String(await ask({ operation: 'addToDate', magnitude: date, timeUnit: 'months', duration: 1 })).slice(0, 10),
	};
};

const asExpected = { isMarch1: true, month: 3, firstOfMonth: '2026-03-01', monthLater: '2026-04-01' };
const asReal = { isMarch1: true, month: 2, firstOfMonth: '2026-02-01', monthLater: '2026-03-28' };
for (const date of ['2026-03-01', '2026-03-01T00:00:00']) {
	asStated(`${date} in Berlin`, await outcomes(date, 'Europe/Berlin'), asExpected);
	asStated(`${date} in n8n's default time zone`, await outcomes(date), asReal);
}
JS
