// `npm run sandbox`: the local Sobot by itself.
import { chosenPort } from '../support/freePort.mts';
import { Sandbox } from './server.mts';

const port = await chosenPort('SANDBOX_PORT', 4700).catch((error: Error) => {
	console.error(error.message);
	process.exit(1);
});
const sandbox = await Sandbox.start({
	port,
	timeScale: Number(process.env.SANDBOX_TIME_SCALE ?? 1),
	profile: process.env.SANDBOX_PROFILE === 'mainland' ? 'mainland' : 'overseas',
});
const { appId, appKey, canvases } = sandbox.account.settings;
const rows = canvases.map(
	({ name, triggerId, secret }) => `      ${name.padEnd(9)} ${triggerId}   ${secret}`,
);
console.log(`A local Sobot is listening on ${sandbox.url}

  Sobot API credential   Region: Custom   Base URL: ${sandbox.url}   App ID: ${appId}   App Key: ${appKey}
  Its canvases           name, trigger ID and secret:
${rows.join('\n')}
  What happens           ${sandbox.url}/

Ctrl-C ends it.`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
	process.once(signal, () => void sandbox.close().then(() => process.exit(0)));
}
