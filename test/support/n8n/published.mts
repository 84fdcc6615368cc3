// This package as if it were published: n8n's own installer runs, with the commands and flags of the version under test,
// and finds the packed package where it looks for the one on npm. n8n cannot be pointed at a registry of one's own: that
// takes a licence.
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { run } from '../processes.mts';

export const PACKAGE = 'n8n-nodes-sobot';

export interface Published {
	/** the version of the tarball */
	version: string;
	/** the same package once more under a higher version, for updates */
	newer: string;
	/** what a process needs so that its npm finds them */
	env: NodeJS.ProcessEnv;
	/** what npm was asked for so far */
	commands: () => Promise<string[]>;
	remove: () => Promise<void>;
}

/** Publishes a packed package. */
export async function publish(tarball: string): Promise<Published> {
	const folder = await mkdtemp(join(tmpdir(), 'sobot-published-'));
	await run('tar', ['-xzf', tarball, '-C', folder]);
	const unpacked = join(folder, 'package');
	const { version } = JSON.parse(await readFile(join(unpacked, 'package.json'), 'utf8')) as Version;
	const newer = (await run('npm', ['version', 'patch', '--no-git-tag-version'], unpacked)).trim().slice(1);
	await run('npm', ['pack', '--pack-destination', folder], unpacked);
	const log = join(folder, 'commands');
	await writeFile(log, '');
	const bin = join(folder, 'bin');
	await mkdir(bin);
	const npm = (await run('which', ['npm'])).trim();
	const newerTarball = join(folder, `${PACKAGE}-${newer}.tgz`);
	await writeFile(join(bin, 'npm'), script({ npm, log, version, tarball, newer, newerTarball }));
	await chmod(join(bin, 'npm'), 0o755);
	return {
		version,
		newer,
		env: { PATH: bin + delimiter + process.env.PATH },
		commands: async () => (await readFile(log, 'utf8')).trim().split('\n'),
		remove: async () => await rm(folder, { recursive: true, force: true }),
	};
}

interface Version {
	version: string;
}

/** Stands before the real npm, and puts a tarball where our package's name is. */
function script({ npm, log, version, tarball, newer, newerTarball }: Record<string, string>): string {
	return `#!/bin/sh
echo "$*" >> '${log}'
case "$1 $2" in
	"view ${PACKAGE}@${version}") echo '"${version}"'; exit ;;
	"view ${PACKAGE}@"*) echo '"${newer}"'; exit ;;
	"outdated --json") echo '{}'; exit ;;
	pack* | install*)
		for word; do
			shift
			case "$word" in
				${PACKAGE} | ${PACKAGE}@${version}) word='${tarball}' ;;
				${PACKAGE}@${newer} | ${PACKAGE}@latest) word='${newerTarball}' ;;
			esac
			set -- "$@" "$word"
		done ;;
esac
exec '${npm}' "$@"
`;
}
