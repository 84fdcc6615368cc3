// The stories of the demo. Three customers go onto a canvas, one of them comes back as a push, and it is acknowledged. A
// campaign is stopped in the middle and run again: nobody is sent twice.
import { isDeepStrictEqual } from 'node:util';
import type { N8n, Workflow } from '../support/n8n/n8n.mts';
import type { Sandbox } from '../sandbox/server.mts';
import { ACKNOWLEDGEMENT } from '../support/pushes.mts';
import { until } from '../support/until.mts';
import { accepted, outputOf } from '../support/workflows.mts';

interface Stage {
	n8n: N8n;
	sandbox: Sandbox;
	toCanvas: Workflow;
	fromCanvas: Workflow;
	pushUrl: string;
	campaign: Workflow;
	say: (line: string) => void;
}

/** Compares what is seen with what should be, and counts what is wrong. */
class Checks {
	wrong = 0;

	constructor(private readonly say: (line: string) => void) {}

	readonly check = (what: string, seen: unknown, expected: unknown): void => {
		const isRight = isDeepStrictEqual(seen, expected);
		if (!isRight) this.wrong++;
		this.say(
			`${isRight ? 'ok   ' : 'WRONG'} ${what}: ${JSON.stringify(seen)}${isRight ? '' : `, expected ${JSON.stringify(expected)}`}`,
		);
	};
}

/** Plays the first story. Returns how many checks failed. */
export async function playThrough({
	n8n,
	sandbox,
	toCanvas,
	fromCanvas,
	pushUrl,
	say,
}: Stage): Promise<number> {
	const checks = new Checks(say);
	const { check } = checks;
	say('\nPlaying the story ...');
	const execution = await n8n.execute(toCanvas);
	check('the first workflow ended with', execution.status, 'success');
	check(
		'its output',
		outputOf(execution, 'Put on canvas').map(({ json }) => json),
		['c-1', 'c-2', 'c-3'].map(accepted),
	);
	check(
		'customers on the canvas',
		sandbox.accepted.map(({ contactId }) => contactId),
		['c-1', 'c-2', 'c-3'],
	);
	check('tokens fetched', sandbox.tokenCalls.length, 1);

	say('The canvas pushes one of them to the production URL ...');
	const customer = sandbox.account.customers.get('c-2');
	const push = customer && (await sandbox.pusher.push({ url: pushUrl, method: 'POST' }, customer));
	check('the push was answered with', push && [push.status, push.body], [200, ACKNOWLEDGEMENT]);
	check('Sobot accepts that as an acknowledgement', push?.acknowledged, true);

	await until('the second workflow to end', async () => {
		const statuses = (await n8n.executions(fromCanvas)).map(({ status }) => status);
		return statuses.length > 0 && !statuses.some((status) => ['new', 'running'].includes(status));
	});
	const executions = await n8n.executions(fromCanvas);
	check(
		'executions of the second workflow',
		executions.map(({ status }) => status),
		['success'],
	);
	const pushed = executions[0] && (await n8n.execution(executions[0].id));
	const [greeting] = pushed ? outputOf(pushed, 'Write the greeting') : [];
	check('its output', greeting?.json, { customerId: 'c-2', greeting: 'Hello 王小明!' });

	return checks.wrong;
}

/** Plays the campaign. Returns how many checks failed. */
export async function playCampaign({ n8n, sandbox, campaign, say }: Stage): Promise<number> {
	const checks = new Checks(say);
	const { check } = checks;
	say('\nStarting a large campaign, and stopping it in the middle ...');
	const onCanvas = () => sandbox.accepted.map(({ contactId }) => contactId).filter(isOfSheet);
	const stopped = await n8n.launch(campaign);
	// Every 25th is unknown to Sobot: none of them is in flight then.
	await until('some customers', () => onCanvas().length > 30);
	await n8n.stopExecution(stopped);
	check('the stopped execution ended with', (await n8n.finished(stopped)).status, 'canceled');
	say('Running it again ...');
	const execution = await n8n.execute(campaign);
	const customers = outputOf(execution, 'One item a row').map(({ json }) => String(json.id));
	const outcomes = outputOf(execution, 'All customers').map(({ json }): [string, unknown] => [
		String(json.contactId),
		json.outcome,
	]);
	const idsOf = (...wanted: string[]) =>
		outcomes.flatMap(([id, outcome]) => (wanted.includes(String(outcome)) ? [id] : []));
	say(
		`     ${outputOf(execution, 'Summary')
			.map(({ json }) => `${String(json.outcome)} ${String(json.count_contactId)}`)
			.join(', ')}`,
	);
	check('customers who got the campaign twice', onCanvas().length - new Set(onCanvas()).size, 0);
	const isDone = new Set([...onCanvas(), ...idsOf('unknown')]);
	check(
		'customers who are missing',
		customers.filter((id) => isOfSheet(id) && !isDone.has(id)),
		[],
	);
	check('some customers were left out because they were sent before', idsOf('alreadySent').length > 0, true);
	check('customers that Sobot does not know', [...new Set(idsOf('refused'))], ['nobody']);
	return checks.wrong;
}

const isOfSheet = (id: string) => id.startsWith('sheet-');
