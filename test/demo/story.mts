// The story of the demo: three customers go onto a canvas, one of them comes back as a push, and it is acknowledged.
import { isDeepStrictEqual } from 'node:util';
import type { N8n, Workflow } from '../support/n8n/n8n.mts';
import type { Sandbox } from '../sandbox/server.mts';
import { until } from '../support/until.mts';
import { accepted } from '../support/workflows.mts';

interface Stage {
	n8n: N8n;
	sandbox: Sandbox;
	toCanvas: Workflow;
	fromCanvas: Workflow;
	pushUrl: string;
	say: (line: string) => void;
}

/** Plays the story. Returns 0, or 1 if a check failed. */
export async function playThrough({
	n8n,
	sandbox,
	toCanvas,
	fromCanvas,
	pushUrl,
	say,
}: Stage): Promise<number> {
	let wrong = 0;
	const check = (what: string, seen: unknown, expected: unknown) => {
		const isRight = isDeepStrictEqual(seen, expected);
		if (!isRight) wrong++;
		say(
			`${isRight ? 'ok   ' : 'WRONG'} ${what}: ${JSON.stringify(seen)}${isRight ? '' : `, expected ${JSON.stringify(expected)}`}`,
		);
	};

	say('\nPlaying the story ...');
	const execution = await n8n.execute(toCanvas);
	const output = execution.data.resultData.runData['Put on canvas']?.[0]?.data?.main[0] ?? [];
	check('the first workflow ended with', execution.status, 'success');
	check(
		'its output',
		output.map(({ json }) => json),
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
	check('the push was answered with', push && [push.status, push.body], [200, '{"code":0,"status":0}']);
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
	const greeting = pushed?.data.resultData.runData['Write the greeting']?.[0]?.data?.main[0]?.[0]?.json;
	check('its output', greeting, { customerId: 'c-2', greeting: 'Hello 王小明!' });

	say(wrong === 0 ? '\nEverything is as expected.' : `\nChecks that failed: ${wrong}.`);
	return wrong === 0 ? 0 : 1;
}
