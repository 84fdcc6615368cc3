// The databases of an n8n that is measured: what fills the list of a node's deduplication table, and how many bytes n8n writes.
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startServers } from '../queue/servers.mts';
import { N8n, type Workflow } from '../support/n8n/n8n.mts';
import type { Runtime } from '../support/n8n/runtime.mts';
import { run } from '../support/processes.mts';
import { sqlite } from '../support/sqlite.mts';

/** Where an n8n stores its data. */
export interface Database {
	name: string;
	/** Fills the list of a workflow's action up, as its earlier executions would have. */
	fill: (workflow: Workflow, entries: number) => Promise<void>;
	/** bytes written so far for n8n */
	writtenBytes: (n8n: N8n) => Promise<number>;
}

/** The context of the action in n8n's table: n8n names it by its node. */
const CONTEXT = 'n:Sobot';

/** n8n's own SQLite. */
export function inSqlite(runtime: Runtime, n8n: N8n): Database {
	return {
		name: 'SQLite',
		fill: async ({ id }, entries) => {
			if (entries === 0) return;
			const hash = (text: string) => createHash('md5').update(text).digest('base64');
			const data = Array.from({ length: entries }, (_, i) => hash(`earlier ${i}`));
			// Too long for an argument of a program.
			const file = join(n8n.userFolder, `entries-${entries}.json`);
			await writeFile(file, JSON.stringify({ mode: 'entries', data }));
			const statements = `
				database.prepare('insert into processed_data ("workflowId", context, value) values (?, ?, ?)')
					.run('${id}', '${CONTEXT}', require('node:fs').readFileSync('${file}', 'utf8'));`;
			await run(...sqlite(n8n, statements, runtime));
		},
		writtenBytes: async ({ pid }) => {
			const counts = await readFile(`/proc/${pid}/io`, 'utf8');
			return Number(/^write_bytes: (\d+)$/m.exec(counts)?.[1]);
		},
	};
}

/** Runs `work` with an n8n whose data is in PostgreSQL. */
export async function inPostgres(
	runtime: Runtime,
	tarball: string,
	work: (n8n: N8n, database: Database) => Promise<void>,
): Promise<void> {
	const servers = await startServers();
	try {
		const n8n = await N8n.start({
			runtime,
			tarball,
			isWhole: true,
			env: { ...servers.env, EXECUTIONS_MODE: 'regular' },
		});
		try {
			await work(n8n, {
				name: 'PostgreSQL',
				fill: async ({ id }, entries) => {
					if (entries === 0) return;
					const data = `select json_agg(encode(decode(md5('earlier ' || i), 'hex'), 'base64')) from generate_series(1, ${entries}) i`;
					await servers.query(
						`insert into processed_data ("workflowId", context, value, "createdAt", "updatedAt") values ('${id}', '${CONTEXT}', json_build_object('mode', 'entries', 'data', (${data})), now(), now())`,
					);
				},
				writtenBytes: async () => {
					const [[bytes] = []] = await servers.query(`select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')`);
					return Number(bytes);
				},
			});
		} finally {
			await n8n.stop();
		}
	} finally {
		await servers.stop();
	}
}
