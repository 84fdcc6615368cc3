#!/usr/bin/env bash
# n8n's Extract from File moves a date with slashes in an HTML table by twice the server's time zone.
#
# Versions  n8n-nodes-base 2.41.1 (Extract from File 1), @e965/xlsx 0.20.3, n8n-core 2.41.1, Node.js 24.21.0
# Expected  An HTML table (many web applications export one, named .xls) holds text. A cell stays the text that it is; if it is
#           read as a date, 2026/3/1 is March 1 on the server's clock, and 2026-03-01T12:00:00Z is noon in UTC.
# Real      2026/3/1 becomes 2026-02-28T08:00Z in Singapore, which is February 28 there, too: the zone's offset is taken off
#           twice. In New York it is added twice: 2026-03-01T10:00Z, five in the morning there. With hyphens, it is taken
#           once, and taken from a time with Z as well: noon in UTC becomes 04:00Z. Room 3-1 becomes a day of the year 2001, 007 is 7,
#           +6591234567 loses its plus, and an ID of 19 digits its last three. With 'RAW Data', each stays what it is.
. "$(dirname "$0")/lib.sh"
need_n8n
cat > "$WORK/finding.mjs" <<'JS'
import { asStated } from 'findings';
import { runInCore } from 'findings/core';

const cells = {
	slashes: '2026/3/1',
	hyphens: '2026-03-01',
	utc: '2026-03-01T12:00:00Z',
	room: '3-1',
	number: '007',
	phone: '+6591234567',
	id: '1234567890123456789',
};
const row = (values) => `<tr>${values.map((value) => `<td>${value}</td>`).join('')}</tr>`;
const file = `<table>${row(Object.keys(cells))}${row(Object.values(cells))}</table>`;

async function read(options) {
	const binary = { data: { data: Buffer.from(file).toString('base64'), mimeType: 'text/html', fileExtension: 'html' } };
	const outcome = await runInCore({ File: [{ json: {}, binary }] }, [
		['Rows', 'extractFromFile', { operation: 'html', options }],
	]);
	return JSON.parse(JSON.stringify(outcome.json('Rows')[0]));
}

const dates = {
	'Asia/Singapore': {
		slashes: '2026-02-28T08:00:00.000Z',
		hyphens: '2026-02-28T16:00:00.000Z',
		utc: '2026-03-01T04:00:00.000Z',
		room: '2001-02-28T08:00:00.000Z',
	},
	'America/New_York': {
		slashes: '2026-03-01T10:00:00.000Z',
		hyphens: '2026-03-01T05:00:00.000Z',
		utc: '2026-03-01T17:00:00.000Z',
		room: '2001-03-01T10:00:00.000Z',
	},
	UTC: {
		slashes: '2026-03-01T00:00:00.000Z',
		hyphens: '2026-03-01T00:00:00.000Z',
		utc: '2026-03-01T12:00:00.000Z',
		room: '2001-03-01T00:00:00.000Z',
	},
}[process.env.TZ];
asStated(process.env.TZ, await read({}), { ...dates, number: 7, phone: 6591234567, id: 1234567890123456800 });
asStated(`${process.env.TZ} with 'RAW Data'`, await read({ rawData: true }), cells);
JS
for zone in Asia/Singapore America/New_York UTC; do
	TZ=$zone "$NODE" --import "$FINDINGS/resolve.mjs" "$WORK/finding.mjs"
done
