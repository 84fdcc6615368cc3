// A local Sobot over HTTP: its API, strictly as documented, and next to it `/sandbox`, where a test or a
// person says how it should misbehave and reads what happened; `/` is a page that shows it.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import express, { type Request, type Response } from 'express';
import {
	Account,
	newCustomer,
	type AccountSettings,
	type Canvas,
	type Profile,
	type WebhookApp,
} from './account.mts';
import { httpStatusOf, retMsgOf } from './answers.mts';
import { draw, Misbehaviours, type Misbehaviour } from './misbehaviour.mts';
import { Neighbor } from './neighbor.mts';
import { Pusher, type PushRecord } from './pusher.mts';

export interface TokenRecord {
	atMs: number;
	code: string;
}

export interface TriggerRecord {
	/** where the limit counts it */
	arrivedAtMs: number;
	triggerId: string;
	/** the code that Sobot decided, whatever was answered */
	code: string;
	contactId: string;
	/** the body as it came */
	raw: string;
}

export interface SandboxOptions extends Partial<AccountSettings> {
	/** 0 takes a free port */
	port?: number;
	/** 1 makes Sobot repeat a push after real minutes */
	timeScale?: number;
}

export const DEMO_CANVAS: Canvas = {
	name: 'Welcome',
	triggerId: '1234567890123456789',
	secret: 'canvas-secret',
	active: true,
	contactIdField: 'Contact_id',
	callsPerSecond: 50,
	limiter: 'slidingWindow',
};

/** A canvas that is not activated. */
export const ASLEEP_CANVAS: Canvas = {
	...DEMO_CANVAS,
	name: 'Asleep',
	triggerId: '1234567890123456780',
	active: false,
};

/** A canvas for many customers: in the demo it pushes nobody back. */
export const QUIET_CANVAS: Canvas = { ...DEMO_CANVAS, name: 'Quiet', triggerId: '1234567890123456782' };

/** A canvas whose customer source field was renamed. */
export const MEMBER_CANVAS: Canvas = {
	...DEMO_CANVAS,
	name: 'Members',
	triggerId: '1234567890123456781',
	contactIdField: 'member_no',
};

const DEFAULTS: AccountSettings = {
	appId: 'demo-app',
	appKey: 'demo-key',
	tokenLifeSeconds: 86_400,
	clockToleranceSeconds: 300,
	deadTokenCode: '900002',
	unknownContactIds: ['nobody'],
	profile: 'overseas',
	hasApiAccess: true,
	canvases: [DEMO_CANVAS, ASLEEP_CANVAS, MEMBER_CANVAS, QUIET_CANVAS],
};

export class Sandbox {
	readonly account: Account;
	readonly misbehaviours = new Misbehaviours();
	readonly pusher: Pusher;
	/** another program with the same App ID */
	readonly neighbor: Neighbor;
	readonly tokenCalls: TokenRecord[] = [];
	readonly triggerCalls: TriggerRecord[] = [];
	readonly pushes: PushRecord[] = [];
	private server?: Server;
	private samples = 0;

	private constructor(options: SandboxOptions) {
		const { port: _port, timeScale = 1, ...settings } = options;
		this.account = new Account(structuredClone({ ...DEFAULTS, ...settings }));
		this.neighbor = new Neighbor(() => this.account.renewToken(Date.now()));
		this.pusher = new Pusher(timeScale, (push) => this.pushes.push(push));
	}

	static async start(options: SandboxOptions = {}): Promise<Sandbox> {
		const sandbox = new Sandbox(options);
		await new Promise<void>((resolve, reject) => {
			sandbox.server = sandbox.app().listen(options.port ?? 0, '127.0.0.1', (error?: Error) => {
				if (error) reject(error);
				else resolve();
			});
		});
		// A test or benchmark keeps connections open between calls; Sobot's own timeouts are not known.
		if (sandbox.server) sandbox.server.keepAliveTimeout = 60_000;
		return sandbox;
	}

	get url(): string {
		return `http://127.0.0.1:${(this.server?.address() as AddressInfo).port}`;
	}

	/** The calls that put a customer on a canvas. */
	get accepted(): TriggerRecord[] {
		return this.triggerCalls.filter(({ code }) => code === '000000');
	}

