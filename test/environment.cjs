// Jest's environment for Node.js. A process of Jest whose parent has been killed ends, too.
const { TestEnvironment } = require('jest-environment-node');

const end = () => process.exit(1);
process.once('disconnect', end);
// As long as somebody listens for the end of the connection, it keeps the process alive, also when Jest has no more tests.
process.on('removeListener', (event) => {
	if (event === 'message') process.removeListener('disconnect', end);
});

module.exports = TestEnvironment;
