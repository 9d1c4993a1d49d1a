// Stands in the bundles for packages that others load and never run.
module.exports = {};
