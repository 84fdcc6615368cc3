// The n8n that Jest's global set-up has prepared, for all test files of one of Jest's processes to share.
import { Sandbox } from '../sandbox/server.mts';
import { createCredentials, type Credentials } from './credentials.mts';
import { N8n } from './n8n/n8n.mts';
import type { Runtime } from './n8n/runtime.mts';

export interface UnderTest {
	runtime: Runtime;
	tarball: string;
	/** answers with the address of the n8n for a process of Jest, and starts it first if need be */
	starter: string;
}

export function underTest(): UnderTest {
	return JSON.parse(process.env.N8N_UNDER_TEST ?? '') as UnderTest;
}

/** Another session with the n8n of this process of Jest. */
export async function connect(): Promise<N8n> {
	const answer = await fetch(`${underTest().starter}/${process.env.JEST_WORKER_ID}`);
	const text = await answer.text();
	if (!answer.ok) throw new Error(text);
	return await N8n.connect(text);
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
	}, 180_000);
	afterEach(() => setting.sandbox.forget());
	afterAll(async () => await setting.sandbox.close());
	return setting;
}
