// Bounds calls in time. An HTTP client's own timeout can start again with each byte that trickles in.
import type { Clock } from './clock';

const LOOK_EVERY_MS = 1000;

/** One look a second at all calls, instead of a timer for each. */
export class Deadline {
	private readonly calls = new Map<() => void, number>();
	private isLooking = false;

	/** @param limitMs after this time a call counts as not answered, within a second */
	constructor(
		private readonly clock: Clock,
		private readonly limitMs: number,
	) {}

	/** The outcome of a call; rejects like a timeout of the HTTP client if it takes too long. */
	async bound<T>(call: Promise<T>): Promise<T> {
		return await new Promise<T>((resolve, reject) => {
			const expire = () => reject(Object.assign(new Error('no answer in time'), { code: 'ECONNABORTED' }));
			this.calls.set(expire, this.clock.nowMs());
			if (!this.isLooking) void this.look();
			void call.then(resolve, reject).finally(() => this.calls.delete(expire));
		});
	}

	private async look(): Promise<void> {
		this.isLooking = true;
		while (this.calls.size > 0) {
			await this.clock.sleep(LOOK_EVERY_MS);
			const nowMs = this.clock.nowMs();
			for (const [expire, startedMs] of this.calls) {
				if (nowMs - startedMs <= this.limitMs) continue;
				this.calls.delete(expire);
				expire();
			}
		}
		this.isLooking = false;
	}
}
