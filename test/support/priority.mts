// Sobot is elsewhere, so its stand-in does not wait for the cores that n8n keeps busy.
import { setPriority } from 'node:os';

/** Runs `work` while this process, and so the sandbox in it, has priority, if the system allows: only root may raise it. */
export async function withPriority<T>(work: () => Promise<T>): Promise<T> {
	raise(-10);
	try {
		return await work();
	} finally {
		raise(0);
	}
}

function raise(priority: number): void {
	try {
		setPriority(priority);
	} catch {
		// It stays as it was.
	}
}
