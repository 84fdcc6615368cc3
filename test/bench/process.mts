// One of several plain Node.js processes that share a trigger ID: drives the package's own code, without n8n.
// Reads what to do from its first argument, says "ready", starts at a line on its input, prints its outcomes as JSON.
import { once } from 'node:events';
import { newCustomer, resultOf } from '../../nodes/sobot/outcome/customer';
import { deliver } from '../../nodes/sobot/delivery/delivery';
import { CanvasTrust } from '../../nodes/sobot/canvas/canvasTrust';
import { canvasRequest } from '../../nodes/sobot/canvas/canvas';
import { RateLimiter } from '../../nodes/sobot/canvas/rateLimiter';
import { systemClock } from '../../nodes/sobot/clock';
import type { Token } from '../../nodes/sobot/account/account';
import { TokenSession } from '../../nodes/sobot/token/tokenSession';

export interface Assignment {
	name: string;
	items: number;
	baseUrl: string;
	triggerId: string;
	secret: string;
	token: Token;
}

const { name, items, token, ...canvas } = JSON.parse(process.argv[2] ?? '') as Assignment;
const session = new TokenSession(systemClock);
session.begin(token);
console.log('ready');
await once(process.stdin, 'data');
const customers = Array.from({ length: items }, (_, i) =>
	newCustomer(JSON.stringify({ Contact_id: `${name}-${i}`, nick: 'N' })),
);
await deliver(customers, {
	rateLimiter: new RateLimiter(systemClock),
	session,
	trust: new CanvasTrust(systemClock),
	store: {
		read: async () => await Promise.resolve(token),
		renew: async () => await Promise.reject(new Error('The token does not end in this benchmark.')),
	},
	send: async (value, body) => {
		const { url, ...request } = canvasRequest(canvas, value, body, 30_000);
		const answer = await fetch(url, request);
		return { statusCode: answer.status, body: await answer.text() };
	},
	clock: systemClock,
	requestsPerSecond: 50,
	giveUpAfterSeconds: 300,
	unknownOutcome: 'fail',
	batch: { stopsOnFailure: false, hasFailed: false },
});
console.log(JSON.stringify(customers.map((one) => resultOf(one)?.outcome ?? 'notSent')));
process.exit(0);
