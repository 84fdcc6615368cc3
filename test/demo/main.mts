// `npm run demo`: a real n8n with this package beside a local Sobot, with example workflows to try.
// With `-- --check` it plays the story once by itself, prints its checks, and ends.
import { fetchRuntime } from '../support/n8n/runtime.mts';
import { N8n, OWNER } from '../support/n8n/n8n.mts';
import { packPackage } from '../support/n8n/n8nProcess.mts';
import { createCredentials, PUSH_SECRET } from '../support/credentials.mts';
import { fillIn, importWorkflow, readExample } from '../support/examples.mts';
import { productionPath } from '../support/workflows.mts';
import { DEMO_CANVAS, QUIET_CANVAS, Sandbox } from '../sandbox/server.mts';
import { chosenPort } from '../support/freePort.mts';
import { runProgram } from '../support/processes.mts';
import { playCampaign, playThrough } from './story.mts';

const PUSHES_REPEAT_FASTER = 0.05;
const SHEET_ROWS = 500;
/** enough to be stopped in the middle */
const CHECKED_ROWS = 150;

const say = (line: string) => console.log(line);
const isCheck = process.argv.includes('--check');

await runProgram(async () => {
	const sandboxPort = isCheck ? 0 : await chosenPort('SANDBOX_PORT', 4700);
	const n8nPort = isCheck ? undefined : await chosenPort('N8N_PORT', 5678);
	const runtime = await fetchRuntime(undefined, say);
	say('Packing this package as it is published ...');
	const tarball = await packPackage();

	const sandbox = await Sandbox.start({
		port: sandboxPort,
		timeScale: PUSHES_REPEAT_FASTER,
	});
	say(`The local Sobot is listening on ${sandbox.url}`);

	say(`Starting n8n ${runtime.version} with the package installed; this takes about 15 seconds ...`);
	const n8n = await N8n.start({ runtime, tarball, port: n8nPort, isWhole: true });

	say('Creating credentials and importing the example workflows ...');
	const credentials = await createCredentials(n8n, sandbox);
	// The example sends nothing before its user has removed 'Dry Run'.
	const real = fillIn(await readExample('customers-to-canvas'), 'Put on canvas', { options: {} });
	const toCanvas = await importWorkflow(n8n, real, credentials);
	const sheet = fillIn(await readExample('sheet-to-canvas'), 'Fetch the sheet', {
		url: `${sandbox.url}/sandbox/customers.csv?count=${SHEET_ROWS}`,
	});
	const fromSheet = await importWorkflow(n8n, sheet, credentials, {
		'Put on canvas': QUIET_CANVAS,
	});
	const campaignSheet = fillIn(await readExample('large-campaign'), 'Fetch the sheet', {
		url: `${sandbox.url}/sandbox/customers.csv?count=${isCheck ? CHECKED_ROWS : SHEET_ROWS}`,
	});
	const campaign = await importWorkflow(n8n, campaignSheet, credentials, { 'Put on canvas': QUIET_CANVAS });
	const fromCanvas = await importWorkflow(n8n, await readExample('push-from-canvas'), credentials);
	await n8n.activate(fromCanvas, productionPath(fromCanvas));
	const pushUrl = `${n8n.url}/webhook/${productionPath(fromCanvas)}?key=${PUSH_SECRET}`;

	if (isCheck) {
		const stage = { n8n, sandbox, toCanvas, fromCanvas, pushUrl, campaign, say };
		const wrong = (await playThrough(stage)) + (await playCampaign(stage));
		say(wrong === 0 ? '\nEverything is as expected.' : `\n${wrong} checks failed.`);
		return wrong === 0 ? 0 : 1;
	}

	sandbox.canvas().webhookApp = { url: pushUrl, method: 'POST' };
	say(`
  n8n              ${n8n.url}
  Log in with      ${OWNER.email} / ${OWNER.password}

  The local Sobot  ${sandbox.url}
      Its page shows n8n's calls and Sobot's pushes live, with the rate against Sobot's limit. Its buttons push a
      customer, let the token expire, and make Sobot flaky.

  "${toCanvas.name}"   ${n8n.url}/workflow/${toCanvas.id}
      Press "Execute workflow": three customers go onto the canvas ${DEMO_CANVAS.name}.
  "${fromSheet.name}"   ${n8n.url}/workflow/${fromSheet.id}
      The same with ${SHEET_ROWS} customers, at 50 a second. Customers that Sobot does not know go to a file.
  "${campaign.name}"   ${n8n.url}/workflow/${campaign.id}
      Press "Execute workflow", stop it in the middle, and press it again: it sends only the customers that are missing.
  "${fromCanvas.name}"   ${n8n.url}/workflow/${fromCanvas.id}
      Each customer on the canvas is pushed back to this workflow: see Executions.

Ctrl-C ends everything.`);
	return await new Promise<never>(() => {});
});
