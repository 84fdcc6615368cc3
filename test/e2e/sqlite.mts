// Reaches into the database of a running n8n, to read what it has stored or to make it fail.
import { join } from 'node:path';
import type { N8n } from '../support/n8n/n8n.mts';
import { underTest } from '../support/underTest.mts';

/**
 * A command for Node.js of n8n's runtime, which has SQLite built in.
 *
 * @param statements JavaScript that uses `database`
 */
export function sqlite(n8n: N8n, statements: string): [string, string[]] {
	const file = join(n8n.userFolder, '.n8n/database.sqlite');
	const script = `const { DatabaseSync } = require('node:sqlite'); const database = new DatabaseSync(${JSON.stringify(file)}, { timeout: 10000 }); ${statements}`;
	return [underTest().runtime.node, ['--no-warnings', '-e', script]];
}
