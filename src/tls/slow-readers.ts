import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import type { Log } from '../core/log.ts';

export interface SlowReaderOptions {
  /** How long a client may take nothing of what waits for it. */
  readonly milliseconds: number;
  /** A clock in milliseconds that never jumps. */
  readonly monotonic: () => number;
  readonly log: Log;
}

/** How much the system has taken of what was written, and when that last grew. */
interface Progress {
  taken: number;
  at: number;
}

/**
 * Drops connections whose clients do not read their answers, which would hold them for ever, without a
 * login even. Node's own timeout will not do: it begins anew with whatever the client sends, and sees no
 * progress within one large answer over TLS. A connection on which nothing waits may stay silent.
 */
export function dropSlowReaders(server: Server, options: SlowReaderOptions): void {
  const { milliseconds, monotonic, log } = options;
  const open = new Map<Socket, Progress>();
  server.on('connection', (socket: Socket) => {
    open.set(socket, { taken: 0, at: monotonic() });
    socket.once('close', () => open.delete(socket));
  });
  const look = () => {
    const now = monotonic();
    for (const [socket, progress] of open) {
      const { taken, waiting } = sent(socket);
      if (waiting === 0 || taken !== progress.taken) Object.assign(progress, { taken, at: now });
      if (now - progress.at < milliseconds) continue;
      log.warn('connection dropped: its client does not read', { waiting });
      socket.destroy();
    }
  };
  const timer = setInterval(look, Math.max(10, milliseconds / 4)).unref();
  server.once('close', () => clearInterval(timer));
}

/** Bytes of a TCP connection; under TLS Node has them nowhere but at the handle of the socket. */
function sent(socket: Socket): { readonly taken: number; readonly waiting: number } {
  const handle: unknown = Reflect.get(socket, '_handle');
  const waiting = numberOf(handle, 'writeQueueSize');
  return { taken: numberOf(handle, 'bytesWritten') - waiting, waiting };
}

function numberOf(handle: unknown, name: string): number {
  if (typeof handle !== 'object' || handle === null) return 0;
  const value: unknown = Reflect.get(handle, name);
  return typeof value === 'number' ? value : 0;
}
