// Compiles TypeScript for Jest. ts-jest leaves `.mts` files ES modules, which Jest cannot load on Node 20.
const { transformSync } = require('esbuild');

module.exports = {
	process: (source, sourcefile) =>
		transformSync(source, {
			loader: 'ts',
			format: 'cjs',
			target: 'node20',
			sourcefile,
			sourcemap: 'inline',
		}),
};
