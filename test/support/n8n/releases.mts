// The releases of n8n on npm. Not every one can be installed: some need packages that were never published.
import { run } from '../processes.mts';

/** The releases of n8n since `oldest`, the newest first. */
export async function publishedSince(oldest: string): Promise<string[]> {
	const versions = JSON.parse(await run('npm', ['view', 'n8n', 'versions', '--json'])) as string[];
	return releasesSince(oldest, versions);
}

/** Those of some versions that are releases since `oldest`, the newest first. */
export function releasesSince(oldest: string, versions: readonly string[]): string[] {
	return versions
		.filter((version) => /^\d+\.\d+\.\d+$/.test(version) && compare(version, oldest) >= 0)
		.sort((a, b) => compare(b, a));
}

function compare(a: string, b: string): number {
	const [left = [], right = []] = [a, b].map((version) => version.split('.').map(Number));
	const at = left.findIndex((number, index) => number !== right[index]);
	return (left[at] ?? 0) - (right[at] ?? 0);
}
