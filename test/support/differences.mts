// The differences between n8n 1 and n8n 2 that users of this package can notice. Both are right; tests ask here what to
// expect.
import { underTest } from './underTest.mts';

interface Differences {
	/** status and body for Sobot if the workflow fails before it acknowledges; neither is an acknowledgement */
	answerToFailedWorkflow: [status: number, body: string];
	/** a push that is answered at once is answered a moment before its execution is stored */
	acknowledgesBeforeStoring: boolean;
	/** changes of an active workflow count as soon as they are saved; otherwise once it is published */
	savedIsActive: boolean;
	/** a body that begins with a byte order mark is accepted; otherwise refused with 422 */
	takesByteOrderMark: boolean;
	/** in queue mode the execution of a killed worker runs again by itself, under the same ID */
	runsKilledAgain: boolean;
	/** an execution and its Retries have a token in common, also after a crash */
	namesExecutions: boolean;
	/** Retry of a stopped execution begins at the trigger and skips whom it has sent; otherwise it sends everyone or nobody */
	retriesStopped: boolean;
	/** the error when another workflow has a trigger's URL */
	urlIsTaken: RegExp;
	/** `N8N_COMMUNITY_PACKAGES` installs packages; otherwise only the screen does */
	installsFromEnvironment: boolean;
	/** a credential can be kept for the nodes of its package; otherwise any node may use it */
	restrictsCredentials: boolean;
}

const N8N_1: Differences = {
	answerToFailedWorkflow: [200, ''],
	acknowledgesBeforeStoring: true,
	savedIsActive: true,
	takesByteOrderMark: false,
	runsKilledAgain: true,
	namesExecutions: false,
	retriesStopped: false,
	urlIsTaken: /already taken/,
	installsFromEnvironment: false,
	restrictsCredentials: false,
};

const N8N_2: Differences = {
	answerToFailedWorkflow: [500, '{"message":"Error in workflow"}'],
	acknowledgesBeforeStoring: false,
	savedIsActive: false,
	takesByteOrderMark: true,
	runsKilledAgain: false,
	namesExecutions: true,
	retriesStopped: true,
	urlIsTaken: /conflict/i,
	installsFromEnvironment: true,
	restrictsCredentials: true,
};

export function differencesOf(version: string): Readonly<Differences> {
	return version.startsWith('1.') ? N8N_1 : N8N_2;
}

/** The n8n under test. */
export const thisN8n = differencesOf(underTest().runtime.version);
