// Servers of the tests listen on this machine only, on a port that is free.
import { createServer, type AddressInfo, type Server } from 'node:net';

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

function portOf(server: Server): number {
	return (server.address() as AddressInfo).port;
}
