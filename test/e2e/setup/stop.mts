// After the end-to-end tests.
export default async function stop(): Promise<void> {
	await globalThis.n8nUnderTest?.stop();
}
