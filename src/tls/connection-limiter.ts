import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import { addressGroup } from '../core/client-address.ts';
import type { Log } from '../core/log.ts';

export interface ConnectionLimiter {
  /** The most connections at a time. */
  readonly connections: number;
  /** Those of one address, or of one /64 of IPv6. */
  readonly perAddress: number;
  readonly log: Log;
}

interface OpenConnection {
  readonly socket: Socket;
  readonly group: string;
  readonly peer: string;
  /** Whether the TLS handshake is over. */
  secure: boolean;
  readonly requests: Set<IncomingMessage>;
}

/** What would be lost with a connection: nothing yet, nothing now, an answer. */
type Worth = 0 | 1 | 2;

/**
 * Counts connections from the TCP handshake on. What an address has beyond its share is closed before a
 * byte of TLS is read. When there is no room at all, a newcomer takes the place of one of the address that
 * has the most: a flood from many addresses keeps out those who flood.
 */
export function limitConnections(server: Server, room: ConnectionLimiter): void {
  // Oldest first
  const open = new Set<OpenConnection>();
  const byPeer = new Map<string, OpenConnection>();
  const sizes = new Map<string, number>();
  const forget = (one: OpenConnection) => {
    if (!open.delete(one)) return;
    if (byPeer.get(one.peer) === one) byPeer.delete(one.peer);
    const left = (sizes.get(one.group) ?? 1) - 1;
    if (left > 0) sizes.set(one.group, left);
    else sizes.delete(one.group);
  };
  // After Node's own listener, which else would begin TLS on a socket that is no more
  server.on('connection', (socket: Socket) => {
    const group = addressGroup(socket.remoteAddress ?? '');
    if ((sizes.get(group) ?? 0) >= room.perAddress) {
      socket.destroy();
      return;
    }
    if (open.size >= room.connections) {
      const leaving = whoGivesWay([...open], sizes, group);
      room.log.warn('all connections are taken', { gaveWay: leaving?.group ?? group });
      if (!leaving) {
        socket.destroy();
        return;
      }
      leaving.socket.destroy();
      forget(leaving);
    }
    const peer = peerOf(socket);
    const connection = { socket, group, peer, secure: false, requests: new Set<IncomingMessage>() };
    open.add(connection);
    byPeer.set(peer, connection);
    sizes.set(group, (sizes.get(group) ?? 0) + 1);
    socket.once('close', () => forget(connection));
  });
  server.on('secureConnection', (socket: Socket) => {
    const connection = byPeer.get(peerOf(socket));
    if (connection) connection.secure = true;
  });
  server.prependListener('request', (req: IncomingMessage, res: ServerResponse) => {
    const requests = byPeer.get(peerOf(req.socket))?.requests;
    requests?.add(req);
    res.once('close', () => requests?.delete(req));
  });
}

/**
 * Of the address that has most, the connection that is worth least, the oldest of those. An answer is lost
 * only to whoever has clearly less; and nobody gives way to an address that has as many itself.
 */
function whoGivesWay(
  open: readonly OpenConnection[],
  sizes: ReadonlyMap<string, number>,
  newcomer: string,
): OpenConnection | undefined {
  const sizeOf = (group: string) => sizes.get(group) ?? 0;
  const own = sizeOf(newcomer);
  const most = Math.max(0, ...sizes.values());
  if (most <= own) return undefined;
  const ranked = open
    .filter(({ group }) => sizeOf(group) === most)
    .map((connection) => ({ connection, worth: worthOf(connection) }))
    .sort((a, b) => a.worth - b.worth);
  const [least] = ranked;
  if (!least || (least.worth === 2 && most <= own + 1)) return undefined;
  return least.connection;
}

/** A request whose body is still to come may never be one. */
function worthOf({ secure, requests }: OpenConnection): Worth {
  if (!secure) return 0;
  return [...requests].some(({ complete }) => complete) ? 2 : 1;
}

/** One for the TCP socket and for the TLS socket above it, which Node tells of in different events. */
export function peerOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}