	canvas(triggerId = DEMO_CANVAS.triggerId): Canvas {
		const canvas = this.account.settings.canvases.find((one) => one.triggerId === triggerId);
		if (!canvas) throw new Error(`The sandbox has no canvas ${triggerId}.`);
		return canvas;
	}

	misbehave(one: Misbehaviour): void {
		this.misbehaviours.add(one);
	}

	/** Forgets what happened and behaves well again; tokens and customers stay. */
	forget(): void {
		this.misbehaviours.clear();
		this.neighbor.stop();
		this.tokenCalls.length = this.triggerCalls.length = this.pushes.length = 0;
	}

	async close(): Promise<void> {
		this.pusher.close();
		this.neighbor.stop();
		this.server?.closeAllConnections();
		await new Promise((resolve) => this.server?.close(resolve));
	}

	private app() {
		const app = express();
		app.disable('x-powered-by');
		app.use(express.text({ type: () => true, limit: '16mb' }));
		app.get('/api/get_token', async (req, res) => await this.getToken(req, res));
		app.post('/logi-flow/webhook/trigger', async (req, res) => await this.trigger(req, res));
		// For all other APIs of Sobot, which ask for the same token.
		app.get('/api/any', (req, res) => this.answer(res, this.account.tokenCode(req.get('token'), Date.now())));
		this.addControls(app);
		return app;
	}

	private async getToken(req: Request, res: Response): Promise<void> {
		const wrong = this.misbehaviours.take('token');
		if (wrong.onTheWay) await sleep(draw(wrong.onTheWay));
		if (wrong.drop === 'before') return void res.socket?.destroy();
		const issued = wrong.code ? { code: wrong.code } : this.account.issueToken(req.query, Date.now());
		this.tokenCalls.push({ atMs: Date.now(), code: 'code' in issued ? issued.code : '000000' });
		if (wrong.atWork) await sleep(draw(wrong.atWork));
		if (wrong.drop === 'after') return void res.socket?.destroy();
		if (wrong.answerWith) return answerWith(res, wrong.answerWith);
		if ('code' in issued) return this.answer(res, issued.code);
		// The document's own example pads the token and gives the lifetime as a string.
		const item = { token: ` ${issued.token} `, expires_in: String(this.account.settings.tokenLifeSeconds) };
		const { profile } = this.account.settings;
		const words = profile === 'overseas' ? 'success' : retMsgOf('000000', profile);
		res.json({ item, ret_code: '000000', ret_msg: words });
	}

	private async trigger(req: Request, res: Response): Promise<void> {
		const raw = typeof req.body === 'string' ? req.body : '';
		const isJson = /^application\/json\b/i.test(req.headers['content-type'] ?? '');
		const body = isJson ? parse(raw) : undefined;
		const triggerId = req.get('trigger-id');
		const contactId = contactIdIn(body, this.account.settings.canvases, triggerId);
		const wrong = this.misbehaviours.take('trigger', contactId);
		if (wrong.onTheWay) await sleep(draw(wrong.onTheWay));
		if (wrong.drop === 'before') return void res.socket?.destroy();
		const arrivedAtMs = Date.now();
		const decision = wrong.code
			? { code: wrong.code }
			: this.account.trigger(
					{ triggerId, secret: req.get('secret'), token: req.get('token'), body },
					performance.timeOrigin + performance.now(),
				);
		this.triggerCalls.push({ arrivedAtMs, triggerId: triggerId ?? '', code: decision.code, contactId, raw });
		// A refused call takes no time at work.
		if (wrong.atWork && decision.code === '000000') await sleep(draw(wrong.atWork));
		if ('customer' in decision && decision.customer && decision.canvas?.webhookApp) {
			void this.pusher.push(decision.canvas.webhookApp, decision.customer);
		}
		if (wrong.drop === 'after') return void res.socket?.destroy();
		if (wrong.answerWith) return answerWith(res, wrong.answerWith);
		this.answer(res, decision.code);
	}

	/** The document shows a success without `ret_msg`; the mainland's service sends one. */
	private answer(res: Response, code: string): void {
		const { profile } = this.account.settings;
		const words = code === '000000' && profile === 'overseas' ? {} : { ret_msg: retMsgOf(code, profile) };
		res.status(httpStatusOf(code)).json({ ret_code: code, ...words });
	}

