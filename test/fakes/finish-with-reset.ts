import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { type ConnectionOptions, connect } from 'node:tls';

/** Sends the end of the handshake, a request and a reset at once, by TLS 1.3. */
export async function finishWithReset(
  socket: Socket,
  text: string,
  shown: ConnectionOptions = {},
): Promise<void> {
  const held: Buffer[] = [];
  let isBegun = false;
  const channel = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      if (isBegun) held.push(chunk);
      else socket.write(chunk);
      isBegun = true;
      done();
    },
  });
  socket.on('data', (chunk) => channel.push(chunk));
  const client = connect({ ...shown, socket: channel, rejectUnauthorized: false });
  client.on('error', () => undefined);
  await new Promise<void>((resolve) => client.once('secureConnect', resolve));
  await new Promise((resolve) => client.write(text, resolve));
  socket.write(Buffer.concat(held));
  socket.resetAndDestroy();
}
