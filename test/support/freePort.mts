// Servers of the tests listen on this machine only, on a port that is free.
import { connect, createServer, type AddressInfo, type Server } from 'node:net';

/** Lets a server listen on a free port. Returns its URL, if it speaks HTTP. */
export async function listenOnFreePort(server: Server): Promise<string> {
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	return `http://127.0.0.1:${portOf(server)}`;
}

/** A port that is free at this moment, for another program to listen on. */
export async function freePort(): Promise<number> {
	const server = createServer();
	await listenOnFreePort(server);
	const port = portOf(server);
	await new Promise((resolve) => server.close(resolve));
	return port;
}

/** The port that a user has chosen with a variable of the environment. Throws if another program uses it. */
export async function chosenPort(variable: string, standard: number): Promise<number> {
	const port = Number(process.env[variable] || standard);
	if (!Number.isInteger(port) || port < 0 || port > 65_535)
		throw new Error(
			`${variable} is not a port: choose a whole number from 1 to 65535, or 0 for any that is free.`,
		);
	// Docker may forward a port on which no program of this machine listens.
	if (!(await isAnswering(port)) && (await canListen(port))) return port;
	throw new Error(
		`Port ${port} is in use by another program, such as an n8n of your own. Choose another port, for example with ${variable}=${port + 1} in front of the command.`,
	);
}

async function isAnswering(port: number): Promise<boolean> {
	const socket = connect(port, '127.0.0.1');
	return await new Promise<boolean>((resolve) => {
		socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
	}).finally(() => socket.destroy());
}

async function canListen(port: number): Promise<boolean> {
	const server = createServer();
	return await new Promise<boolean>((resolve) => {
		server.once('error', () => resolve(false));
		server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
	});
}

function portOf(server: Server): number {
	return (server.address() as AddressInfo).port;
}
