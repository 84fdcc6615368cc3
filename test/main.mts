// `npm test`: everything, from lint to a real n8n, except what needs more than a fresh machine has: a browser
// (`npm run test:browser`), PostgreSQL and Redis (`npm run test:queue`). `npm test -- unit e2e` runs only what is named; what begins with a dash is for Jest, as in `npm test -- e2e --testPathPatterns=trigger`.
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { N8n } from './support/n8n/n8n.mts';
import { packPackage } from './support/n8n/n8nProcess.mts';
import { fetchRuntime } from './support/n8n/runtime.mts';
import { endListed, LIST_OF_PROCESSES, runProgram, show } from './support/processes.mts';

const STEPS = ['lint', 'typecheck', 'unit', 'sandbox', 'integration', 'package', 'e2e'] as const;
/** What runs only when named: it needs programs that a fresh machine does not have. */
const MORE_STEPS = ['browser', 'queue'] as const;
type Step = (typeof STEPS)[number] | (typeof MORE_STEPS)[number];
const ALL_STEPS: readonly Step[] = [...STEPS, ...MORE_STEPS];

const MORE_FLAGS: Partial<Record<Step, string[]>> = {
	// Importing n8n-core starts timers that it never stops.
	integration: ['--forceExit'],
	// One n8n, one test at a time; and who waits for it sees how far it is.
	e2e: ['--runInBand', '--verbose'],
	browser: ['--runInBand', '--verbose'],
	queue: ['--runInBand', '--verbose'],
};
const NEEDS_N8N: readonly Step[] = ['e2e', 'browser', 'queue'];

const say = (line: string) => console.log(line);
const named = process.argv.slice(2).filter((word) => !word.startsWith('-'));
const forJest = process.argv.slice(2).filter((word) => word.startsWith('-'));
const unknown = named.filter((word) => !ALL_STEPS.includes(word as Step));
const chosen = named.length > 0 ? ALL_STEPS.filter((step) => named.includes(step)) : STEPS;

await runProgram(async (cleanUp) => {
	if (unknown.length > 0)
		throw new Error(`There is no ${unknown.join(', ')}: choose among ${ALL_STEPS.join(', ')}.`);
	const results = await mkdtemp(join(tmpdir(), 'sobot-results-'));
	// PostgreSQL runs as another user, and has its data in there.
	await chmod(results, 0o755);
	cleanUp(async () => await rm(results, { recursive: true, force: true, maxRetries: 5 }));
	const processes = join(results, 'processes');
	cleanUp(async () => await endListed(processes));
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
			// What Jest leaves behind when it is ended goes with the results.
			{ TMPDIR: results, [LIST_OF_PROCESSES]: processes, ...env },
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
		if (!NEEDS_N8N.includes(step)) return await jest(step);
		const runtime = await fetchRuntime(process.env.N8N_VERSION, say);
		say('Packing this package as it is published ...');
		const tarball = await packPackage();
		cleanUp(async () => await rm(dirname(tarball), { recursive: true, force: true }));
		const underTest = (more: object) => ({ N8N_UNDER_TEST: JSON.stringify({ runtime, tarball, ...more }) });
		if (step === 'queue') return await jest(step, underTest({}));
		say(`Starting n8n ${runtime.version} with the package installed; this takes about 15 seconds ...`);
		const n8n = await N8n.start({ runtime, tarball });
		cleanUp(async () => await n8n.stop());
		return await jest(step, underTest({ url: n8n.url }));
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
