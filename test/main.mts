// `npm test`: the steps that need nothing but `npm ci`, from lint to the packed package. `npm test -- unit e2e` runs the
// named steps, `npm test -- all` every step. Flags are passed to Jest: `npm test -- e2e --testPathPatterns=trigger`.
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OLDEST_N8N } from './support/n8n/runtime.mts';
import { runProgram, show } from './support/processes.mts';

/** All steps in the order of their run; those of one row run together. Without a name, the steps of FAST_ROWS run. */
const ROWS = [
	['lint', 'typecheck'],
	['unit', 'sandbox', 'integration', 'package'],
	['demo'],
	['e2e'],
	['compat'],
	['engine2'],
	['browser'],
	['queue'],
];
const FAST_ROWS = ROWS.slice(0, 2);

/** Steps that are no tests of Jest's: what `npm run` runs. */
const SCRIPTS: Record<string, string[]> = {
	lint: ['lint'],
	typecheck: ['typecheck'],
	demo: ['demo', '--', '--check'],
};

/** Steps whose Jest projects have other names. */
const PROJECTS: Record<string, string[]> = { compat: ['e2e'], queue: ['queue', 'queue-alone'] };

/** Tests so far. One that was skipped counts as failed: it has shown nothing. */
const tests = { passed: 0, failed: 0 };

async function jest(steps: readonly string[], flags: readonly string[]): Promise<boolean> {
	const outputFile = join(tmpdir(), 'results.json');
	await rm(outputFile, { force: true });
	// Fast tests partly wait, so three files run on two cores. Others take minutes, so each is shown as it passes.
	const more = FAST_ROWS.flat().includes(steps[0] ?? '') ? ['--maxWorkers=3'] : ['--verbose'];
	const projects = steps.flatMap((step) => PROJECTS[step] ?? [step]);
	const code = await show(
		join('node_modules', '.bin', 'jest'),
		['--selectProjects', ...projects, '--json', '--outputFile', outputFile, ...more, ...flags],
		steps.includes('compat') ? { N8N_VERSION: OLDEST_N8N } : {},
	);
	const { numPassedTests: passed = 0, numTotalTests: total = 0 } = JSON.parse(
		await readFile(outputFile, 'utf8'),
	) as Record<string, number>;
	tests.passed += passed;
	tests.failed += total - passed;
	return code === 0 && passed === total && passed > 0;
}

async function runSteps(steps: readonly string[], flags: readonly string[]): Promise<boolean> {
	const scripts = steps.flatMap((step) => (SCRIPTS[step] ? [SCRIPTS[step]] : []));
	if (scripts.length === 0) return await jest(steps, flags);
	const codes = scripts.map(async (words) => await show('npm', ['run', '--silent', ...words]));
	return (await Promise.all(codes)).every((code) => code === 0);
}

await runProgram(async () => {
	const words = process.argv.slice(2);
	const named = words.filter((word) => !word.startsWith('-'));
	const flags = words.filter((word) => word.startsWith('-'));
	const names = [...ROWS.flat(), 'all'];
	const unknown = named.filter((name) => !names.includes(name));
	if (unknown.length > 0)
		throw new Error(`There is no ${unknown.join(', ')}: choose among ${names.join(', ')}.`);
	const chosen = named.length === 0 ? FAST_ROWS.flat() : named.includes('all') ? names : named;
	const rows = ROWS.map((row) => row.filter((step) => chosen.includes(step))).filter(({ length }) => length);

	const times = [['step', 'result', 'seconds']];
	for (const [index, steps] of rows.entries()) {
		const step = steps.join(', ');
		console.log(`\n=== ${step} (${index + 1} of ${rows.length})`);
		const startedMs = Date.now();
		const result = (await runSteps(steps, flags)) ? 'passed' : 'FAILED';
		const seconds = Math.round((Date.now() - startedMs) / 1000);
		times.push([step, result, String(seconds)]);
		console.log(`=== ${step}: ${result} in ${seconds} s`);
	}
	const total = times.reduce((sum, [, , seconds]) => sum + (Number(seconds) || 0), 0);
	for (const [step = '', result = '', seconds = ''] of [...times, ['all', '', String(total)]])
		console.log(step.padEnd(36) + result.padEnd(10) + seconds.padStart(7));
	console.log(`\n${tests.passed} passed, ${tests.failed} failed`);
	return times.some(([, result]) => result === 'FAILED') ? 1 : 0;
});
