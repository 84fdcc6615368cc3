// Delivers a canvas's pushes to its webhook app: three tries, and only the exact acknowledgement counts.
import type { Profile, WebhookApp } from './account.mts';

export interface PushRecord {
	customerId: string;
	/** 1 to 3 */
	attempt: number;
	atMs: number;
	answeredAtMs: number;
	/** 0 if no answer came */
	status: number;
	contentType: string;
	body: string;
	acknowledged: boolean;
}

/** Sobot accepts exactly this. Source: Sobot, "Webhook app". */
const ACKNOWLEDGEMENT = '{"code":0,"status":0}';
/** after the first and after the second push that was not acknowledged */
const REPEAT_AFTER_MS = [60_000, 300_000];
const ANSWER_WITHIN_MS = 70_000;

export class Pusher {
	private readonly waiting = new Set<NodeJS.Timeout>();
	private readonly stop = new AbortController();
	private inFlight = 0;
	/** resolves once repeats may go out */
	private released = Promise.resolve();

	constructor(
		/** 1 is real time; 0.001 makes a minute 60 ms */
		private readonly timeScale: number,
		private readonly record: (push: PushRecord) => void,
	) {}

	/** Pushes that are in flight or wait for their next try. */
	get pending(): number {
		return this.waiting.size + this.inFlight;
	}

	async push(app: WebhookApp, profile: Profile, attempt = 1): Promise<PushRecord> {
		this.inFlight++;
		const push: PushRecord = {
			customerId: profile.id,
			attempt,
			atMs: Date.now(),
			answeredAtMs: 0,
			status: 0,
			contentType: '',
			body: '',
			acknowledged: false,
		};
		try {
			const answer = await fetch(...this.request(app, profile));
			push.status = answer.status;
			push.contentType = answer.headers.get('content-type') ?? '';
			push.body = await answer.text();
			push.acknowledged = push.status === 200 && push.body === ACKNOWLEDGEMENT;
		} catch (error) {
			push.body = error instanceof Error ? `no answer: ${error.message}` : 'no answer';
		}
		push.answeredAtMs = Date.now();
		this.inFlight--;
		if (this.stop.signal.aborted) return push;
		this.record(push);
		const pauseMs = REPEAT_AFTER_MS[attempt - 1];
		if (!push.acknowledged && pauseMs !== undefined) {
			const timer = setTimeout(() => {
				void this.released.then(async () => {
					this.waiting.delete(timer);
					await this.push(app, profile, attempt + 1);
				});
			}, pauseMs * this.timeScale);
			this.waiting.add(timer);
		}
		return push;
	}

	/** Pushes each profile, several at once, and waits for the first answers; failed pushes are repeated as usual. */
	async pushAll(app: WebhookApp, profiles: readonly Profile[], atOnce: number): Promise<void> {
		const ahead = [...profiles];
		const lane = async () => {
			for (let profile = ahead.shift(); profile; profile = ahead.shift()) await this.push(app, profile);
		};
		await Promise.all(Array.from({ length: atOnce }, lane));
	}

	/** Holds the repeats back, until the function that it returns is called. */
	holdRepeats(): () => void {
		let release = () => {};
		this.released = new Promise<void>((resolve) => (release = resolve));
		return release;
	}

	close(): void {
		this.stop.abort();
		for (const timer of this.waiting) clearTimeout(timer);
		this.waiting.clear();
	}

	private request(app: WebhookApp, profile: Profile): Parameters<typeof fetch> {
		const url = new URL(app.url);
		const headers: Record<string, string> = { 'content-type': 'application/json', ...app.headers };
		if (url.username !== '') {
			const userAndPassword = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
			headers.authorization = `Basic ${Buffer.from(userAndPassword).toString('base64')}`;
			url.username = url.password = '';
		}
		return [
			url,
			{
				method: app.method,
				headers,
				body: JSON.stringify(profile),
				signal: AbortSignal.any([this.stop.signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]),
			},
		];
	}
}
