#!/usr/bin/env bash
# A script that deletes workflows page by page through n8n's public API leaves every second page.
#
# Versions  n8n 2.41.1 (public API v1), SQLite, Node.js 24.21.0
# Expected  nextCursor marks where the next page begins: whoever deletes what a page lists, and goes on with its cursor, sees all, as
#           with executions.
# Real      For executions the cursor holds the last ID, for workflows an offset: with three of a page deleted, the next three move
#           up and are never listed. Of 12 workflows 6 are deleted, and the last page has no cursor, as if all were done. The
#           same happens to whoever lists while somebody else deletes.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated, N8n } from 'findings';

const n8n = await N8n.start();
const api = await n8n.publicApi('workflow:list', 'workflow:delete', 'execution:list', 'execution:delete');
/** Deletes what each page lists, and follows the cursors. Returns how many were deleted, and how many are left. */
async function deleteAll(what) {
	let deleted = 0;
	for (let cursor = ''; cursor !== null; ) {
		const { data, nextCursor } = await api('GET', `${what}?limit=3${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
		for (const { id } of data) await api('DELETE', `${what}/${id}`);
		deleted += data.length;
		cursor = nextCursor;
	}
	return { deleted, left: (await api('GET', `${what}?limit=100`)).data.length };
}

for (let count = 1; count <= 12; count++) await n8n.run([['Nothing', 'noOp']], { name: `Old ${count}` });
asStated('executions', await deleteAll('executions'), { deleted: 12, left: 0 });
asStated('workflows', await deleteAll('workflows'), { deleted: 6, left: 6 });
await n8n.stop();
JS
