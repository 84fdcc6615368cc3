// Limits the duration of calls. An HTTP client's own timeout may start again with each byte that arrives.
import type { Clock } from './clock';

/** How often the calls are checked, in ms. */
const CHECK_EVERY_MS = 1000;

/** Checks all calls once a second, instead of setting a timer for each. */
export class Deadline {
	/** when each call began, in ms of the monotonic clock, by the function that ends it */
	private readonly calls = new Map<() => void, number>();
	private isChecking = false;

	/** @param limitMs after this time, or up to a second later, a call counts as not answered */
	constructor(
		private readonly clock: Clock,
		private readonly limitMs: number,
	) {}

	/** The outcome of a call; rejects like a timeout of the HTTP client if it takes too long. */
	async bound<T>(call: Promise<T>): Promise<T> {
		return await new Promise<T>((resolve, reject) => {
			const expire = () => reject(Object.assign(new Error('no answer in time'), { code: 'ECONNABORTED' }));
			this.calls.set(expire, this.clock.nowMs());
			if (!this.isChecking) void this.check();
			void call.then(resolve, reject).finally(() => this.calls.delete(expire));
		});
	}

	private async check(): Promise<void> {
		this.isChecking = true;
		while (this.calls.size > 0) {
			await this.clock.sleep(CHECK_EVERY_MS);
			const nowMs = this.clock.nowMs();
			for (const [expire, startedMs] of this.calls) {
				if (nowMs - startedMs <= this.limitMs) continue;
				this.calls.delete(expire);
				expire();
			}
		}
		this.isChecking = false;
	}
}
