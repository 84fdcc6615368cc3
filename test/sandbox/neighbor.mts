// Another program of the same company that asks for a new token before each of its own calls, as several public clients of
// Sobot's APIs do: each of them ends the token that everybody else holds.

export class Neighbor {
	/** how many tokens it has fetched so far */
	calls = 0;
	private timer?: NodeJS.Timeout;

	/** @param fetchToken what it does before each of its calls */
	constructor(private readonly fetchToken: () => void) {}

	/** Begins at once, with calls that are evenly spaced. */
	start(callsPerSecond: number): void {
		this.stop();
		const call = () => {
			this.calls++;
			this.fetchToken();
		};
		call();
		this.timer = setInterval(call, 1000 / callsPerSecond);
	}

	stop(): void {
		clearInterval(this.timer);
	}
}
