import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { decodeMessage } from '../../src/cmp/messages/pki-message.ts';
import type { CmpAuthority } from './cmp-authority.ts';
import type { Issued } from './openssl-authority.ts';

/** Where a transaction stands: the client has connected, its message came, or the CA has done what the message asks. */
export type Moment = 'connected' | `${'ir' | 'kur' | 'certConf'} ${'came' | 'done'}`;

/** A CA that is reached by HTTPS, and holds its answer for as long as a test needs. */
export interface CmpServer {
  readonly url: string;
  /**
   * Nobody who comes to this moment is answered from now on, up to `release`.
   * @returns what resolves when the first one is there
   */
  holdAt(moment: Moment): Promise<void>;
  /** Closes what is held; whoever comes again is answered. */
  release(): void;
  close(): void;
}

export async function cmpServer(authority: CmpAuthority, identity: Issued): Promise<CmpServer> {
  let hold: { readonly at: Moment; readonly reached: () => void } | undefined;
  const sockets = new Set<Socket>();
  const passes = (moment: string) => {
    if (hold?.at !== moment) return true;
    hold.reached();
    return false;
  };
  const options = { key: identity.key, cert: identity.pem };
  const https = createHttpsServer(options, async (request, response) => {
    const message = await buffer(request);
    const { kind } = decodeMessage(message).body;
    if (!passes(`${kind} came`)) return;
    const answer = await authority.answer(message);
    if (!passes(`${kind} done`)) return;
    response.setHeader('Content-Type', 'application/pkixcmp');
    response.end(answer);
  });
  // The handshake of TLS is ours to begin, so no byte of a message leaves before
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    if (passes('connected')) https.emit('connection', socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const release = () => {
    hold = undefined;
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `https://127.0.0.1:${port}/cmp`,
    release,
    holdAt: (at) =>
      new Promise((reached) => {
        hold = { at, reached };
      }),
    close() {
      release();
      server.close();
    },
  };
}
