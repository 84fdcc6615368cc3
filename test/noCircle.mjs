// Lint rule: no file imports itself through others, not even types, which eslint-plugin-import-x leaves out.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';

const IMPORT = /\bfrom '(\.[^']+)'/g;

/** The files that a file imports by a relative path. */
const importsOf = (file) =>
	[...readFileSync(file, 'utf8').matchAll(IMPORT)]
		.map(([, path]) => `${resolve(dirname(file), path)}.ts`)
		.filter((path) => existsSync(path));

/** The shortest way from a file back to itself; undefined if there is none. */
function circleOf(file) {
	const ways = [[file]];
	const seen = new Set();
	for (const way of ways) {
		for (const next of importsOf(way.at(-1))) {
			if (next === file) return [...way, file];
			if (!seen.has(next)) ways.push([...way, next]);
			seen.add(next);
		}
	}
	return undefined;
}

export default {
	create: ({ filename, report }) => ({
		Program(node) {
			const circle = circleOf(filename)?.map((file) => relative('.', file));
			if (circle) report({ node, message: `Imports in a circle: ${circle.join(' → ')}` });
		},
	}),
};
