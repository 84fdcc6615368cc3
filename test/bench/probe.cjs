// Loaded into an n8n that is measured (`node --require`): at SIGUSR2 it writes how long its event loop was blocked at most
// since the last time, collects its garbage, and writes how many bytes are still in use. What a process holds of the system
// says little: V8 keeps for later what it has once taken.
const { renameSync, writeFileSync } = require('node:fs');
const { monitorEventLoopDelay } = require('node:perf_hooks');
const { setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');

const file = process.env.PROBE_FILE;
if (file) {
	setFlagsFromString('--expose-gc');
	const collectGarbage = runInNewContext('gc');
	const delay = monitorEventLoopDelay({ resolution: 10 });
	delay.enable();
	process.on('SIGUSR2', () => {
		const longestBlockMs = delay.max / 1e6;
		collectGarbage();
		const { heapUsed, external } = process.memoryUsage();
		writeFileSync(`${file}.new`, JSON.stringify({ liveBytes: heapUsed + external, longestBlockMs }));
		renameSync(`${file}.new`, file);
		delay.reset();
	});
}
