// A demo or a test must never take another program for its n8n: it would create an owner there, with a password that
// everybody knows.
import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { listenOnFreePort } from '../support/freePort.mts';
import { N8nProcess } from '../support/n8n/n8nProcess.mts';
import { underTest } from '../support/underTest.mts';

jest.setTimeout(180_000);

let asked: string[];
let other: Server;
let port: number;
let url: string;

/** A program that answers 200 to everything. */
beforeEach(async () => {
	asked = [];
	other = createServer(({ method, url: path }, response) => {
		asked.push(`${method} ${path}`);
		response.end('{"data":{}}');
	});
	url = await listenOnFreePort(other);
	port = Number(new URL(url).port);
});
afterEach(async () => {
	other.closeAllConnections();
	await new Promise((resolve) => other.close(resolve));
});

/** Runs a program of this repository to its end. */
async function run(program: string, env: NodeJS.ProcessEnv) {
	const child = spawn(process.execPath, ['--import', 'tsx', program], { env: { ...process.env, ...env } });
	const printed = Promise.all([text(child.stdout), text(child.stderr)]);
	const code = await new Promise((resolve) => child.once('close', resolve));
	return { code, printed: (await printed).join('') };
}

test.each([
	['test/demo/main.mts', 'SANDBOX_PORT'],
	['test/demo/main.mts', 'N8N_PORT'],
	['test/sandbox/main.mts', 'SANDBOX_PORT'],
])('%s leaves a port alone that another program uses, and names %s', async (program, variable) => {
	const free = { SANDBOX_PORT: '0', N8N_PORT: '0' };
	const { code, printed } = await run(program, { ...free, [variable]: String(port) });
	expect(printed).toBe(
		`Port ${port} is in use by another program, such as an n8n of your own. Choose another port, for example with ${variable}=${port + 1} in front of the command.\n`,
	);
	expect([code, asked]).toEqual([1, []]);
});

test('a program that takes the port while n8n starts is not taken for n8n', async () => {
	const { runtime } = underTest();
	await expect(N8nProcess.start({ runtime, port })).rejects.toThrow(/already in use/);
	expect(asked).toEqual([]);
	expect((await fetch(url)).ok).toBe(true);
});
