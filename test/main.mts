// `npm test`: the steps that need nothing but `npm ci`, from lint to the packed package. `npm test -- unit e2e` runs the
// named steps, `npm test -- all` every step. Flags are passed to Jest: `npm test -- e2e --testPathPatterns=trigger`.
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { WRITES_FIGURES } from './support/figures.mts';
import { N8n } from './support/n8n/n8n.mts';
import { packPackage } from './support/n8n/n8nProcess.mts';
import { fetchRuntime, OLDEST_N8N } from './support/n8n/runtime.mts';
import { endListed, LIST_OF_PROCESSES, runProgram, show, type CleanUp } from './support/processes.mts';

/** The steps that a change should pass between two edits. */
const FAST_STEPS = ['lint', 'typecheck', 'unit', 'sandbox', 'integration', 'package'] as const;
/** The steps that run a real n8n. `browser` and `queue` also need programs that a fresh machine does not have. */
const SLOW_STEPS = ['demo', 'e2e', 'compat', 'browser', 'queue'] as const;
type Step = (typeof FAST_STEPS)[number] | (typeof SLOW_STEPS)[number];
const ALL_STEPS: readonly Step[] = [...FAST_STEPS, ...SLOW_STEPS];

/** These need no n8n, so one run of Jest does all of them. */
const KINDS_WITHOUT_N8N = ['unit', 'sandbox', 'integration', 'package'] as const;
type KindWithoutN8n = (typeof KINDS_WITHOUT_N8N)[number];
const isWithoutN8n = (step: Step): step is KindWithoutN8n =>
	(KINDS_WITHOUT_N8N as readonly Step[]).includes(step);

const TWO_FILES_AT_A_TIME = '--maxWorkers=2';
// Each test is shown as it passes, for they take minutes.
const ONE_BY_ONE = ['--runInBand', '--verbose'];
const ANY_NUMBER = '--passWithNoTests';
// These tests mostly wait. Each of Jest's two processes has its own n8n: n8n 1 mixes up the database transactions of
// concurrent requests.
const TWO_BY_TWO = [TWO_FILES_AT_A_TIME, '--verbose'];
const MORE_FLAGS: Partial<Record<Step, string[]>> = {
	e2e: TWO_BY_TWO,
	compat: TWO_BY_TWO,
	browser: ONE_BY_ONE,
};

interface StepResult {
	step: string;
	passed: boolean;
	seconds: number;
}

const say = (line: string) => console.log(line);

/** The steps of one run, and how many tests of them passed. */
class Run {
	passedTests = 0;
	failedTests = 0;
	private packed?: Promise<string>;

	private constructor(
		private readonly cleanUp: CleanUp,
		/** a temporary folder for everything that this run leaves behind */
		private readonly folder: string,
		private readonly forJest: readonly string[],
	) {}

	static async begin(cleanUp: CleanUp, forJest: readonly string[]): Promise<Run> {
		const folder = await mkdtemp(join(tmpdir(), 'sobot-results-'));
		// PostgreSQL runs as another user, and has its data in there.
		await chmod(folder, 0o755);
		cleanUp(async () => await rm(folder, { recursive: true, force: true, maxRetries: 5 }));
		const run = new Run(cleanUp, folder, forJest);
		cleanUp(async () => await endListed(run.processes));
		return run;
	}

	/** @param steps one, or several that run together */
	async step(steps: readonly Step[]): Promise<StepResult> {
		const startedMs = Date.now();
		const kinds = steps.filter(isWithoutN8n);
		const others = steps.filter((step): step is Exclude<Step, KindWithoutN8n> => !isWithoutN8n(step));
		const passed =
			kinds.length > 0
				? // Some of these tests mostly wait, so three files run on two cores. Importing n8n-core starts timers that
					// never stop.
					await this.jest(kinds, ['--maxWorkers=3', '--forceExit'])
				: (await Promise.all(others.map(async (step) => await this.isPassed(step)))).every(Boolean);
		return { step: steps.join(', '), passed, seconds: Math.round((Date.now() - startedMs) / 1000) };
	}

	private get processes(): string {
		return join(this.folder, 'processes');
	}

	private async isPassed(step: Exclude<Step, KindWithoutN8n>): Promise<boolean> {
		switch (step) {
			case 'lint':
			case 'typecheck':
				return (await show('npm', ['run', '--silent', step])) === 0;
			case 'demo':
				return (await show('npm', ['run', '--silent', 'demo', '--', '--check'])) === 0;
			case 'e2e':
			case 'browser':
				return await this.jestInN8n(step, step, process.env.N8N_VERSION);
			case 'compat':
				return await this.jestInN8n(step, 'e2e', OLDEST_N8N);
			case 'queue': {
				const runtime = await fetchRuntime(process.env.N8N_VERSION, say);
				const n8n = { runtime, tarball: await this.tarball() };
				const before = this.passedTests;
				// Flags for Jest may name tests of one of the two only.
				// What it measures for the documents, it measures undisturbed.
				const flags = WRITES_FIGURES ? ONE_BY_ONE : TWO_BY_TWO;
				const most = await this.jest(['queue'], [...flags, ANY_NUMBER], n8n);
				const alone = await this.jest(['queue-alone'], [...ONE_BY_ONE, ANY_NUMBER], n8n);
				return most && alone && this.passedTests > before;
			}
		}
	}

