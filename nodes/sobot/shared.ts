// The only state that outlives an execution.
import { systemClock } from './clock';
import { Pace } from './pace';
import { Registry } from './registry';

/** The rate limiters, by host and trigger ID. */
export const paces = new Registry(() => new Pace(systemClock));

/** The rate limiter that all executions of this process share for a trigger ID at a host. */
export function paceOf(baseUrl: string, triggerId: string): Pace {
	return paces.get(`${new URL(baseUrl).host}\n${triggerId}`);
}
