// Jest's environment for Node.js. A process of Jest whose parent has been killed ends, too.
const { TestEnvironment } = require('jest-environment-node');

process.once('disconnect', () => process.exit(1));

module.exports = TestEnvironment;
