import type { Server, TLSSocket } from 'node:tls';
import type { Log } from '../core/log.ts';

export interface SlowReaderOptions {
  /** How long a client may take over what was written for it in one piece. */
  readonly milliseconds: number;
  /** A clock in milliseconds that never jumps. */
  readonly monotonic: () => number;
  readonly log: Log;
}

/** How many bytes the system has taken, and when that last grew. */
interface Progress {
  taken: number;
  at: number;
}

/**
 * Drops connections whose clients do not read their answers, which would hold them for ever, without a login even. Node's
 * own timeout will not do: it begins anew with each byte that the client sends. A connection on which nothing waits may stay
 * silent. Node tells of a write when the system has taken all of it, so large answers are written in pieces.
 */
export function dropSlowReaders(server: Server, options: SlowReaderOptions): void {
  const { milliseconds, monotonic, log } = options;
  const open = new Map<TLSSocket, Progress>();
  server.on('secureConnection', (socket) => {
    open.set(socket, { taken: 0, at: monotonic() });
    socket.once('close', () => open.delete(socket));
  });
  const look = () => {
    const now = monotonic();
    for (const [socket, progress] of open) {
      const waiting = socket.writableLength;
      const taken = socket.bytesWritten - waiting;
      if (waiting === 0 || taken !== progress.taken) Object.assign(progress, { taken, at: now });
      if (now - progress.at < milliseconds) continue;
      log.warn('connection dropped: its client does not read', { waiting });
      socket.destroy();
    }
  };
  const timer = setInterval(look, Math.max(10, milliseconds / 4)).unref();
  server.once('close', () => clearInterval(timer));
}
