const { createConnection } = require('node:net');

// dbus-next calls this with `new`; the sockets of Node 22 and later reach abstract addresses too
exports.USocket = function USocket({ path }) {
  return createConnection({ path });
};
