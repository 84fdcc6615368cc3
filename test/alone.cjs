// Runs test files one after the other, and none of other projects meanwhile.
const { default: TestRunner } = require('jest-runner');

module.exports = class extends TestRunner {
	isSerial = true;
};
