#!/usr/bin/env bash
# Date & Time rounds a full hour up to the next one, and the first of a month up to the first of the next month.
#
# Versions  n8n-nodes-base 2.41.1 (Date & Time 2), n8n-core 2.41.1, Node.js 24.21.0, server and workflow in UTC
# Expected  Rounding up leaves what is full already, as for numbers: 3 rounded up is 3.
# Real      It is moved by a whole unit: 10:00 to 11:00, March 1 to April 1. Rounding twice moves it twice, so a workflow
#           that runs again on its own output moves a due date each time. Rounding down leaves it.
. "$(dirname "$0")/lib.sh"
need_n8n
export TZ=UTC
run_module <<'JS'
import { asStated } from 'findings';
import { runInCore } from 'findings/core';

const settings = { executionOrder: 'v1', timezone: 'UTC' };
const rounded = async (mode, unit, date) => {
	const parameters = { operation: 'roundDate', date, mode, outputFieldName: 'is', options: {} };
	const to = mode === 'roundUp' ? { to: unit } : { toNearest: unit };
	const node = ['Date', 'dateTime', { ...parameters, ...to }, { typeVersion: 2 }];
	const [{ is }] = (await runInCore({ Items: [{}] }, [node], { settings })).json('Date');
	return String(is).slice(0, 16);
};

asStated('10:20, up to the hour', await rounded('roundUp', 'hour', '2026-03-02T10:20:00Z'), '2026-03-02T11:00');
asStated('10:00, up to the hour', await rounded('roundUp', 'hour', '2026-03-02T10:00:00Z'), '2026-03-02T11:00');
asStated('midnight, up to the day', await rounded('roundUp', 'day', '2026-03-02T00:00:00Z'), '2026-03-03T00:00');
asStated('March 1, up to the month', await rounded('roundUp', 'month', '2026-03-01T00:00:00Z'), '2026-04-01T00:00');
asStated('that once more', await rounded('roundUp', 'month', '2026-04-01T00:00:00Z'), '2026-05-01T00:00');
asStated('10:00, down to the hour', await rounded('roundDown', 'hour', '2026-03-02T10:00:00Z'), '2026-03-02T10:00');
JS
