import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Lets no client have more than some requests without an answer on one connection. Node calls a listener
 * for every request that it has parsed, also for those whose answers wait behind an earlier one, so a
 * client that sends and never reads would have any number of answers kept for it.
 * @param maxUnanswered requests of a connection that may be under way; one more destroys it
 * @returns how to guard a listener; those guarded by one limit count together
 */
export function limitUnanswered(
  maxUnanswered: number,
): (listener: RequestListener) => RequestListener {
  const unanswered = new WeakMap<Socket, number>();
  return (listener) => (req, res) => {
    const { socket } = req;
    // What came in one piece with the request that was too much
    if (socket.destroyed) return;
    const count = (unanswered.get(socket) ?? 0) + 1;
    if (count > maxUnanswered) {
      socket.destroy();
      return;
    }
    unanswered.set(socket, count);
    res.once('close', () => unanswered.set(socket, (unanswered.get(socket) ?? 1) - 1));
    listener(req, res);
  };
}

/** @param percent of all connections that one address may have, which is one at least */
export function connectionsOfAddress(connections: number, percent: number): number {
  return Math.max(1, Math.ceil((connections * percent) / 100));
}
