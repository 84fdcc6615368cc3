// The compose files of docs/examples/docker, as Docker would start them: read and checked by Docker Compose itself, which
// needs no engine for it.
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
 * The services of a file. Throws with Compose's words if they are not well formed, or need a secret that is missing.
 *
 * @param secrets what the file's reader puts into `.env`
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

/** Debian has it as a program, Docker as a part of its own. */
async function composeCommand(): Promise<string[]> {
	for (const words of [['docker-compose'], ['docker', 'compose']]) {
		const [command = '', ...args] = words;
		if (await run(command, [...args, 'version']).catch(() => undefined)) return words;
	}
	throw new Error('Docker Compose is missing. The queue tests need it: apt-get install docker-compose');
}
