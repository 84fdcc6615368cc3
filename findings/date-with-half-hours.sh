#!/usr/bin/env bash
# n8n's Date & Time formats 10:00 in India as 09:30, 22:00 in Lima as 03:00 of the next day, and 20260301 as 1970.
#
# Versions  n8n 2.41.1 (Date & Time 2), n8n-core 2.41.1, Node.js 24.21.0
# Expected  'Format a Date' formats the time that a text with an offset names, as it does for +08:00, or always converts it to
#           one time zone. What looks like neither is refused.
# Real      Of an offset with a plus, two digits are read, and the minutes dropped; an offset with a minus is not looked for, so
#           that time comes out in UTC. Eight digits, the basic format of ISO 8601, are taken for seconds since 1970. A list with
#           customers of several countries is right for some of them.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated } from 'findings';
import { runInCore } from 'findings/core';

const formatted = async (...dates) => {
	const parameters = {
		operation: 'formatDate',
		date: '={{ $json.date }}',
		format: 'custom',
		customFormat: 'yyyy-MM-dd HH:mm',
		outputFieldName: 'date',
		options: {},
	};
	const outcome = await runInCore({ Items: dates.map((date) => ({ date })) }, [['Format', 'dateTime', parameters, { typeVersion: 2 }]], {
		settings: { executionOrder: 'v1', timezone: 'Asia/Singapore' },
	});
	return outcome.json('Format').map(({ date }) => date);
};

asStated('Singapore, and UTC', await formatted('2026-03-01T10:00:00+08:00', '2026-03-01T10:00:00Z'), ['2026-03-01 10:00', '2026-03-01 10:00']);
asStated('India, and Nepal', await formatted('2026-03-01T10:00:00+05:30', '2026-03-01T10:00:00+05:45'), ['2026-03-01 09:30', '2026-03-01 09:15']);
asStated('Peru', await formatted('2026-03-01T22:00:00-05:00'), ['2026-03-02 03:00']);
asStated('20260301', await formatted('20260301'), ['1970-08-23 11:51']);
JS
