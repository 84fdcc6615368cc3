// Loaded into an n8n that is measured (`node --require`): at SIGUSR2 it collects its garbage and writes how many bytes are
// still in use. What a process holds of the system says little: V8 keeps for later what it has once taken.
const { writeFileSync } = require('node:fs');
const { setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');

const file = process.env.LIVE_MEMORY_FILE;
if (file) {
	setFlagsFromString('--expose-gc');
	const collectGarbage = runInNewContext('gc');
	process.on('SIGUSR2', () => {
		collectGarbage();
		const { heapUsed, external } = process.memoryUsage();
		writeFileSync(file, String(heapUsed + external));
	});
}
