// What n8n 1 does otherwise than n8n 2, as far as who uses this package can tell. Both are right; tests ask here what to
// expect.
import { underTest } from './underTest.mts';

interface Differences {
	/** status and body for Sobot if the workflow fails before it acknowledges; neither is an acknowledgement */
	answerToFailedWorkflow: [status: number, body: string];
	/** a push that is answered at once is answered a moment before its execution is stored */
	acknowledgesBeforeStoring: boolean;
	/** changes of an active workflow count as soon as they are saved; otherwise once it is published */
	savedIsActive: boolean;
	/** a body that begins with a byte order mark is taken; otherwise refused with 422 */
	takesByteOrderMark: boolean;
	/** in queue mode the execution of a killed worker runs again by itself, under the same ID */
	runsKilledAgain: boolean;
	/** what it says when another workflow has a trigger's URL */
	urlIsTaken: RegExp;
}

const N8N_1: Differences = {
	answerToFailedWorkflow: [200, ''],
	acknowledgesBeforeStoring: true,
	savedIsActive: true,
	takesByteOrderMark: false,
	runsKilledAgain: true,
	urlIsTaken: /already taken/,
};

const N8N_2: Differences = {
	answerToFailedWorkflow: [500, '{"message":"Error in workflow"}'],
	acknowledgesBeforeStoring: false,
	savedIsActive: false,
	takesByteOrderMark: true,
	runsKilledAgain: false,
	urlIsTaken: /conflict/i,
};

/** The n8n under test. */
export const thisN8n: Readonly<Differences> = underTest().runtime.version.startsWith('1.') ? N8N_1 : N8N_2;
