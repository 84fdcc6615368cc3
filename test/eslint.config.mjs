// Lints tests and tools, with the types known, and keeps the functions of nodes and credentials short and their imports
// without a circle. n8n's own lint, whose rules are for code that runs inside n8n, looks at `.ts` files only. Both use the
// typescript-eslint of n8n's command-line tool.
import { createRequire } from 'node:module';
import noCircle from './noCircle.mjs';

const require = createRequire(import.meta.resolve('@n8n/node-cli/eslint'));
const { parser, plugin } = require('typescript-eslint');

export default [
	{
		files: ['**/*.mts'],
		languageOptions: {
			parser,
			parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname },
		},
		linterOptions: { reportUnusedDisableDirectives: 'error' },
		plugins: { '@typescript-eslint': plugin },
		rules: {
			'@typescript-eslint/await-thenable': 'error',
			'@typescript-eslint/no-explicit-any': 'error',
			'@typescript-eslint/no-floating-promises': 'error',
			'@typescript-eslint/no-for-in-array': 'error',
			'@typescript-eslint/no-implied-eval': 'error',
			'@typescript-eslint/no-misused-promises': 'error',
			'@typescript-eslint/no-misused-spread': 'error',
			'@typescript-eslint/no-redundant-type-constituents': 'error',
			'@typescript-eslint/no-unnecessary-type-assertion': 'error',
			'@typescript-eslint/no-unsafe-argument': 'error',
			'@typescript-eslint/no-unsafe-assignment': 'error',
			'@typescript-eslint/no-unsafe-call': 'error',
			'@typescript-eslint/no-unsafe-member-access': 'error',
			'@typescript-eslint/no-unsafe-return': 'error',
			'@typescript-eslint/no-unused-expressions': 'error',
			'@typescript-eslint/no-unused-vars': [
				'error',
				{ argsIgnorePattern: '^_', varsIgnorePattern: '^_', destructuredArrayIgnorePattern: '^_' },
			],
			'@typescript-eslint/only-throw-error': 'error',
			'@typescript-eslint/prefer-promise-reject-errors': 'error',
			'@typescript-eslint/require-await': 'error',
			'@typescript-eslint/return-await': ['error', 'always'],
			'@typescript-eslint/restrict-plus-operands': 'error',
			'@typescript-eslint/switch-exhaustiveness-check': 'error',
		},
	},
	{
		// Doubles of asynchronous functions are asynchronous too, though they have nothing to wait for.
		files: ['test/unit/**', 'test/integration/**'],
		rules: { '@typescript-eslint/require-await': 'off' },
	},
	{
		files: ['{nodes,credentials}/**/*.ts'],
		languageOptions: { parser },
		linterOptions: { noInlineConfig: true },
		plugins: { imports: { rules: { 'no-circle': noCircle } } },
		rules: { 'imports/no-circle': 'error', 'max-lines-per-function': ['error', 50] },
	},
];
