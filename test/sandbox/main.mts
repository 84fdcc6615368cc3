// `npm run sandbox`: the local Sobot by itself.
import { DEMO_CANVAS, Sandbox } from './server.mts';

const sandbox = await Sandbox.start({
	port: Number(process.env.SANDBOX_PORT ?? 4700),
	timeScale: Number(process.env.SANDBOX_TIME_SCALE ?? 1),
});
const { appId, appKey } = sandbox.account.settings;
console.log(`A local Sobot is listening on ${sandbox.url}

  Sobot API credential     Region: Custom   Base URL: ${sandbox.url}   App ID: ${appId}   App Key: ${appKey}
  Sobot Canvas credential  Trigger ID: ${DEMO_CANVAS.triggerId}   Secret: ${DEMO_CANVAS.secret}
  What happened            ${sandbox.url}/sandbox

Ctrl-C ends it.`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
	process.once(signal, () => void sandbox.close().then(() => process.exit(0)));
}
