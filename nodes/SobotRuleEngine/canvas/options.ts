// The options of the canvas trigger: their defaults and allowed values.
import type { IExecuteFunctions } from 'n8n-workflow';
import { CALLS_PER_SECOND } from '../../sobot/canvas/adaptiveRate';
import type { UnknownOutcome } from '../../sobot/outcome/customer';
import { n8nSays } from '../../sobot/outcome/errors';

/** Options that hold for a whole batch. */
export interface Options {
	/** whole number, 1 to 50, for each canvas */
	requestsPerSecond: number;
	/** seconds, 0.001 to 3600 */
	timeout: number;
	/** seconds, 0 or more */
	giveUpAfter: number;
	unknownOutcome: UnknownOutcome;
	/** how many customers to remember for 'Send Once Per' at least, 1 or more */
	historySize: number;
	dryRun: boolean;
	includeInputFields: boolean;
}

/** The values of options that are not set. */
export const DEFAULT_OPTIONS: Options = {
	requestsPerSecond: CALLS_PER_SECOND,
	timeout: 30,
	giveUpAfter: 300,
	unknownOutcome: 'fail',
	historySize: 10_000,
	dryRun: false,
	includeInputFields: false,
};

/** The largest value of 'Timeout (Seconds)'. A timer of more than 24 days would fire at once. */
export const LONGEST_TIMEOUT_SECONDS = 3600;

const UNKNOWN_OUTCOMES: readonly unknown[] = ['fail', 'sendAgain', 'treatAsSent'];

/** The options of a batch; the defaults, and a text that says what is wrong, if they cannot be used. Never throws. */
export function readOptions(node: IExecuteFunctions): { options: Options; reason?: string } {
	try {
		const entered = node.getNodeParameter('options', 0, {}) as Record<string, unknown>;
		const options = { ...DEFAULT_OPTIONS, ...entered };
		const reason = reasonAgainst(options);
		return reason === undefined ? { options } : { options: DEFAULT_OPTIONS, reason };
	} catch (cause) {
		const reason = `The options of this node could not be read. Check their expressions.${n8nSays(cause)}`;
		return { options: DEFAULT_OPTIONS, reason };
	}
}

function reasonAgainst(options: Options): string | undefined {
	const { requestsPerSecond, timeout, giveUpAfter, unknownOutcome, historySize } = options;
	if (!Number.isInteger(requestsPerSecond) || requestsPerSecond < 1 || requestsPerSecond > CALLS_PER_SECOND) {
		return `'Requests per Second' must be a whole number from 1 to ${CALLS_PER_SECOND}.`;
	}
	if (!Number.isFinite(timeout) || timeout < 0.001 || timeout > LONGEST_TIMEOUT_SECONDS) {
		return `'Timeout (Seconds)' must be a number above 0 and at most ${LONGEST_TIMEOUT_SECONDS}.`;
	}
	if (!Number.isFinite(giveUpAfter) || giveUpAfter < 0)
		return "'Give Up After (Seconds)' must be a number, 0 or more.";
	if (!Number.isInteger(historySize) || historySize < 1) {
		return "'History Size' must be a whole number, 1 or more.";
	}
	if (typeof options.dryRun !== 'boolean') return "'Dry Run' must be true or false. Check its expression.";
	if (typeof options.includeInputFields !== 'boolean') {
		return "'Include Input Fields' must be true or false. Check its expression.";
	}
	if (!UNKNOWN_OUTCOMES.includes(unknownOutcome)) {
		return "'Unknown Outcome' must be 'fail', 'sendAgain' or 'treatAsSent'. Check its expression.";
	}
	return undefined;
}
