// The setting of tests in which the same customers come in several tries, while n8n's database can be away.
import type { IRun } from 'n8n-workflow';
import { shareAction } from './actionSetting.mts';
import { canvas, crowd, DEFINED } from './customers.mts';
import { outcomeOf, type ActionRun } from './runAction.mts';
import { StoredCredentials } from './storedCredentials.mts';

/** n8n's database answers or does not. */
class FlakyCredentials extends StoredCredentials {
	isAway = () => false;

	override async getDecrypted(...from: Parameters<StoredCredentials['getDecrypted']>) {
		if (this.isAway()) throw new Error('the database is locked');
		return await super.getDecrypted(...from);
	}
}

/** Who is in doubt does not end the batch. */
export const TREAT_AS_SENT = { ...DEFINED, options: { unknownOutcome: 'treatAsSent' } };
/** Refused as a whole, before anything is sent. */
export const WRONG = { ...DEFINED, canvas: canvas('Nowhere') };

/** A new setting for each test. The functions use that of the test that runs. */
export function shareTries() {
	const setting = shareAction(() => new FlakyCredentials());
	const startThree = setting.start;
	const start = async (more: Partial<ActionRun>) => await startThree({ items: crowd(3), ...more });
	/** Sobot refuses a customer, always or a number of times. */
	const refuse = (contactId: string, times?: number) =>
		setting.sandbox.misbehave({ on: 'trigger', contactId, code: '910026', ...(times ? { times } : {}) });
	/** How many calls have put a customer on the canvas who was there before. */
	const twice = () => {
		const ids = setting.sandbox.accepted.map(({ contactId }) => contactId);
		return ids.length - new Set(ids).size;
	};
	return Object.assign(setting, { start, refuse, twice });
}

/** What became of each customer. Throws the error of the execution, if there is one. */
export function outcomes(run: IRun) {
	const { output, error } = outcomeOf(run);
	if (error) throw error;
	return output.map(({ json }) => json.outcome);
}

/** The error of an execution as a person reads it. */
export function texts(run: IRun): string {
	const { error } = outcomeOf(run);
	return `${error?.message}\n${(error as { description?: string } | undefined)?.description}`;
}
