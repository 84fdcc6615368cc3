// Reaches into the database of a running n8n, to read what it has stored or to make it fail.
import { join } from 'node:path';
import type { N8n } from './n8n/n8n.mts';
import { underTest } from './underTest.mts';

/**
 * A command for Node.js of n8n's runtime, which has SQLite built in.
 *
 * @param statements JavaScript that uses `database`
 * @param runtime of this n8n
 */
export function sqlite(n8n: N8n, statements: string, runtime = underTest().runtime): [string, string[]] {
	const file = join(n8n.userFolder, '.n8n/database.sqlite');
	const script = `const { DatabaseSync } = require('node:sqlite'); const database = new DatabaseSync(${JSON.stringify(file)}, { timeout: 10000 }); ${statements}`;
	return [runtime.node, ['--no-warnings', '-e', script]];
}
