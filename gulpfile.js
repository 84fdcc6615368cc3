// tsc leaves icons and codex files where they are; n8n reads them beside the compiled nodes.
const { rm } = require('node:fs/promises');
const { dest, parallel, src } = require('gulp');

const copy = (folder) => () =>
	src(`${folder}/**/*.{svg,json}`, { encoding: false }).pipe(dest(`dist/${folder}`));

exports.build = parallel(copy('nodes'), copy('credentials'));

// Otherwise the files of an earlier build would be published, too.
exports.clean = async () => await rm('dist', { recursive: true, force: true });
