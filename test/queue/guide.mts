// Reads the commands and settings from docs/scaling.md, so that the tests run exactly what the document says.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Guide {
	/** the environment of every process */
	env: Record<string, string>;
	/** all other commands, in order */
	commands: string[];
	/** n8n's arguments for a kind of process */
	process: (kind: 'start' | 'webhook' | 'worker') => [string, ...string[]];
}

export async function readGuide(): Promise<Guide> {
	const text = await readFile(join(process.cwd(), 'docs/scaling.md'), 'utf8');
	const lines = [...text.matchAll(/```sh\n(.*?)```/gs)].flatMap(([, block = '']) => block.trim().split('\n'));
	const settings = lines.flatMap((line) => {
		const [, name, value] = /^export (\w+)=(\S*)/.exec(line) ?? [];
		return name === undefined ? [] : [[name, value ?? '']];
	});
	const commands = lines.filter((line) => line !== '' && !line.startsWith('export '));
	return {
		env: Object.fromEntries(settings) as Record<string, string>,
		commands,
		process: (kind) => {
			const command = commands.find((line) => line.startsWith(`n8n ${kind}`));
			if (!command) throw new Error(`docs/scaling.md does not start n8n ${kind}.`);
			const [, ...args] = command.split(' ');
			return args as [string, ...string[]];
		},
	};
}
