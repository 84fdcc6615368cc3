// PostgreSQL stores what n8n writes into its deduplication table, and the answer gets lost: docs/n8n-behavior.md, D5.
import { connect, createServer, type Server } from 'node:net';
import { Sandbox } from '../sandbox/server.mts';
import { createCredentials } from '../support/credentials.mts';
import { listenOnFreePort } from '../support/freePort.mts';
import { acceptedOf, customersOf, expectTruth, ONCE } from '../support/kills.mts';
import { N8n } from '../support/n8n/n8n.mts';
import { startPostgres, type Postgres } from '../support/postgres.mts';
import { underTest } from '../support/underTest.mts';
import { actionWorkflow, FROM_ITEM, outputOf } from '../support/workflows.mts';

jest.setTimeout(300_000);

/** A way to PostgreSQL on which answers get lost. */
class Way {
	/** how many answers to additions are still to get lost */
	toLose = 0;
	/** of the list's last write, in bytes */
	private length = 0;
	lost = 0;
	private readonly server: Server;

	constructor(port: number) {
		this.server = createServer((client) => {
			const postgres = connect(port, '127.0.0.1');
			let isLosing = false;
			client.on('data', (chunk) => {
				if (chunk.includes('"processed_data" SET')) {
					const isAddition = chunk.length > this.length;
					this.length = chunk.length;
					if (isAddition && this.toLose > 0) {
						this.toLose--;
						isLosing = true;
					}
				}
				postgres.write(chunk);
			});
			postgres.on('data', (chunk) => {
				if (!isLosing) return void client.write(chunk);
				// It has stored the row, for n8n uses no transaction here.
				if (!chunk.includes('UPDATE 1')) return;
				this.lost++;
				client.destroy();
			});
			for (const [one, other] of [
				[client, postgres],
				[postgres, client],
			] as const)
				one.on('close', () => other.destroy()).on('error', () => other.destroy());
		});
	}

	async open(): Promise<string> {
		return new URL(await listenOnFreePort(this.server)).port;
	}

	close(): void {
		this.server.close();
	}
}

let postgres: Postgres;
let way: Way;
let n8n: N8n;
let sandbox: Sandbox;

beforeAll(async () => {
	postgres = await startPostgres();
	way = new Way(postgres.server.port);
	const env = { ...postgres.env, DB_POSTGRESDB_PORT: await way.open() };
	n8n = await N8n.start({ ...underTest(), env });
	sandbox = await Sandbox.start();
});
afterAll(async () => {
	await n8n.stop();
	await sandbox.close();
	way.close();
	await postgres.stop();
});

test('those about to leave are unknown, once and for all; nobody is sent twice, and nobody is missing', async () => {
	const parameters = { ...FROM_ITEM, options: ONCE };
	const workflow = await actionWorkflow(
		n8n,
		await createCredentials(n8n, sandbox),
		customersOf('lost'),
		parameters,
		{ onError: 'continueRegularOutput' },
	);
	const losing = setInterval(() => {
		if (acceptedOf(sandbox, 'lost') > 60) {
			way.toLose = 1;
			clearInterval(losing);
		}
	}, 20);
	const first = await n8n.execute(workflow);
	expect(way.lost).toBe(1);
	const { unknown } = expectTruth(sandbox, 'lost', outputOf(first, 'Sobot'));
	expect(unknown).toBeGreaterThan(0);

	// Their claims are stored: a later execution finds them.
	const later = expectTruth(sandbox, 'lost', outputOf(await n8n.execute(workflow), 'Sobot'));
	expect(later.unknown).toBe(unknown);
});
