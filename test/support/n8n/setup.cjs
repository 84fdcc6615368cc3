// Jest compiles what a set-up requires, but not its own file.
module.exports = async () => await require('./starter.mts').setUp();
