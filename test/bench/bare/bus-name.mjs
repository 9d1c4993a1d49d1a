// The least that a daemon in Node does until the bus knows it: no library, a name, and then it waits.
import { connect } from 'node:net';

const [path, name] = process.argv.slice(2);
const bus = 'org.freedesktop.DBus';

/** A field of a header: its code, and a string of a type with a length of four bytes. */
function field(code, type, text) {
  const value = Buffer.from(`____${text}\0`);
  value.writeUInt32LE(text.length);
  return Buffer.concat([Buffer.from([code, 1]), Buffer.from(`${type}\0`), value]);
}

function padded(bytes) {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 7)]);
}

/** D-Bus Specification, "Message Format". */
function call(serial, member, signature = '', body = Buffer.alloc(0)) {
  const fields = [
    field(1, 'o', '/org/freedesktop/DBus'),
    field(2, 's', bus),
    field(3, 's', member),
    field(6, 's', bus),
  ];
  if (signature) {
    const bytes = Buffer.concat([Buffer.from([8, 1]), Buffer.from('g\0')]);
    const value = Buffer.concat([Buffer.from([signature.length]), Buffer.from(`${signature}\0`)]);
    fields.push(Buffer.concat([bytes, value]));
  }
  const all = Buffer.concat(fields.map((one, at) => (at + 1 < fields.length ? padded(one) : one)));
  const head = Buffer.alloc(16);
  head.set(Buffer.from('l\x01\0\x01'));
  head.writeUInt32LE(body.length, 4);
  head.writeUInt32LE(serial, 8);
  head.writeUInt32LE(all.length, 12);
  return Buffer.concat([padded(Buffer.concat([head, all])), body]);
}

const text = Buffer.from(`____${name}\0`);
text.writeUInt32LE(name.length);
const flags = Buffer.alloc((-text.length & 3) + 4);
const uid = Buffer.from(String(process.getuid())).toString('hex');
const socket = connect(path, () => socket.write(`\0AUTH EXTERNAL ${uid}\r\n`));
socket.once('data', () => {
  const request = call(2, 'RequestName', 'su', Buffer.concat([text, flags]));
  socket.write(Buffer.concat([Buffer.from('BEGIN\r\n'), call(1, 'Hello'), request]));
  const heard = [];
  socket.on('data', (bytes) => {
    heard.push(bytes);
    // The signal NameAcquired names it
    if (Buffer.concat(heard).includes(name)) process.send({ ready: {} });
  });
});
process.once('disconnect', () => process.exit());
