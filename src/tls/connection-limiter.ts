import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Server } from 'node:tls';
import { addressGroup } from '../core/client-address.ts';
import type { Log } from '../core/log.ts';

export interface ConnectionLimits {
  readonly maxConnections: number;
  /** Those of one address, or of one /64 of IPv6. */
  readonly maxPerAddress: number;
  readonly log: Log;
}

interface OpenConnection {
  readonly socket: Socket;
  readonly peer: string;
  readonly address: string;
  readonly requests: Set<IncomingMessage>;
}

/**
 * Counts connections from the TCP handshake on. A connection beyond the share of its address is closed before a byte of
 * TLS is read. When all connections are taken, a new one replaces one of the address that has the most: a flood from many
 * addresses keeps out those who flood.
 */
export function limitConnections(
  server: Server,
  { maxConnections, maxPerAddress, log }: ConnectionLimits,
): void {
  const tell = eachMinute((gaveWay: string, times) =>
    log.warn('all connections are taken', { gaveWay, times }),
  );
  // By peer, the oldest first
  const open = new Map<string, OpenConnection>();
  // After Node's own listener, which would begin TLS on a socket that is destroyed
  server.on('connection', (socket: Socket) => {
    const address = addressGroup(socket.remoteAddress ?? '');
    const counts = countByAddress(open.values());
    const own = counts.get(address) ?? 0;
    if (own >= maxPerAddress) {
      socket.destroy();
      return;
    }
    if (open.size >= maxConnections) {
      const replaced = connectionToReplace([...open.values()], counts, own);
      tell(replaced?.address ?? address);
      if (!replaced) {
        socket.destroy();
        return;
      }
      replaced.socket.destroy();
      open.delete(replaced.peer);
    }
    const peer = peerOf(socket);
    const connection = { socket, peer, address, requests: new Set<IncomingMessage>() };
    open.set(peer, connection);
    socket.once('close', () => {
      // Another connection may have the port already
      if (open.get(peer) === connection) open.delete(peer);
    });
  });
  // A client that has reset the connection by now has no address any more, and could not get an answer. Node keeps
  // the address from here on
  server.prependListener('secureConnection', (socket: Socket) => {
    if (socket.remoteAddress === undefined) socket.destroy();
  });
  server.prependListener('request', (req: IncomingMessage, res: ServerResponse) => {
    const requests = open.get(peerOf(req.socket))?.requests;
    requests?.add(req);
    res.once('close', () => requests?.delete(req));
  });
}

/** Strangers can cause it thousands of times a second: says it at once, and then once a minute with how often it was. */
function eachMinute(say: (what: string, times: number) => void): (what: string) => void {
  let last = Number.NEGATIVE_INFINITY;
  let times = 0;
  return (what) => {
    times += 1;
    if (performance.now() - last < 60_000) return;
    say(what, times);
    last = performance.now();
    times = 0;
  };
}

function countByAddress(open: Iterable<OpenConnection>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { address } of open) counts.set(address, (counts.get(address) ?? 0) + 1);
  return counts;
}

/**
 * The oldest connection of the address that has the most, with preference for one that has no complete request: an answer
 * is lost only to an address that has clearly fewer connections, and nothing to an address that has as many.
 */
function connectionToReplace(
  open: readonly OpenConnection[],
  counts: ReadonlyMap<string, number>,
  own: number,
): OpenConnection | undefined {
  const max = Math.max(...counts.values());
  if (max <= own) return undefined;
  const candidates = open.filter(({ address }) => counts.get(address) === max);
  // A request whose body has not arrived may never be complete
  const idle = candidates.find(({ requests }) => ![...requests].some(({ complete }) => complete));
  return idle ?? (max > own + 1 ? candidates[0] : undefined);
}

/** The same for a TCP socket and for the TLS socket above it, which Node tells of in different events. */
export function peerOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}
