// Three kinds of tests, told apart by what is real in them: nothing but our code (unit), n8n-core's execution
// (integration), a whole n8n (e2e). The sandbox stands for Sobot in the last two.
const kind = (name) => ({
	displayName: name,
	testMatch: [`<rootDir>/test/${name}/**/*.test.mts`],
	testEnvironment: 'node',
	moduleFileExtensions: ['ts', 'mts', 'js', 'json', 'node'],
	transform: {
		'\\.m?ts$': '<rootDir>/test/transform.cjs',
	},
});

module.exports = {
	projects: [kind('unit'), kind('sandbox'), kind('integration'), kind('e2e')],
};
