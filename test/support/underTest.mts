// The n8n that the test program has started, for all tests of one kind to share.
import { N8n } from './n8n/n8n.mts';
import type { Runtime } from './n8n/runtime.mts';

export interface UnderTest {
	url: string;
	runtime: Runtime;
	tarball: string;
}

export function underTest(): UnderTest {
	return JSON.parse(process.env.N8N_UNDER_TEST ?? '') as UnderTest;
}

/** Another session with the n8n that runs already. */
export async function connect(): Promise<N8n> {
	return await N8n.connect(underTest().url);
}
