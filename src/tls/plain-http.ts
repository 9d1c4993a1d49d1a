import type { Socket } from 'node:net';
import type { Server } from 'node:tls';
import { whenFirstBytesCome } from './first-bytes.ts';

const sentence =
  'This port speaks HTTPS: begin the URL with https:// in place of http://, as in curl https://HOST.\n';

const answer = [
  'HTTP/1.1 400 Bad Request',
  'Content-Type: text/plain; charset=utf-8',
  `Content-Length: ${sentence.length}`,
  'Connection: close',
  '',
  sentence,
].join('\r\n');

const lingerMilliseconds = 1000;

/**
 * Tells clients that speak HTTP without TLS what to do, and closes. Must come before other listeners for connections than
 * the one that begins TLS.
 * @param silentMilliseconds how long a connection may be open before its first byte
 */
export function refusePlainHttp(server: Server, silentMilliseconds: number): void {
  const [begin, ...others] = server.listeners('connection');
  if (!begin || others.length > 0) throw new Error('the server begins TLS in an unknown way');
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    whenFirstBytesCome(socket, silentMilliseconds, () => {
      if (isHttp(socket)) refuse(socket);
      else begin.call(server, socket);
    });
  });
}

/** A method of HTTP begins with a capital letter, and no record of TLS does (RFC 8446 §5.1). */
function isHttp(socket: Socket): boolean {
  const bytes: Buffer | null = socket.read();
  if (!bytes) return false;
  socket.unshift(bytes);
  return /^[A-Z]/.test(bytes.toString('latin1', 0, 1));
}

function refuse(socket: Socket): void {
  socket.end(answer);
  // What is not read would reset the connection before its client has the answer
  socket.resume();
  setTimeout(() => socket.destroy(), lingerMilliseconds).unref();
}
