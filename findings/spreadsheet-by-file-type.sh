#!/usr/bin/env bash
# n8n's Extract from File gives a date of an XLSX file as a number, of an ODS file as a moment; 'RAW Data' does nothing.
#
# Versions  n8n-nodes-base 2.41.1 (Extract from File 1), @e965/xlsx 0.20.3, n8n-core 2.41.1, Node.js 24.21.0
# Expected  One sheet, saved as XLSX and as ODS, gives the same items: the date as a date. With 'RAW Data' ("return RAW data,
#           instead of parsing it"), the serial number that the file holds, or the text that the cell shows.
# Real      XLSX gives a serial number of days (46082.5), ODS a moment that depends on the time zone of the server: noon is 04:00Z
#           in Singapore and 17:00Z in New York. 'RAW Data' changes neither; the option reaches a setting that
#           the library reads for text files only.
. "$(dirname "$0")/lib.sh"
need_n8n
cat > "$WORK/finding.mjs" <<'JS'
import * as module from '@e965/xlsx';
import { asStated } from 'findings';
import { runInCore } from 'findings/core';

const XLSX = module.default ?? module;
const sheet = { '!ref': 'A1:A2', A1: { t: 's', v: 'when' }, A2: { t: 'n', v: 46082.5, z: 'yyyy/mm/dd hh:mm' } };

async function read(operation, options) {
	const data = XLSX.write({ SheetNames: ['S'], Sheets: { S: sheet } }, { type: 'base64', bookType: operation });
	const item = { json: {}, binary: { data: { data, mimeType: '', fileExtension: operation } } };
	const outcome = await runInCore({ File: [item] }, [['Rows', 'extractFromFile', { operation, options }]]);
	return JSON.parse(JSON.stringify(outcome.json('Rows')[0].when));
}

console.error = () => {}; // The writer of ODS files grumbles about date formats.
for (const [type, stated] of [
	['xlsx', 46082.5],
	['ods', process.env.TZ === 'Asia/Singapore' ? '2026-03-01T04:00:00.000Z' : '2026-03-01T17:00:00.000Z'],
]) {
	asStated(`${type} in ${process.env.TZ}`, await read(type, {}), stated);
	asStated(`${type} in ${process.env.TZ} with 'RAW Data'`, await read(type, { rawData: true }), stated);
}
JS
for zone in Asia/Singapore America/New_York; do
	TZ=$zone "$NODE" --import "$FINDINGS/resolve.mjs" "$WORK/finding.mjs"
done
