#!/usr/bin/env bash
# Compress puts one file of each name into a ZIP file: of three customers' order.txt, the last one is left.
#
# Versions  n8n-nodes-base 2.41.1 (Compression 1.1, Aggregate 1, Convert to File 1.1), n8n-core 2.41.1, Node.js 24.21.0
# Expected  Files of one name are all put in, as Aggregate keeps them under data, data_1 and data_2, or are refused.
# Real      The last one overwrites the others, and the node succeeds. A TAR file holds all three, of which Decompress puts out
#           the last one. Convert to File gives all its files one name unless it is told otherwise.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated } from 'findings';
import { runInCore } from 'findings/core';

const text = ({ data }) => Buffer.from(data, 'base64').toString();
const run = async (outputFormat) => {
	const { status, execution } = await runInCore({ Items: ['Ann', 'Bob', 'Cid'].map((name) => ({ order: `Order of ${name}` })) }, [
		['File', 'convertToFile', { operation: 'toText', sourceProperty: 'order', options: { fileName: 'order.txt' } }, { typeVersion: 1.1 }],
		['One', 'aggregate', { aggregate: 'aggregateAllItemData', options: { includeBinaries: true } }],
		[
			'Compress',
			'compression',
			{ operation: 'compress', binaryPropertyName: 'data,data_1,data_2', outputFormat, fileName: `orders.${outputFormat}`, binaryPropertyOutput: 'data' },
			{ typeVersion: 1.1 },
		],
		['Decompress', 'compression', { operation: 'decompress', binaryPropertyName: 'data', outputPrefix: 'file_' }, { typeVersion: 1.1 }],
	]);
	const binaryOf = (node) => execution.data.resultData.runData[node][0].data.main[0][0].binary;
	const files = (node) => Object.values(binaryOf(node)).map(text);
	return { status, before: files('One'), archive: text(binaryOf('Compress').data), after: files('Decompress') };
};
const three = ['Order of Ann', 'Order of Bob', 'Order of Cid'];

const zip = await run('zip');
asStated('files', zip.before, three);
asStated('out of the ZIP file', zip.after, ['Order of Cid']);
asStated('entries that the ZIP file says it has', zip.archive.split('PK\x01\x02').length - 1, 1);
const tar = await run('tar');
asStated('in the TAR file', tar.archive.match(/Order of \w+/g), three);
asStated('out of the TAR file', tar.after, ['Order of Cid']);
asStated('statuses', [zip.status, tar.status], ['success', 'success']);
JS
