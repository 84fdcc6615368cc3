// Retry after a crash, and the second run of n8n 1, in n8n-core: nobody twice and nobody missing, however the next execution
// fails. crashes.test.mts tries more of them in a model.
import type { IRun } from 'n8n-workflow';
import { until } from '../support/until.mts';
import { canvas, CONTINUE, crowd, DEFINED } from './customers.mts';
import { database, entriesOf, restoreEntries } from './deduplicationTable.mts';
import { outcomeOf, type ActionRun } from './runAction.mts';
import { outcomes, shareTries, texts, TREAT_AS_SENT, WRONG } from './triesSetting.mts';

// Batches that take longer than a second have a ledger.
jest.setTimeout(60_000);

const setting = shareTries();
const { start, retried, refuse, twice, timesAccepted } = setting;

/** The ledger is open: the first second is over. */
const KILLED_AFTER = 70;
const ITEMS = crowd(150);

/** An execution that is killed at a moment, which leaves n8n with nothing of the node but the table's entries. */
async function kill(run: Partial<ActionRun> & { node: { id: string } }) {
	const shared = { resumeToken: run.executionId === undefined ? run.node.id : '', ...run };
	const atKill = until('the kill', () => setting.sandbox.accepted.length >= KILLED_AFTER);
	let entries: string[] = [];
	const stopWhen = atKill.then(() => (entries = [...entriesOf(run.node.id)]));
	await start({ ...shared, stopWhen });
	restoreEntries(run.node.id, entries);
	return await start({ ...shared, failsBefore: true });
}

const OTHER_IDS = { ...DEFINED, contactId: '={{ "x" + $json.id }}', options: { contactIdField: 'wrong' } };
type WayToFail = [how: string, strike: () => Partial<ActionRun>, says: RegExp];
const WITHOUT_CREDENTIAL: WayToFail = [
	'cannot read the credential',
	() => {
		setting.credentials.isAway = () => true;
		return {};
	},
	/the database is locked/,
];
const WITHOUT_DATABASE: WayToFail = [
	"finds n8n's database away",
	() => {
		database.isAway = true;
		return { parameters: { ...DEFINED, options: { giveUpAfter: 0 } } };
	},
	/n8n's database could not tell/,
];
const AT_A_CUSTOMER: WayToFail = [
	'ends at a customer',
	() => {
		// Whoever was about to be sent at the kill is in doubt.
		refuse('145', 1);
		return { parameters: TREAT_AS_SENT };
	},
	/^Customer 145 .*\(910026\)/,
];
const mend = () => {
	setting.credentials.isAway = () => false;
	database.isAway = false;
};
/** What the output says of those who are not on the canvas, and not said to be in doubt either. */
const missing = (run: IRun) =>
	outcomeOf(run)
		.output.map(({ json }) => json)
		.filter(({ contactId, outcome }) => outcome !== 'unknown' && timesAccepted(String(contactId))[0] === 0);

test.each<WayToFail>([
	['uses a wrong canvas', () => ({ parameters: { ...DEFINED, canvas: canvas('Asleep') } }), /\(910025\)/],
	['uses wrong contact IDs', () => ({ parameters: OTHER_IDS }), /\(910023\)/],
	[
		'is refused as a whole',
		() => ({ parameters: WRONG }),
		/has no canvas "Nowhere".*This try put nobody on the canvas/s,
	],
	WITHOUT_CREDENTIAL,
	WITHOUT_DATABASE,
	AT_A_CUSTOMER,
])('that %s, then Retry of that one: nobody twice, nobody missing', async (how, strike, says) => {
	const run = { items: ITEMS, node: { id: how } };
	const crashed = await kill(run);
	const first = await retried(crashed, { ...run, ...strike() });
	expect(texts(first)).toMatch(says);
	mend();
	const last = await retried(first, { ...run, parameters: TREAT_AS_SENT });
	expect([outcomes(last).length, twice(), missing(last)]).toEqual([ITEMS.length, 0, []]);
	expect(setting.sandbox.accepted.length).toBeGreaterThan(KILLED_AFTER);
});

test.each([WITHOUT_CREDENTIAL, WITHOUT_DATABASE, AT_A_CUSTOMER])(
	'by n8n itself under the same ID, which %s, then Retry: nobody twice, nobody missing',
	async (how, strike, says) => {
		const run = { items: ITEMS, node: { id: `again ${how}` }, executionId: `killed ${how}` };
		await kill(run);
		const again = await start({ ...run, ...strike() });
		expect(texts(again)).toMatch(says);
		mend();
		const last = await retried(again, { ...run, parameters: TREAT_AS_SENT });
		expect([outcomes(last).length, twice(), missing(last)]).toEqual([ITEMS.length, 0, []]);
	},
);

test('with On Error: Continue and an option that cannot be right: nobody is reported as not sent', async () => {
	const run = { items: ITEMS, node: { id: 'option', ...CONTINUE } };
	const crashed = await kill(run);
	const parameters = { ...DEFINED, options: { requestsPerSecond: 60 } };
	const { output } = outcomeOf(await retried(crashed, { ...run, parameters }));
	expect(new Set(output.map(({ json }) => json.outcome))).toEqual(new Set(['unknown']));
	expect(output[1]?.json.reason).toMatch(
		/^Item 1: 'Requests per Second' must be .*This Retry could not tell which customer it is/,
	);
});
