#!/usr/bin/env bash
# n8n's Schedule Trigger makes 45 seconds of 15, two weeks of three and two days of three, where a minute or a year ends.
#
# Versions  n8n 2.41.1 (Schedule Trigger 1.4, the default scheduler), n8n-core 2.41.1, cron 4.4.0, Node.js 24.21.0
# Expected  'Seconds Between Triggers' 45 means 45 seconds between triggers, as 45 minutes do, and every two weeks are 14 days.
# Real      45 seconds become the cron field */45, which begins anew with each minute: 45 and 15 by turns, half as many calls again.
#           Weeks and days are counted by their numbers in a year of 52 weeks or 365 days: behind a year of 53 weeks or a leap
#           year one too many goes by, and "every second Monday" is the other Mondays from then on.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated } from 'findings';
import { startsOf } from 'findings/clock';

const between = (starts, unitMs) => starts.slice(1).map((start, index) => (Date.parse(`${start}Z`) - Date.parse(`${starts[index]}Z`)) / unitMs);
const DAY = 86_400_000;
const at9 = { triggerAtHour: 9, triggerAtMinute: 0 };

const seconds = await startsOf({ field: 'seconds', secondsInterval: 45 }, { from: '2026-03-01T00:00:10Z', until: '2026-03-01T00:04:10Z' }, 1000);
asStated('seconds between triggers of every 45', between(seconds, 1000), [15, 45, 15, 45, 15, 45, 15]);
const minutes = await startsOf({ field: 'minutes', minutesInterval: 45 }, { from: '2026-03-01T00:00:10Z', until: '2026-03-01T04:00:10Z' });
asStated('minutes between triggers of every 45', between(minutes, 60_000), [45, 45, 45, 45, 45]);

const weeks = { field: 'weeks', weeksInterval: 2, triggerAtDay: [1], ...at9 };
asStated(
	'days between every second Monday, into 2027',
	between(await startsOf(weeks, { from: '2026-12-01T00:00:00Z', until: '2027-02-01T00:00:00Z' }), DAY),
	[14, 14, 14],
);
asStated(
	'days between every second Monday, into 2029',
	between(await startsOf(weeks, { from: '2028-12-01T00:00:00Z', until: '2029-02-01T00:00:00Z' }), DAY),
	[14, 21, 14],
);
asStated(
	'days between triggers of every 2 days, into 2029',
	between(await startsOf({ field: 'days', daysInterval: 2, ...at9 }, { from: '2028-12-27T00:00:00Z', until: '2029-01-06T00:00:00Z' }), DAY),
	[2, 2, 3, 2],
);
JS
