// Stands in the bundles for a file of readable-stream, see streams.cjs.
module.exports = require('node:stream').Writable;
