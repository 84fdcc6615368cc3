// The n8n that the test program has started, for all test files of one of Jest's processes to share.
import { Sandbox } from '../sandbox/server.mts';
import { createCredentials, type Credentials } from './credentials.mts';
import { N8n } from './n8n/n8n.mts';
import type { Runtime } from './n8n/runtime.mts';

export interface UnderTest {
	/** one n8n for each of Jest's processes */
	urls: string[];
	runtime: Runtime;
	tarball: string;
}

export function underTest(): UnderTest {
	return JSON.parse(process.env.N8N_UNDER_TEST ?? '') as UnderTest;
}

/** Another session with the n8n that runs already. */
export async function connect(): Promise<N8n> {
	const { urls } = underTest();
	// Jest counts its processes from 1.
	return await N8n.connect(urls[Number(process.env.JEST_WORKER_ID ?? 1) - 1] ?? '');
}

/** An n8n and a Sobot with an account for it. */
export interface Setting {
	n8n: N8n;
	sandbox: Sandbox;
	credentials: Credentials;
}

/** The setting of a test file, ready when its tests run. The sandbox forgets what happened after each test. */
export function shareSetting(): Readonly<Setting> {
	const setting = {} as Setting;
	beforeAll(async () => {
		setting.n8n = await connect();
		setting.sandbox = await Sandbox.start();
		setting.credentials = await createCredentials(setting.n8n, setting.sandbox);
	});
	afterEach(() => setting.sandbox.forget());
	afterAll(async () => await setting.sandbox.close());
	return setting;
}
