// This package as if it were published: n8n's own installer runs, with the commands and flags of the version under test,
// and finds the packed package where it looks for the one on npm. n8n cannot be pointed at a registry of one's own: that
// takes a licence.
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { run } from '../processes.mts';

export const PACKAGE = 'n8n-nodes-sobot';

export interface Published {
	/** the versions that can be installed, the oldest first */
	versions: string[];
	/** what n8n needs to find them */
	env: NodeJS.ProcessEnv;
	/** what npm was asked for so far */
	commands: () => Promise<string[]>;
	remove: () => Promise<void>;
}

/** Publishes the packed package, and the same once more under a higher version, for updates. */
export async function publish(tarball: string): Promise<Published> {
	const folder = await mkdtemp(join(tmpdir(), 'sobot-published-'));
	const [current, next] = [join(folder, 'current'), join(folder, 'next')];
	for (const one of [current, next]) {
		await mkdir(one);
		await run('tar', ['-xzf', tarball, '-C', one, '--strip-components=1']);
	}
	await run('npm', ['version', 'patch', '--no-git-tag-version'], next);
	const versions = await Promise.all(
		[current, next].map(async (one) => {
			const { version } = JSON.parse(await readFile(join(one, 'package.json'), 'utf8')) as Version;
			return version;
		}),
	);
	const log = join(folder, 'commands');
	await writeFile(log, '');
	const bin = join(folder, 'bin');
	await mkdir(bin);
	const npm = (await run('which', ['npm'])).trim();
	await writeFile(join(bin, 'npm'), script({ npm, log, current, next, newest: versions.at(-1) ?? '' }));
	await chmod(join(bin, 'npm'), 0o755);
	return {
		versions,
		env: { PATH: bin + delimiter + process.env.PATH },
		commands: async () => (await readFile(log, 'utf8')).trim().split('\n'),
		remove: async () => await rm(folder, { recursive: true, force: true }),
	};
}

interface Version {
	version: string;
}

/** Stands before the real npm, and answers for our package what npm would answer for a published one. */
function script({ npm, log, current, next, newest }: Record<string, string>): string {
	return `#!/bin/sh
echo "$*" >> '${log}'
case "$2" in *@${newest}) folder='${next}' ;; *) folder='${current}' ;; esac
case "$1 $2" in
	"view ${PACKAGE}@"*) sed -n 's/.*"version": \\("[^"]*"\\).*/\\1/p' "$folder/package.json" ;;
	"pack ${PACKAGE}@"*) shift 2; exec '${npm}' pack "$folder" "$@" ;;
	"outdated --json") echo '{}' ;;
	*) exec '${npm}' "$@" ;;
esac
`;
}
