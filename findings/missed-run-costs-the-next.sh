#!/usr/bin/env bash
# A run that n8n's Schedule Trigger misses, since n8n restarts at that minute, takes the next one with it.
#
# Versions  n8n 2.41.1 (Schedule Trigger 1.4, the default scheduler), n8n-core 2.41.1, cron 4.4.0, Node.js 24.21.0
# Expected  'If Execution Is Missed' is set to "Don't Run Missed Executions": a rule of every 12 hours that misses noon runs at midnight.
# Real      It runs at the next noon, 36 hours after the last time. The rule remembers the hour of its last run and subtracts it from
#           that of now: from midnight to midnight no hour has passed. A rule of every 23 hours that misses its hour is late
#           by a day. Rules of 2, 3, 4, 6 and 8 hours are right.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated } from 'findings';
import { startsOf } from 'findings/clock';

const every = async (hoursInterval, down) => {
	const rule = { field: 'hours', hoursInterval, triggerAtMinute: 0 };
	return await startsOf(rule, { from: '2026-03-01T06:30:00Z', until: '2026-03-04T13:30:00Z', down });
};
const noon = [['2026-03-02T11:59:00Z', '2026-03-02T12:02:00Z']];
const hours = (starts) => starts.slice(1).map((start, index) => Math.round((Date.parse(`${start}Z`) - Date.parse(`${starts[index]}Z`)) / 3_600_000));

asStated('hours between runs of every 12, without a restart', hours(await every(12, [])), [12, 12, 12, 12, 12, 12]);
asStated('hours between runs of every 12, restarted at noon', hours(await every(12, noon)), [12, 36, 12, 12]);
asStated('hours between runs of every 6, restarted at noon', hours(await every(6, noon)).slice(0, 8), [6, 6, 6, 12, 6, 6, 6, 6]);
asStated('hours between runs of every 23, restarted at its second run', hours(await every(23, [['2026-03-02T05:59:00Z', '2026-03-02T06:02:00Z']])), [47, 23]);
JS
