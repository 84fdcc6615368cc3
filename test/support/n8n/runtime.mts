// A real n8n, fetched once: its npm packages and its Node.js, in a cache folder keyed by its lock file.
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../processes.mts';
import { isFulfilled } from '../until.mts';
import { publishedSince } from './releases.mts';

export interface Runtime {
	version: string;
	/** the Node.js that runs it */
	node: string;
	/** n8n's command, to be run by that Node.js */
	n8n: string;
}

export type Say = (line: string) => void;

/** the newest supported n8n */
export const DEFAULT_N8N = '2.41.1';
/** the oldest */
export const OLDEST_N8N = '1.123.81';

/** stands for the newest that npm can install, supported or not */
export const NEWEST_N8N = 'newest';

/**
 * A lock file for each version. A date (`npm install --before`) would do without, but npm then takes 4 minutes to choose the
 * packages of a version, and chooses by what its registry holds: tried on 2026-11-30, 271 of 2,294 were others.
 */
const RECIPES = join(process.cwd(), 'test/support/n8n');

const DOWNLOAD_TRIES = 3;

/**
 * The n8n of a version, installed on first use (some minutes, 3 GB) and then found in the cache. An interrupted
 * installation starts over the next time, with the packages that are in npm's own cache already.
 */
export async function fetchRuntime(version = DEFAULT_N8N, say: Say = console.log): Promise<Runtime> {
	if (version === NEWEST_N8N) return await fetchNewest(say);
	return await install(version, join(RECIPES, version), say);
}

/** The newest release that npm can install. For one that is not in this repository, npm chooses the packages anew. */
async function fetchNewest(say: Say): Promise<Runtime> {
	for (const version of await publishedSince(DEFAULT_N8N)) {
		if (version === DEFAULT_N8N) break;
		const recipe = join(cacheFolder(), `recipe-${version}`);
		try {
			if (!(await exists(recipe))) await writeRecipe(version, recipe, say);
			return await install(version, recipe, say);
		} catch (error) {
			say(`n8n ${version} cannot be installed: ${String(error).slice(-1000)}`);
		}
	}
	say(`No n8n later than ${DEFAULT_N8N} can be installed.`);
	return await fetchRuntime(DEFAULT_N8N, say);
}

/** Has npm resolve the packages of a version. */
async function writeRecipe(version: string, folder: string, say: Say): Promise<void> {
	const known = await readFile(join(RECIPES, DEFAULT_N8N, 'package.json'), 'utf8');
	const partial = await partialFolder();
	await mkdir(partial);
	await writeFile(join(partial, 'package.json'), known.replace(DEFAULT_N8N, version));
	const choose = ['install', '--package-lock-only', '--ignore-scripts', '--no-audit'];
	try {
		await step(say, `n8n ${version}: choosing its packages`, async () => await run('npm', choose, partial));
		await rename(partial, folder);
	} finally {
		await rm(partial, { recursive: true, force: true });
	}
}

async function install(version: string, recipe: string, say: Say): Promise<Runtime> {
	const key = createHash('sha256')
		.update(await readFile(join(recipe, 'package-lock.json')))
		.update(await readFile(join(recipe, 'package.json')))
		.digest('hex')
		.slice(0, 12);
	const folder = join(cacheFolder(), `n8n-${version}-${process.platform}-${process.arch}-${key}`);
	if (await exists(folder)) {
		say(`n8n ${version}: found in ${folder}`);
		return await runtimeIn(folder, version);
	}

	const partial = await partialFolder();
	await cp(recipe, partial, { recursive: true });

	say(`n8n ${version}: installing into ${folder}; this happens once and takes about 5 minutes`);
	await step(
		say,
		`n8n ${version}: 1 of 3, downloading 2,300 packages (3 GB)`,
		async () => await download(partial, say),
	);
	const runtime = await runtimeIn(partial, version);
	const nodeFolder = join(runtime.node, '../..');
	await step(
		say,
		`n8n ${version}: 2 of 3, compiling its SQLite driver`,
		async () =>
			await run('npm', ['rebuild', 'sqlite3', '--ignore-scripts=false'], partial, {
				PATH: `${join(nodeFolder, 'bin')}:${process.env.PATH}`,
				npm_config_nodedir: nodeFolder,
			}),
	);
	await step(say, `n8n ${version}: 3 of 3, starting it for its version`, async () => {
		const printed = await run(runtime.node, [runtime.n8n, '--version'], partial, {
			N8N_USER_FOLDER: join(partial, 'version-check'),
		});
		if (!printed.includes(version)) throw new Error(`It says "${printed.trim()}" instead of ${version}.`);
	});
	// Only a complete installation gets the final name.
	if (await exists(folder)) await rm(partial, { recursive: true, force: true });
	else await rename(partial, folder);
	return await runtimeIn(folder, version);
}

const cacheFolder = () => join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'n8n-nodes-sobot');

/** A name in the cache for a folder of this run. */
async function partialFolder(): Promise<string> {
	const cache = cacheFolder();
	await mkdir(cache, { recursive: true });
	await removeLeftovers(cache);
	const partial = join(cache, `partial-${process.pid}`);
	await rm(partial, { recursive: true, force: true });
	return partial;
}

async function download(folder: string, say: Say): Promise<void> {
	for (let attempt = 1; ; attempt++) {
		try {
			// Not `npm ci`: it refuses the lock file over packages for other platforms that no registry can resolve. With the
			// lock file beside it, `npm install` takes the same versions.
			await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], folder);
			return;
		} catch (error) {
			if (attempt === DOWNLOAD_TRIES) throw error;
			say(`  that failed; trying again (${attempt + 1} of ${DOWNLOAD_TRIES})`);
			await sleep(5000);
		}
	}
}

async function runtimeIn(folder: string, version: string): Promise<Runtime> {
	const modules = join(folder, 'node_modules');
	for (const name of await readdir(modules)) {
		const node = join(modules, name, 'bin/node');
		if (/^node-(bin-)?(linux|darwin)-/.test(name) && (await exists(node))) {
			return { version, node, n8n: join(modules, 'n8n/bin/n8n') };
		}
	}
	throw new Error(
		`There is no Node.js 24 for ${process.platform} ${process.arch} among the packages of test/support/n8n.`,
	);
}

/** Folders of interrupted runs. */
async function removeLeftovers(cache: string): Promise<void> {
	for (const name of await readdir(cache)) {
		const pid = Number(/^partial-(\d+)$/.exec(name)?.[1]);
		if (pid && !isRunning(pid)) await rm(join(cache, name), { recursive: true, force: true });
	}
}

function isRunning(pid: number): boolean {
	try {
		return process.kill(pid, 0);
	} catch {
		return false;
	}
}

async function step(say: Say, what: string, work: () => Promise<unknown>): Promise<void> {
	const startedMs = Date.now();
	say(`${what} ...`);
	const ticking = setInterval(() => say(`  still at it, ${seconds(startedMs)} s`), 30_000);
	try {
		await work();
	} finally {
		clearInterval(ticking);
	}
	say(`  done in ${seconds(startedMs)} s`);
}

function seconds(sinceMs: number): number {
	return Math.round((Date.now() - sinceMs) / 1000);
}

async function exists(path: string): Promise<boolean> {
	return await isFulfilled(stat(path));
}
