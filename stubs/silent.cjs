// Stands in the bundles for what is made at every start, and asked for nothing.
module.exports = () => () => undefined;
