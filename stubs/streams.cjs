// Stands in the bundles for readable-stream, which is what Node has, for older versions.
module.exports = require('node:stream');
