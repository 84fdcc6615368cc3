#!/usr/bin/env bash
# With 'On Error: Continue', n8n's XML node drops the items that it cannot read: they are in no output.
#
# Versions  n8n-nodes-base 2.41.1 (XML 1), n8n-core 2.41.1, Node.js 24.21.0
# Expected  'Continue' puts out an item with the error for each that fails, and 'Continue (using error output)' puts it into
#           the error output, as other nodes do.
# Real      The item is nowhere: of three pushes of which one holds JSON, two are left, the error output is empty, and the
#           execution succeeds. (The node writes the error into its input instead.)
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated } from 'findings';
import { runInCore } from 'findings/core';

const pushes = [{ data: '<message><id>1</id></message>' }, { data: '{ "id": 2 }' }, { data: '<message><id>3</id></message>' }];
const run = async (onError) =>
	await runInCore({ Pushes: pushes }, [
		['Read', 'xml', { mode: 'xmlToJson', dataPropertyName: 'data', options: {} }, { onError }],
	]);

asStated('stopWorkflow: status', (await run('stopWorkflow')).status, 'error');
for (const onError of ['continueRegularOutput', 'continueErrorOutput']) {
	const outcome = await run(onError);
	asStated(`${onError}: status`, outcome.status, 'success');
	asStated(`${onError}: put out`, outcome.json('Read'), [{ message: { id: '1' } }, { message: { id: '3' } }]);
	asStated(`${onError}: in the error output`, outcome.json('Read', 1), []);
}
JS
