// Reads the compose files of docs/examples/docker as Docker would start them. Docker Compose itself parses and checks them;
// this needs no Docker engine.
import { join } from 'node:path';
import { parse } from 'yaml';
import { run } from '../support/processes.mts';

const FOLDER = join(process.cwd(), 'docs/examples/docker');

export interface Service {
	image: string;
	/** n8n's command with its arguments */
	command: [string, ...string[]];
	environment: Record<string, string>;
}

type Written = Partial<Omit<Service, 'command'>> & { command?: string };

/**
 * The services of a file. Throws Compose's message if the file is not valid, or a required secret is missing.
 *
 * @param secrets the variables that a user sets in `.env`
 */
export async function readCompose(
	file: string,
	secrets: Record<string, string>,
): Promise<Record<string, Service>> {
	const [command = '', ...args] = await composeCommand();
	const printed = await run(command, [...args, '--file', join(FOLDER, file), 'config'], FOLDER, secrets);
	const { services } = parse(printed) as { services: Record<string, Written> };
	return Object.fromEntries(Object.entries(services).map(([name, written]) => [name, serviceOf(written)]));
}

function serviceOf({ image = '', command = 'start', environment = {} }: Written): Service {
	return { image, command: command.split(' ') as Service['command'], environment };
}

/** Debian ships Docker Compose as a program of its own, Docker as a subcommand. */
async function composeCommand(): Promise<string[]> {
	for (const words of [['docker-compose'], ['docker', 'compose']]) {
		const [command = '', ...args] = words;
		if (await run(command, [...args, 'version']).catch(() => undefined)) return words;
	}
	throw new Error('Docker Compose is missing. The queue tests need it: apt-get install docker-compose');
}