	/** Runs Jest on one kind of tests, beside an n8n for each of its processes. */
	private async jestInN8n(step: Step, kind: string, version?: string): Promise<boolean> {
		const runtime = await fetchRuntime(version, say);
		const tarball = await this.tarball();
		say(`Starting n8n ${runtime.version} with the package installed; this takes about 15 seconds ...`);
		const start = async () => {
			const n8n = await N8n.start({ runtime, tarball });
			this.cleanUp(async () => await n8n.stop());
			return n8n;
		};
		const flags = MORE_FLAGS[step] ?? [];
		const n8ns = await Promise.all([start(), ...(flags.includes(TWO_FILES_AT_A_TIME) ? [start()] : [])]);
		try {
			return await this.jest([kind], flags, { runtime, tarball, urls: n8ns.map(({ url }) => url) });
		} finally {
			await Promise.all(n8ns.map(async (n8n) => await n8n.stop()));
		}
	}

	/** The package as it is published, packed once. */
	private async tarball(): Promise<string> {
		if (!this.packed) {
			say('Packing this package as it is published ...');
			const packed = (this.packed = packPackage());
			this.cleanUp(async () => await rm(dirname(await packed), { recursive: true, force: true }));
		}
		return await this.packed;
	}

	/**
	 * Runs Jest on some kinds of tests. A test that was skipped counts as failed: it has shown nothing.
	 *
	 * @param underTest describes the n8n to the tests
	 */
	private async jest(
		kinds: readonly string[],
		moreFlags: readonly string[] = [],
		underTest?: object,
	): Promise<boolean> {
		const outputFile = join(this.folder, 'results.json');
		await rm(outputFile, { force: true });
		const flags = ['--selectProjects', ...kinds, '--json', '--outputFile', outputFile];
		const code = await show(join('node_modules', '.bin', 'jest'), [...flags, ...moreFlags, ...this.forJest], {
			// Files that Jest leaves behind are removed with the results.
			TMPDIR: this.folder,
			[LIST_OF_PROCESSES]: this.processes,
			...(underTest ? { N8N_UNDER_TEST: JSON.stringify(underTest) } : {}),
		});
		const { numPassedTests: passed = 0, numTotalTests: total = 0 } = JSON.parse(
			await readFile(outputFile, 'utf8'),
		) as Record<string, number>;
		this.passedTests += passed;
		this.failedTests += total - passed;
		return code === 0 && passed === total && (passed !== 0 || moreFlags.includes(ANY_NUMBER));
	}
}

/** The steps that the command line names; the fast steps if it names none. */
function chosenSteps(words: readonly string[]): readonly Step[] {
	const unknown = words.filter((word) => word !== 'all' && !ALL_STEPS.includes(word as Step));
	if (unknown.length > 0)
		throw new Error(`There is no ${unknown.join(', ')}: choose among ${ALL_STEPS.join(', ')}, all.`);
	if (words.length === 0) return FAST_STEPS;
	return words.includes('all') ? ALL_STEPS : ALL_STEPS.filter((step) => words.includes(step));
}

/** Steps that only read the source, each with one core. */
const isReading = (step: Step) => step === 'lint' || step === 'typecheck';

/** The steps in the order of their run; those that only read, and those that need no n8n for their tests, run together. */
function runsOf(steps: readonly Step[]): Step[][] {
	const runs: Step[][] = [];
	for (const step of steps) {
		const previous = runs.at(-1);
		const isTogether = [isReading, isWithoutN8n].some((kind) => kind(step) && previous?.every(kind));
		if (isTogether) previous?.push(step);
		else runs.push([step]);
	}
	return runs;
}

function timesOf(results: readonly StepResult[]): string {
	const rows = results.map(({ step, passed, seconds }) => [
		step,
		passed ? 'passed' : 'FAILED',
		String(seconds),
	]);
	const total = results.reduce((sum, { seconds }) => sum + seconds, 0);
	return [['step', 'result', 'seconds'], ...rows, ['all', '', String(total)]]
		.map(
			([step = '', result = '', seconds = '']) => step.padEnd(36) + result.padEnd(10) + seconds.padStart(7),
		)
		.join('\n');
}

await runProgram(async (cleanUp) => {
	const isForJest = (word: string) => word.startsWith('-');
	const words = process.argv.slice(2);
	const steps = chosenSteps(words.filter((word) => !isForJest(word)));
	const run = await Run.begin(cleanUp, words.filter(isForJest));
	const results: StepResult[] = [];
	const runs = runsOf(steps);
	for (const [index, together] of runs.entries()) {
		say(`\n=== ${together.join(', ')} (${index + 1} of ${runs.length})`);
		const result = await run.step(together);
		results.push(result);
		say(`=== ${result.step}: ${result.passed ? 'passed' : 'FAILED'} in ${result.seconds} s`);
	}
	say(`\n${timesOf(results)}`);
	say(`\n${run.passedTests} passed, ${run.failedTests} failed`);
	return results.every(({ passed }) => passed) ? 0 : 1;
});
