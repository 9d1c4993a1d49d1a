// The least that a service in Node does until it answers over TLS.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

const pem = readFileSync(process.argv[2]);
const server = createServer({ key: pem, cert: pem }, (_request, response) => response.end('{}'));
server.listen(0, '127.0.0.1', () => process.send({ ready: { port: server.address().port } }));
process.once('disconnect', () => process.exit());
