// Kinds of tests, told apart by what is real in them: nothing but our code (unit), n8n-core's execution (integration), a
// whole n8n (e2e), n8n's editor in a browser (browser), n8n in queue mode over PostgreSQL and Redis (queue), the tarball
// (package). The local Sobot stands in for Sobot, and has tests of its own (sandbox).
const kind = (name, files = `${name}/**/*`) => ({
	displayName: name,
	testMatch: [`<rootDir>/test/${files}.test.mts`],
	testEnvironment: 'node',
	// Not in the temporary folder, which each run has to itself.
	cacheDirectory: '<rootDir>/node_modules/.cache/jest',
	moduleFileExtensions: ['ts', 'mts', 'js', 'json', 'node'],
	transform: {
		'\\.m?ts$': '<rootDir>/test/transform.cjs',
	},
});

module.exports = {
	projects: [
		...['unit', 'sandbox', 'integration', 'package', 'e2e', 'browser'].map((name) => kind(name)),
		kind('queue', 'queue/!(together)'),
		// It measures rates, so it has the machine to itself.
		kind('queue-alone', 'queue/together'),
	],
};
