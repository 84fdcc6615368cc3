module.exports = async () => await require('./starter.mts').tearDown();
