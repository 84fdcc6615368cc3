#!/usr/bin/env bash
# In a calendar file, 9 o'clock in Singapore is 17:00, and `{{ $now.plus({ days: 7 }) }}` is today at midnight.
#
# Versions  n8n-nodes-base 2.41.1 (Convert to File 1.1, 'Convert to ICS'), n8n-core 2.41.1, Node.js 24.21.0
# Expected  'Start' without an offset, as the node's own date picker gives it, is UTC, or in the workflow's time zone with 'Use Workflow
#           Timezone', whose description says so. A time with an offset, and a DateTime of an expression, are moments, and mean the
#           same on each server.
# Real      'Use Workflow Timezone' changes nothing. The clock of the server's time zone (TZ) is written, and called UTC: 09:00+08:00
#           is right on a server in UTC alone, and in New York 5 hours off. A DateTime is taken for today at midnight. The node
#           succeeds, and customers get these appointments.
. "$(dirname "$0")/lib.sh"
need_n8n
for zone in UTC Asia/Singapore America/New_York; do
	TZ=$zone run_module <<'JS'
import { asStated } from 'findings';
import { runInCore } from 'findings/core';

const startOf = async (start, additionalFields = {}) => {
	const { status, execution } = await runInCore(
		{ Items: [{}] },
		[['File', 'convertToFile', { operation: 'iCal', title: 'Visit', start, end: start, allDay: false, additionalFields }, { typeVersion: 1.1 }]],
		{ settings: { executionOrder: 'v1', timezone: 'Asia/Singapore' } },
	);
	const text = Buffer.from(execution.data.resultData.runData.File[0].data.main[0][0].binary.data.data, 'base64').toString();
	return [status, text.match(/DTSTART:(\S+)/)[1]];
};
const zone = process.env.TZ;
asStated(`${zone}: 9 o'clock`, await startOf('2026-03-01T09:00:00'), ['success', '20260301T090000Z']);
asStated(`${zone}: with the option`, await startOf('2026-03-01T09:00:00', { useWorkflowTimezone: true }), ['success', '20260301T090000Z']);
const withOffset = { UTC: '20260301T010000Z', 'Asia/Singapore': '20260301T090000Z', 'America/New_York': '20260228T200000Z' }[zone];
asStated(`${zone}: 9 o'clock +08:00`, await startOf('2026-03-01T09:00:00+08:00'), ['success', withOffset]);
asStated(`${zone}: with the option`, await startOf('2026-03-01T09:00:00+08:00', { useWorkflowTimezone: true }), ['success', withOffset]);
const midnight = () => {
	const now = new Date();
	const two = (value) => String(value).padStart(2, '0');
	return `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}T000000Z`;
};
const before = midnight();
const inAWeek = await startOf('={{ $now.plus({ days: 7 }) }}');
asStated(`${zone}: in a week`, inAWeek, (seen) => seen[0] === 'success' && [before, midnight()].includes(seen[1]));
asStated(`${zone}: in a week, as text`, (await startOf('={{ $now.plus({ days: 7 }).toISO() }}'))[1] > inAWeek[1], true);
JS
done
