// Kinds of tests, told apart by what is real in them: nothing but our code (unit), n8n-core's execution (integration), a
// whole n8n (e2e), n8n on its Engine 2.0 over PostgreSQL (engine2), n8n's editor in a browser (browser), n8n in queue mode
// over PostgreSQL and Redis (queue), the tarball (package). The local Sobot stands in for Sobot, and has tests of its own
// (sandbox).
const kind = (name, { files = `${name}/**/*`, ...more } = {}) => ({
	displayName: name,
	testMatch: [`<rootDir>/test/${files}.test.mts`],
	testEnvironment: '<rootDir>/test/environment.cjs',
	// Not in the temporary folder, which each run has to itself.
	cacheDirectory: '<rootDir>/node_modules/.cache/jest',
	moduleFileExtensions: ['ts', 'mts', 'js', 'json', 'node'],
	transform: {
		'\\.m?ts$': '<rootDir>/test/transform.cjs',
	},
	...more,
});

const n8n = {
	globalSetup: '<rootDir>/test/support/n8n/setup.cjs',
	globalTeardown: '<rootDir>/test/support/n8n/teardown.cjs',
};
const alone = { runner: '<rootDir>/test/alone.cjs' };

module.exports = {
	// Each may have a whole n8n. What is measured for the documents is measured undisturbed.
	maxWorkers: process.env.WRITE_FIGURES ? 1 : 2,
	projects: [
		...['unit', 'sandbox', 'integration', 'package'].map((name) => kind(name)),
		kind('e2e', n8n),
		kind('engine2', { ...n8n, ...alone }),
		kind('browser', { ...n8n, ...alone }),
		kind('queue', { ...n8n, files: 'queue/!(together)' }),
		// It measures rates, so it has the machine to itself.
		kind('queue-alone', { ...n8n, ...alone, files: 'queue/together' }),
	],
};