	/** For a person or a test in another process. */
	private addControls(app: express.Express): void {
		app.get('/', (_, res) => res.sendFile(join(process.cwd(), 'test/sandbox/page.html')));
		// Everything that happened; with `since`, only what happened from that time until just before `nowMs`. With that as the
		// next `since`, nothing is missed and nothing comes twice.
		app.get('/sandbox', (req, res) => {
			const nowMs = Date.now();
			const { since } = req.query;
			const isNews = (atMs: number) => since === undefined || (atMs >= Number(since) && atMs < nowMs);
			res.json({
				nowMs,
				tokenCalls: this.tokenCalls.filter(({ atMs }) => isNews(atMs)),
				triggerCalls: this.triggerCalls.filter(({ arrivedAtMs }) => isNews(arrivedAtMs)),
				pushes: this.pushes.filter(({ answeredAtMs }) => isNews(answeredAtMs)),
				counts: {
					accepted: this.accepted.length,
					limited: this.triggerCalls.filter(({ code }) => code === '910024').length,
					tokens: this.tokenCalls.filter(({ code }) => code === '000000').length,
					acknowledged: this.pushes.filter(({ acknowledged }) => acknowledged).length,
					pending: this.pusher.pending,
				},
				isMisbehaving: this.misbehaviours.isAny,
				neighborTokens: this.neighbor.calls,
			});
		});
		app.get('/sandbox/customers.csv', (req, res) => {
			const count = Number(req.query.count ?? 100);
			const rows = Array.from({ length: count }, (_, i) => sheetRow(i + 1));
			res.type('text/csv').send(`id,name,order\n${rows.join('\n')}\n`);
		});
		app.delete('/sandbox', (_, res) => {
			this.forget();
			res.json({ done: true });
		});
		app.post('/sandbox/misbehave', (req, res) => {
			this.misbehave(parse(req.body) as Misbehaviour);
			res.json({ done: true });
		});
		app.delete('/sandbox/misbehave', (_, res) => {
			this.misbehaviours.clear();
			res.json({ done: true });
		});
		app.post('/sandbox/expire-token', (_, res) => {
			this.account.expireToken();
			res.json({ done: true });
		});
		app.post('/sandbox/kill-token', (_, res) => {
			this.account.renewToken(Date.now());
			res.json({ done: true });
		});
		app.post('/sandbox/neighbor', (req, res) => {
			const { callsPerSecond = 1 } = (parse(req.body) ?? {}) as { callsPerSecond?: number };
			this.neighbor.start(callsPerSecond);
			res.json({ done: true });
		});
		app.delete('/sandbox/neighbor', (_, res) => {
			this.neighbor.stop();
			res.json({ done: true });
		});
		app.put('/sandbox/account', (req, res) => {
			Object.assign(this.account.settings, parse(req.body));
			res.json({ done: true });
		});
		app.put('/sandbox/canvases/:triggerId', (req, res) => {
			Object.assign(this.canvas(req.params.triggerId), parse(req.body));
			res.json({ done: true });
		});
		// Without a body: the next sample customer, to the webhook app of the first canvas.
		app.post('/sandbox/push', async (req, res) => {
			const asked = parse(req.body) as { app: WebhookApp; profile: Profile } | undefined;
			const webhookApp = asked?.app ?? this.account.settings.canvases[0]?.webhookApp;
			if (!webhookApp) {
				res.status(409).json({
					reason: 'The canvas has no webhook app. Set the URL to which it should push.',
				});
				return;
			}
			const profile = asked?.profile ?? newCustomer(`sample-${++this.samples}`, 'Jane');
			res.json(await this.pusher.push(webhookApp, profile));
		});
	}
}

/** A line of a sheet of customers; some of them Sobot does not know. */
function sheetRow(number: number): string {
	const id = number % 25 === 0 ? 'nobody' : `sheet-${number}`;
	return `${id},Customer ${number},A-${1000 + number}`;
}

function answerWith(
	res: Response,
	{ status, body, contentType = 'text/html' }: NonNullable<Misbehaviour['answerWith']>,
) {
	res.status(status).type(contentType).send(body);
}

function parse(text: unknown): unknown {
	try {
		return JSON.parse(String(text)) as unknown;
	} catch {
		return undefined;
	}
}

function contactIdIn(body: unknown, canvases: readonly Canvas[], triggerId?: string): string {
	const field = canvases.find((one) => one.triggerId === triggerId)?.contactIdField ?? 'Contact_id';
	const value =
		typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[field] : undefined;
	return typeof value === 'string' ? value : '';
}
