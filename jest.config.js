// Kinds of tests, told apart by what is real in them: nothing but our code (unit), n8n-core's execution (integration), a
// whole n8n (e2e), n8n's editor in a browser (browser), n8n in queue mode over PostgreSQL and Redis (queue), the tarball
// (package). The sandbox stands for Sobot.
const kind = (name) => ({
	displayName: name,
	testMatch: [`<rootDir>/test/${name}/**/*.test.mts`],
	testEnvironment: 'node',
	// Not in the temporary folder, which each run has to itself.
	cacheDirectory: '<rootDir>/node_modules/.cache/jest',
	moduleFileExtensions: ['ts', 'mts', 'js', 'json', 'node'],
	transform: {
		'\\.m?ts$': '<rootDir>/test/transform.cjs',
	},
});

module.exports = {
	projects: ['unit', 'sandbox', 'integration', 'package', 'e2e', 'browser', 'queue'].map(kind),
};
