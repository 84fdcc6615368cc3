// `npm test`: everything, from lint to a real n8n. `npm test -- unit e2e` runs only what is named; what begins with a
// dash is for Jest, as in `npm test -- e2e --testPathPatterns=trigger`.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { N8n, packPackage } from './n8n/n8n.mts';
import { fetchRuntime } from './n8n/runtime.mts';
import { runProgram, show } from './processes.mts';

const STEPS = ['lint', 'typecheck', 'unit', 'sandbox', 'integration', 'e2e'] as const;
type Step = (typeof STEPS)[number];

const MORE_FLAGS: Partial<Record<Step, string[]>> = {
	// Importing n8n-core starts timers that it never stops.
	integration: ['--forceExit'],
	// One n8n, one test at a time; and who waits for it sees how far it is.
	e2e: ['--runInBand', '--verbose'],
};

const say = (line: string) => console.log(line);
const named = process.argv.slice(2).filter((word) => !word.startsWith('-'));
const forJest = process.argv.slice(2).filter((word) => word.startsWith('-'));
const unknown = named.filter((word) => !STEPS.includes(word as Step));
const chosen = named.length > 0 ? STEPS.filter((step) => named.includes(step)) : STEPS;

await runProgram(async (cleanUp) => {
	if (unknown.length > 0)
		throw new Error(`There is no ${unknown.join(', ')}: choose among ${STEPS.join(', ')}.`);
	const results = await mkdtemp(join(tmpdir(), 'sobot-results-'));
	cleanUp(async () => await rm(results, { recursive: true, force: true }));
	const failedSteps: Step[] = [];
	let passed = 0;
	let failed = 0;

	/** Runs Jest on one kind of tests. A test that was skipped counts as failed: it has shown nothing. */
	const jest = async (kind: Step, env: NodeJS.ProcessEnv = {}): Promise<boolean> => {
		const outputFile = join(results, `${kind}.json`);
		const code = await show(
			join('node_modules', '.bin', 'jest'),
			[
				'--selectProjects',
				kind,
				'--json',
				'--outputFile',
				outputFile,
				...(MORE_FLAGS[kind] ?? []),
				...forJest,
			],
			env,
		);
		const { numPassedTests, numTotalTests } = JSON.parse(await readFile(outputFile, 'utf8')) as Record<
			string,
			number
		>;
		passed += numPassedTests ?? 0;
		failed += (numTotalTests ?? 0) - (numPassedTests ?? 0);
		return code === 0 && numPassedTests === numTotalTests && numPassedTests !== 0;
	};

	const run = async (step: Step): Promise<boolean> => {
		if (step === 'lint' || step === 'typecheck') return (await show('npm', ['run', '--silent', step])) === 0;
		if (step !== 'e2e') return await jest(step);
		const runtime = await fetchRuntime(process.env.N8N_VERSION, say);
		say('Packing this package as it is published ...');
		const tarball = await packPackage();
		cleanUp(async () => await rm(dirname(tarball), { recursive: true, force: true }));
		say(`Starting n8n ${runtime.version} with the package installed; this takes about 15 seconds ...`);
		const n8n = await N8n.start({ runtime, tarball });
		cleanUp(async () => await n8n.stop());
		return await jest('e2e', { N8N_UNDER_TEST: JSON.stringify({ url: n8n.url, runtime, tarball }) });
	};

	for (const [index, step] of chosen.entries()) {
		say(`\n=== ${step} (${index + 1} of ${chosen.length})`);
		const startedMs = Date.now();
		const isRight = await run(step);
		if (!isRight) failedSteps.push(step);
		say(`=== ${step}: ${isRight ? 'passed' : 'FAILED'} in ${Math.round((Date.now() - startedMs) / 1000)} s`);
	}
	if (failedSteps.length > 0) say(`\nFailed: ${failedSteps.join(', ')}`);
	say(`\n${passed} passed, ${failed} failed`);
	return failedSteps.length === 0 ? 0 : 1;
});
